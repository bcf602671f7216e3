#include "controlplane/member/member.h"

#include <algorithm>
#include <chrono>
#include <initializer_list>

#include "controlplane/consensus/log_files.h"
#include "controlplane/member/authority_state.h"
#include "controlplane/member/damaged_ledger.h"
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

// Every file of the ledger is read at a start and then so often; what opening it reads, at each start.
constexpr std::uint64_t kCheckFilesMs = std::uint64_t{24} * 3600 * 1000;

// Until the ledger here says who there is: whoever was there when it, or this node's joining, last said so.
std::shared_ptr<const SwarmView> first_view(const v1::NodeIdentity& record, const v1::KeptPeers& peers,
                                            const std::string& own_pin) {
  auto view = std::make_shared<SwarmView>();
  view->swarm_id = record.swarm_id();
  view->incarnation = record.incarnation();
  view->roots = record.roots();
  for (const v1::JoinMember& known : peers.members()) view->nodes[known.tls_pin()] = {known.id(), false};
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

std::expected<void, std::string> Member::open_ledger() {
  const std::string& place = identity_.record.place();
  peers_ = files_.kept_peers(identity_.record);
  StoreOptions store;
  store.path = files_.ledger_directory(place);
  // From others, or from a log that begins at the first entry.
  const bool replaceable = peers_.members_size() > 0 || !begins_with_snapshot(files_.log_directory(place));
  auto opened = controlplane::open_ledger(store, replaceable, static_cast<std::uint64_t>(wall_seconds()));
  if (!opened) return std::unexpected(opened.error());
  store_ = std::move(opened->store);
  if (!opened->damage.empty()) {
    options_.say("the ledger is damaged and cannot be used: " + opened->damage + "; it is kept as " +
                 opened->kept_as + ", and made anew from the log or fetched from another member");
  }
  return {};
}

std::expected<void, std::string> Member::open() {
  if (auto opened = open_ledger(); !opened) return opened;
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
  place.adopt = [this](const std::string& folder) {
    return replace_ledger(*store_, folder, static_cast<std::uint64_t>(wall_seconds()));
  };
  fetcher_ = std::make_unique<StateFetcher>(reactor_, *link_, place);

  MemberCore::Options core;
  core.self = record.node();
  core.keys = key_pair(identity_.keys.ledger);
  for (const v1::JoinMember& known : peers_.members())
    core.first_peers.push_back({known.id(), known.address(), known.tls_pin()});
  core.first_peers_height = peers_.height();
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
  core.peers_changed = [this](const v1::KeptPeers& peers) { keep_peers(peers); };
  auto opened = MemberCore::open({reactor_, *link_, *store_, *fetcher_}, std::move(core));
  if (!opened) return std::unexpected(opened.error());
  core_ = std::move(*opened);
  remember_own(true);

  tls_.set_swarm(first_view(record, peers_, identity_.keys.tls.pin));
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
      [store = store_](const std::string& path) -> std::expected<void, std::string> {
        if (!store->damage().empty()) return std::unexpected("its own ledger is damaged");
        return store->copy_to(path);
      },
      files_.directory() + "/copies");
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
  check_timer_ = std::make_unique<Timer>(reactor_);
  check_files();
  return {};
}

// A ledger that was lost goes on from where its node's peers were kept last.
void Member::remember_own(bool voters) {
  const std::lock_guard lock(own_mutex_);
  own_.swarm = *array_from<std::tuple_size_v<SwarmId>>(identity_.record.swarm_id());
  own_.incarnation = identity_.record.incarnation();
  if (core_->chain().height() >= peers_.height()) {
    own_.height = core_->chain().height();
    own_.block = core_->chain().tip_hash();
    if (voters) own_.voters = voters_in(core_->chain().state());
    return;
  }
  own_.height = peers_.height();
  own_.block = array_from<std::tuple_size_v<Hash>>(peers_.block()).value_or(Hash{});
  own_.voters.clear();
  for (const v1::KeptPeers::Voter& voter : peers_.voters()) {
    if (const auto key = array_from<std::tuple_size_v<PublicKey>>(voter.ledger_key()))
      own_.voters.push_back({voter.name(), *key});
  }
}

// One write at a time, of the newest.
void Member::keep_peers(const v1::KeptPeers& peers) {
  peers_ = peers;
  if (keeping_peers_) return;
  keeping_peers_ = true;
  reactor_.offload(
      [files = files_, record = identity_.record, peers] {
        // What is kept then is older, and good for as much.
        static_cast<void>(files.keep_peers(record, peers));
      },
      [this, height = peers.height()] {
        keeping_peers_ = false;
        if (core_ && peers_.height() != height) keep_peers(peers_);
      });
}

// What is found shows by LedgerStore::damage(), which the core looks at.
void Member::check_files() {
  reactor_.offload([store = store_] { static_cast<void>(store->db().verify_files()); },
                   [this] {
                     if (check_timer_) check_timer_->start(kCheckFilesMs, [this] { check_files(); });
                   });
}

// None while the ledger here has not come to where this node was let in, or once was.
std::shared_ptr<const SwarmView> Member::known_peers() const {
  if (core_->chain().height() < peers_.height()) return nullptr;
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
  check_timer_.reset();
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
