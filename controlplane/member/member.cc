#include "controlplane/member/member.h"

#include <algorithm>
#include <chrono>
#include <initializer_list>

#include "controlplane/member/authority_state.h"
#include "controlplane/membership/directory.h"
#include "controlplane/state/keys.h"

namespace swarmdns::controlplane {
namespace {

KeyPair key_pair(const LedgerKey& key) {
  KeyPair pair;
  const auto public_key = array_from<std::tuple_size_v<PublicKey>>(key.public_key);
  const auto secret_key = array_from<std::tuple_size_v<SecretKey>>(key.secret.view());
  if (public_key) pair.public_key = *public_key;
  if (secret_key) pair.secret_key = *secret_key;
  return pair;
}

std::int64_t wall_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Before the ledger says who there is: whoever was there when this node joined.
std::shared_ptr<const SwarmView> first_view(const v1::NodeIdentity& record, const std::string& own_pin) {
  auto view = std::make_shared<SwarmView>();
  view->swarm_id = record.swarm_id();
  view->incarnation = record.incarnation();
  view->roots = record.roots();
  for (const v1::JoinMember& known : record.members()) view->nodes[known.tls_pin()] = {known.id(), false};
  view->nodes[own_pin] = {record.node(), false};
  return view;
}

}  // namespace

std::expected<std::unique_ptr<Member>, std::string> Member::start(const IdentityFiles& files,
                                                                  Identity identity, Options options) {
  std::unique_ptr<Member> member(new Member(files, std::move(identity), std::move(options)));
  if (auto opened = member->open(); !opened) return std::unexpected(opened.error());
  return member;
}

Member::Member(const IdentityFiles& files, Identity identity, Options options)
    : files_(files), identity_(std::move(identity)), options_(std::move(options)), tls_(wall_seconds) {}

Member::~Member() {
  if (log_) {
    std::promise<void> stopped;
    reactor_.run([&] { log_->stop([&] { stopped.set_value(); }); });
    stopped.get_future().wait();
  }
  reactor_.run([this] { close_on_reactor(); });
  reactor_.stop();
}

std::expected<void, std::string> Member::open() {
  StoreOptions store;
  store.path = files_.ledger_directory(identity_.record.place());
  auto opened = LedgerStore::open(store);
  if (!opened) return std::unexpected(opened.error());
  store_ = std::move(*opened);
  auto segments = SegmentDb::open(files_.directory() + "/segments");
  if (!segments) return std::unexpected(segments.error());
  segment_db_ = std::move(*segments);
  const auto name_key = array_from<std::tuple_size_v<NameKey>>(identity_.record.name_key());
  if (!name_key) return std::unexpected("identity.json: name_key has not 32 octets");
  segments_ = std::make_unique<SegmentStore>(segment_db_->columns(), *name_key);
  if (auto set = tls_.set_identity(identity_.keys.tls.pem, identity_.record.chain()); !set)
    return std::unexpected(set.error());
  std::expected<void, std::string> result;
  reactor_.run([&] { result = open_on_reactor(); });
  return result;
}

std::expected<void, std::string> Member::open_on_reactor() {
  const v1::NodeIdentity& record = identity_.record;
  PeerLinkOptions link;
  link.node = record.node();
  link.swarm_id = record.swarm_id();
  link.incarnation = record.incarnation();
  link.version = SWARMDNS_VERSION;
  link.listen = options_.listen;
  link_ = std::make_unique<GrpcPeerLink>(reactor_, tls_, link);

  StateFetcher::Place place;
  place.directory = files_.directory() + "/incoming";
  place.check = [this](const std::string& folder, const v1::Manifest& wanted) {
    // Not by way of the reactor thread, which may have ended meanwhile.
    OwnView own;
    {
      const std::lock_guard lock(own_mutex_);
      own = own_;
    }
    return check_copy(folder, wanted, own);
  };
  place.adopt = [this](const std::string& folder) { return store_->adopt(folder); };
  fetcher_ = std::make_unique<StateFetcher>(reactor_, *link_, place);

  MemberCore::Options core;
  core.self = record.node();
  core.keys = key_pair(identity_.keys.ledger);
  for (const v1::JoinMember& known : record.members()) {
    if (known.id() != record.node())
      core.first_peers.push_back({known.id(), known.address(), known.tls_pin()});
  }
  core.genesis = record.genesis();
  core.describe = [this] {
    v1::NodeReport report = options_.describe();
    if (caches_) caches_->describe(report);
    if (certificates_) certificates_->describe(report);
    if (configs_) configs_->describe(report);
    return report;
  };
  core.say = options_.say;
  core.state_replaced = [this] {
    follow_state(nullptr);
    caches_->state_replaced();
  };
  auto opened = MemberCore::open({reactor_, *link_, *store_, *fetcher_}, std::move(core));
  if (!opened) return std::unexpected(opened.error());
  core_ = std::move(*opened);
  remember_own(true);

  tls_.set_swarm(first_view(record, identity_.keys.tls.pin));
  if (auto view = known_peers()) tls_.set_swarm(std::move(view));
  link_->on_message([this](NodeId from, Channel channel, v1::PeerMessage message) {
    core_->receive(from, channel, std::move(message));
  });
  link_->on_note(options_.say);
  introducer_ = std::make_unique<Introducer>(reactor_, *core_, identity_);
  link_->on_join([this](v1::JoinRequest request, const PeerVerdict& caller, JoinAnswer answer) {
    introducer_->join(std::move(request), caller, std::move(answer));
  });
  if (auto listening = link_->start(); !listening)
    return std::unexpected("swarm.listen: " + listening.error());

  UvLogStoreOptions log_files;
  log_files.directory = files_.log_directory(identity_.record.place());
  log_files.say = options_.say;
  log_store_ = std::make_unique<UvLogStore>(reactor_, log_files);
  EngineOptions engine;
  engine.id = record.node();
  engine.address = record.address();
  engine.profile = options_.profile;
  log_ = std::make_unique<Engine>(reactor_, *link_, *log_store_, *core_, engine);

  server_ = std::make_unique<StateServer>(
      reactor_, *link_, [this] { return core_->cosigner().note(); },
      [this](const std::string& path) { return store_->copy_to(path); }, files_.directory() + "/copies");
  certificates_ = std::make_unique<CertificateKeeper>(
      reactor_, *link_, *core_, tls_, identity_,
      [this](const v1::NodeIdentity& changed) {
        reactor_.offload([files = files_, changed] { (void)files.keep(changed); }, [] {});
      },
      options_.say);
  configs_ = std::make_unique<ConfigKeeper>(reactor_, *link_, *core_, *options_.config, options_.say);
  DataplanePort::Options port;
  port.socket_path = options_.dataplane_socket;
  port.flush_resolver = options_.flush_resolver;
  cache_port_ = std::make_unique<DataplanePort>(reactor_, port);
  SharedCache::Options caches;
  caches.self = record.node();
  caches.key = key_pair(identity_.keys.ledger).secret_key;
  caches.private_zones = options_.private_zones;
  caches.bytes_per_second = options_.share_bytes_per_second;
  caches.say = options_.say;
  caches.ledger.erase_leaves = [this](std::span<const std::uint64_t> leaves) {
    return store_->erase_leaves(leaves);
  };
  caches.ledger.scrub = [store = store_] { return store->scrub(); };
  core_->on_other([this](NodeId from, v1::PeerMessage message) {
    if (message.has_state_request()) {
      server_->receive(from, message.request(), message.state_request());
    } else if (message.has_state_response()) {
      fetcher_->receive(from, message);
    } else if (!caches_->receive(from, message) && !configs_->receive(from, message)) {
      certificates_->receive(from, message);
    }
  });
  // The view of who may speak here follows the state, before the link is told.
  core_->chain().subscribe([this](const AppliedBlock& block) { follow_state(&block); });
  core_->start(*log_);
  caches_ = std::make_unique<SharedCache>(reactor_, *link_, *core_, *cache_port_, *segments_, caches);
  core_->roster().on_report(
      [this](NodeId from, const v1::NodeReport& report) { caches_->report(from, report); });
  caches_->start();
  retention_ = std::make_unique<Retention>(reactor_, core_->chain(), *store_, options_.say);
  retention_->start();
  log_->start();
  certificates_->start();
  configs_->start();
  return {};
}

void Member::remember_own(bool voters) {
  const std::lock_guard lock(own_mutex_);
  own_.swarm = *array_from<std::tuple_size_v<SwarmId>>(identity_.record.swarm_id());
  own_.incarnation = identity_.record.incarnation();
  own_.height = core_->chain().height();
  own_.block = core_->chain().tip_hash();
  if (voters) own_.voters = voters_in(core_->chain().state());
}

// None while the ledger here has not come to where this node was let in.
std::shared_ptr<const SwarmView> Member::known_peers() const {
  auto view = peers_in(core_->chain().state());
  return view && view->nodes.contains(identity_.keys.tls.pin) ? view : nullptr;
}

// Certificates and keys take longer to read than a block takes to apply: only when they may have changed.
void Member::follow_state(const AppliedBlock* block) {
  const auto touches = [block](std::initializer_list<std::string_view> prefixes) {
    return block == nullptr ||
           std::ranges::any_of(prefixes, [block](std::string_view prefix) { return block->touches(prefix); });
  };
  remember_own(touches({keys::kLogMembers, keys::kMembers}));
  if (touches({keys::kSwarm, keys::kCertificates, keys::kMembers})) {
    if (auto view = known_peers()) tls_.set_swarm(std::move(view));
  }
  if (touches({keys::kCertificates, keys::kLogMembers, keys::kMembers}))
    reactor_.post([this] {
      if (certificates_) certificates_->state_changed();
    });
  if (touches({keys::kConfig, keys::kOutcomes, keys::kMembers}))
    reactor_.post([this] {
      if (configs_) configs_->state_changed();
    });
}

void Member::close_on_reactor() {
  retention_.reset();
  caches_.reset();
  cache_port_.reset();
  configs_.reset();
  certificates_.reset();
  server_.reset();
  introducer_.reset();
  log_.reset();
  log_store_.reset();
  core_.reset();
  fetcher_.reset();
  link_.reset();
  store_.reset();
}

}  // namespace swarmdns::controlplane
