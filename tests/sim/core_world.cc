#include "tests/sim/core_world.h"

#include <algorithm>

#include "controlplane/member/damaged_ledger.h"
#include "controlplane/membership/directory.h"
#include "controlplane/state/apply.h"
#include "controlplane/state/keys.h"

namespace swarmdns::sim {

using controlplane::Channel;
using controlplane::MemberCore;
using controlplane::SubmitError;

namespace {

constexpr std::uint64_t kJoinAgainUs = 5'000'000;
constexpr std::uint64_t kCacheLookUs = 100'000;
// Silent for 3.5 s a member counts as lost; what the roster says is up to a second old.
constexpr std::uint64_t kHeardUs = 5'000'000;
constexpr std::uint64_t kTokenLifeMs = 86'400'000;
constexpr NodeId kPlantedIn = 2;
constexpr unsigned kHandOverSeconds = 15;
constexpr unsigned kNames = 30;

std::string who(NodeId id) {
  return "node " + std::to_string(id);
}

std::string octets(SimWorld& world, std::size_t count) {
  std::string text(count, '\0');
  for (char& octet : text) octet = static_cast<char>(world.random()());
  return text;
}

controlplane::KeyPair make_keys(SimWorld& world) {
  controlplane::KeySeed seed{};
  for (std::byte& octet : seed) octet = static_cast<std::byte>(world.random()());
  return controlplane::key_pair_from_seed(seed);
}

template <typename Octets>
std::string text_of(const Octets& octets) {
  return std::string(controlplane::as_string(octets));
}

}  // namespace

CoreWorld::CoreWorld(SimWorld& world, CoreWorldOptions options)
    : world_(world), options_(std::move(options)), network_(world, options_.network), checks_(world) {
  swarm_id_ = octets(world_, 16);
  network_.set_tap(
      [this](NodeId from, NodeId to, v1::PeerMessage& message) { return on_message(from, to, message); });
  checks_.set_reach([this](NodeId id) {
    const auto at = nodes_.find(id);
    return at == nodes_.end() ? 0 : at->second->dataplane->next() - 1;
  });
  Node& first = add(1, "region0");
  first.keys = make_keys(world_);
  checks_.knows(1, first.region, {"n1", first.keys.public_key});
  first.disk.bootstrap({{1, address_of(1), LogRole::kVoter}});
  look_at_caches();
}

CoreWorld::~CoreWorld() {
  ended_ = true;
  for (auto& [id, node] : nodes_) crash(id, false);
}

CoreWorld::Node& CoreWorld::add(NodeId id, const std::string& region) {
  auto made = std::make_unique<Node>();
  made->id = id;
  made->region = region;
  made->reactor = std::make_unique<SimReactor>(world_);
  made->dataplane = std::make_unique<SimDataplane>(world_, id);
  made->dataplane->bugs.ignores_fences = options_.bug == Bug::kFenceIgnored;
  made->dataplane->bugs.purges_too_much = options_.bug == Bug::kFencePurgesTooMuch;
  made->dataplane->bugs.keeps_ad = options_.bug == Bug::kAdKept;
  made->dataplane->set_watch({[this, id](const v1::CacheEntry& entry) { checks_.taken(id, entry); },
                              [this, id](const v1::CacheEntry& entry) { checks_.purged(id, entry); }});
  made->disk.acks_early = options_.bug == Bug::kLogAcksEarly;
  if (options_.bug == Bug::kStoreNotSynced) made->files.lie_below("/ledger");
  if (options_.bug == Bug::kSegmentsNotSynced) made->files.lie_below("/segments");
  return *nodes_.emplace(id, std::move(made)).first->second;
}

std::vector<NodeId> CoreWorld::ids() const {
  std::vector<NodeId> ids;
  for (const auto& [id, node] : nodes_) ids.push_back(id);
  return ids;
}

std::vector<NodeId> CoreWorld::live() const {
  std::vector<NodeId> ids;
  for (const auto& [id, node] : nodes_)
    if (!node->removed) ids.push_back(id);
  return ids;
}

bool CoreWorld::up(NodeId id) const {
  const auto at = nodes_.find(id);
  return at != nodes_.end() && (at->second->up() || at->second->down_since + kHeardUs > world_.now_us());
}

v1::Transaction CoreWorld::genesis() const {
  v1::Transaction transaction;
  v1::Genesis& genesis = *transaction.mutable_genesis();
  genesis.set_swarm_id(swarm_id_);
  genesis.set_incarnation(1);
  genesis.set_name("sim");
  v1::MemberAdded& first = *genesis.mutable_first();
  first.set_name("n1");
  first.set_address(address_of(1));
  first.set_region("region0");
  first.set_ledger_key(text_of(nodes_.at(1)->keys.public_key));
  first.set_tls_pin(std::string(32, '\1'));
  first.set_version_min(controlplane::kOldestVersion);
  first.set_version_max(controlplane::kVersion);
  *genesis.mutable_settings() = options_.settings;
  genesis.mutable_certificates()->add_roots("root");
  genesis.mutable_certificates()->set_issuer("issuer");
  return transaction;
}

void CoreWorld::start(NodeId id) {
  Node& node = *nodes_.at(id);
  if (node.up() || node.removed) return;
  world_.note(who(id) + " starts");
  controlplane::StoreOptions store;
  store.path = "/ledger";
  store.env = &node.files;
  auto opened = controlplane::open_ledger(store, !node.first_peers.empty() || !node.disk.snapshot,
                                          world_.now_us() / 1'000'000);
  node.files.quiesce();
  if (opened && !opened->damage.empty()) {
    world_.note(who(id) + "'s ledger is damaged, and it begins with an empty one");
    ++healed_;
  }
  auto segments = opened ? controlplane::SegmentDb::open("/segments", &node.files)
                         : std::expected<std::unique_ptr<controlplane::SegmentDb>, std::string>(
                               std::unexpected(opened.error()));
  node.files.quiesce();
  if (!segments) {
    // With a disk that works every store can be opened, whatever a loss of power has left of it.
    checks_.check(node.files.full() || node.files.failing(), "store", who(id) + ": " + segments.error());
    world_.note(who(id) + " does not come up: " + segments.error());
    return;
  }
  node.store = std::move(opened->store);
  node.segment_db = std::move(*segments);
  node.segments =
      std::make_unique<controlplane::SegmentStore>(node.segment_db->columns(), controlplane::NameKey{});
  node.chain_store = std::make_unique<SimChainStore>(world_, *node.store, options_.bug);
  node.installer = std::make_unique<SimInstaller>(*this, id, options_.bug);
  node.link = network_.connect(id);

  MemberCore::Options core;
  core.self = id;
  core.keys = node.keys;
  core.first_peers = node.first_peers;
  core.first_peers_height = node.first_peers_height;
  core.peers_changed = [&node](const v1::KeptPeers& kept) {
    node.first_peers_height = kept.height();
    node.first_peers.clear();
    for (const v1::JoinMember& known : kept.members())
      node.first_peers.push_back({known.id(), known.address(), known.tls_pin()});
  };
  if (id == 1) core.genesis = genesis();
  core.describe = [&node] {
    v1::NodeReport report;
    report.set_phase("ready");
    if (node.caches) node.caches->describe(report);
    return report;
  };
  core.say = [this, id](const std::string& text) { world_.note(who(id) + " says: " + text); };
  core.state_replaced = [&node] {
    if (node.caches) node.caches->state_replaced();
  };
  auto made = MemberCore::open({*node.reactor, *node.link, *node.chain_store, *node.installer}, core);
  checks_.check(made.has_value(), "store", who(id) + ": " + (made ? "" : made.error()));
  if (!made) {
    crash(id, false);
    return;
  }
  node.core = std::move(*made);
  node.core->chain().subscribe(
      [this, id](const controlplane::AppliedBlock& block) { checks_.applied(id, block); });
  checks_.opened(id, node.core->chain());
  node.chain_store->synced = [this, &node] { checks_.synced(node.id, node.core->chain()); };
  node.consumer = std::make_unique<SimConsumer>(*this, id, *node.core, options_.bug);
  node.link->on_message([&node](NodeId from, Channel channel, v1::PeerMessage message) {
    if (node.caches) node.core->receive(from, channel, std::move(message));
  });
  node.log_store = std::make_unique<SimLogStore>(world_, node.disk);
  controlplane::EngineOptions engine = options_.engine;
  engine.id = id;
  engine.address = address_of(id);
  node.engine = std::make_unique<controlplane::Engine>(*node.reactor, *node.link, *node.log_store,
                                                       *node.consumer, engine);
  node.log = std::make_unique<SimLog>(*this, id, *node.engine, options_.bug);
  node.port = std::make_unique<SimCachePort>(world_, *node.reactor, *node.dataplane);
  node.core->on_other([&node](NodeId from, v1::PeerMessage message) {
    if (node.caches) node.caches->receive(from, message);
  });
  node.core->start(*node.log);
  node.core->cosigner().on_checkpoint(
      [this, id](std::uint64_t height, const std::string& note) { checks_.checkpoint(id, height, note); });
  controlplane::SharedCache::Options caches;
  caches.self = id;
  caches.key = node.keys.secret_key;
  caches.say = core.say;
  node.caches = std::make_unique<controlplane::SharedCache>(*node.reactor, *node.link, *node.core, *node.port,
                                                            *node.segments, caches);
  node.core->roster().on_report(
      [&node](NodeId from, const v1::NodeReport& report) { node.caches->report(from, report); });
  node.caches->start();
  node.engine->start();
  node.reactor->offload([&node] { static_cast<void>(node.store->db().verify_files()); }, [] {});
}

void CoreWorld::alter(NodeId id) {
  Node& one = node(id);
  if (altered_ || one.store || one.removed || !one.files.alter(world_, "/ledger")) return;
  altered_ = true;
  world_.note("an octet of " + who(id) + "'s ledger is altered");
  checks_.lost(id);
}

void CoreWorld::crash(NodeId id, bool power) {
  Node& node = *nodes_.at(id);
  if (!node.store) return;
  if (!ended_) world_.note(who(id) + (power ? " loses its power" : " dies"));
  const auto left = power ? node.files.remains(world_) : nullptr;
  node.link->on_message({});
  if (node.engine) node.engine->stop([] {});
  node.reactor->drop_all();
  node.caches.reset();
  node.port.reset();
  node.log.reset();
  node.engine.reset();
  node.log_store.reset();
  node.consumer.reset();
  node.core.reset();
  node.link.reset();
  node.installer.reset();
  node.chain_store.reset();
  node.segments.reset();
  node.segment_db.reset();
  node.store.reset();
  node.reactor->drop_all();
  node.files.quiesce();
  if (left) node.files.restore(*left);
  node.down_since = world_.now_us();
}

NodeId CoreWorld::leader() const {
  for (const auto& [id, node] : nodes_)
    if (node->up() && node->core->leads() && node->engine->is_leader()) return id;
  return 0;
}

// --- The swarm ---

void CoreWorld::join() {
  if (joining_) return;
  const std::string region = "region" + std::to_string(world_.between(0, options_.regions - 1));
  joining_ = Joining{make_keys(world_), region, octets(world_, 32), 0};
  look_at_join();
}

void CoreWorld::look_at_join() {
  if (!joining_ || ended_ || !broken().empty()) return;
  Joining& join = *joining_;
  const std::string key = text_of(join.keys.public_key);
  for (auto& [id, node] : nodes_) {
    if (!node->up()) continue;
    const auto record = controlplane::member_with_key(node->core->chain().state(), key);
    if (!record) continue;
    Node& fresh = add(record->id(), record->region());
    fresh.keys = join.keys;
    checks_.knows(fresh.id, fresh.region, {record->name(), fresh.keys.public_key});
    for (const NodeId other : live())
      if (other != fresh.id) fresh.first_peers.push_back({other, address_of(other), std::string(32, '\1')});
    joining_.reset();
    start(record->id());
    return;
  }
  const NodeId at = leader();
  if (at != 0 && node(at).core->chain().height() > 0 &&
      (join.asked_us == 0 || world_.now_us() - join.asked_us > kJoinAgainUs)) {
    join.asked_us = world_.now_us();
    v1::Transaction token;
    token.mutable_token_issued()->set_token_hash(join.token);
    token.mutable_token_issued()->set_region(join.region);
    token.mutable_token_issued()->set_expires_ms(node(at).core->chain().tip()->time_ms + kTokenLifeMs);
    submit(at, token, [](const auto&) {});
    const std::uint64_t number = nodes_.rbegin()->first + 1;
    v1::Transaction transaction;
    v1::MemberAdded& added = *transaction.mutable_member_added();
    added.set_name("n" + std::to_string(number));
    added.set_address(address_of(number));
    added.set_ledger_key(key);
    added.set_tls_pin(octets(world_, 32));
    added.set_token_hash(join.token);
    added.set_version_min(controlplane::kOldestVersion);
    added.set_version_max(controlplane::kVersion);
    submit(at, transaction, [](const auto&) {});
  }
  world_.in(50'000, [this] { look_at_join(); });
}

void CoreWorld::remove(NodeId id) {
  const NodeId at = leader();
  if (at == 0 || std::ranges::any_of(nodes_, [](const auto& item) { return item.second->leaving; })) return;
  for (const LogMember& member : node(at).engine->status().members)
    if (member.role == LogRole::kVoter && !node(member.id).up()) return;
  v1::Transaction transaction;
  transaction.mutable_member_removed()->set_id(id);
  world_.note(who(id) + " is to be removed");
  node(id).leaving = true;
  submit(at, transaction, [](const auto&) {});
}

// It is switched off when the log goes on without it; what was not carried out is forgotten.
void CoreWorld::look_at_leaving() {
  const NodeId at = leader();
  if (at == 0) return;
  const controlplane::StateView state = node(at).core->chain().state();
  const std::vector<LogMember> members = node(at).engine->status().members;
  for (auto& [id, one] : nodes_) {
    if (!one->leaving || id == at) continue;
    const auto record = controlplane::member(state, id);
    if (!record || record->removed_height() == 0) continue;
    if (std::ranges::find(members, id, &LogMember::id) != members.end()) continue;
    world_.note(who(id) + " is removed");
    crash(id, true);
    one->leaving = false;
    one->removed = true;
  }
}

// It was away when the leader joined, so it does not know it and cannot hear it.
bool CoreWorld::deaf(const Node& node, NodeId leader) const {
  if (node.core->chain().height() == 0 || node.id == leader) return false;
  return !controlplane::member(node.core->chain().state(), leader).has_value();
}

// --- Clients ---

void CoreWorld::submit(NodeId at, v1::Transaction transaction, controlplane::Submitter::Done done) {
  node(at).core->submitter().submit(std::move(transaction), std::move(done));
}

void CoreWorld::mark(NodeId at) {
  if (!node(at).up()) return;
  const std::string text = who(at) + " mark " + std::to_string(next_mark_++);
  v1::Transaction transaction;
  transaction.mutable_note()->set_text(text);
  submit(at, transaction, [this, text](const auto& outcome) {
    if (outcome) {
      checks_.acknowledged(text, outcome->leaf);
    } else if (options_.bug == Bug::kUnknownIsDone && outcome.error().kind == SubmitError::Kind::kUnknown) {
      checks_.acknowledged(text, 0);
    }
  });
}

void CoreWorld::write(NodeId at) {
  if (!node(at).up()) return;
  const std::string value = who(at) + " value " + std::to_string(next_mark_++);
  v1::Transaction transaction;
  transaction.mutable_config_changed()->set_document(value);
  checks_.history().write_begins(value, checks_.stamp());
  submit(at, transaction, [this, value](const auto& outcome) {
    if (outcome)
      checks_.history().write_done(value, checks_.stamp());
    else if (outcome.error().kind != SubmitError::Kind::kUnknown)
      checks_.history().write_refused(value);
  });
}

void CoreWorld::read(NodeId at) {
  if (!node(at).up()) return;
  node(at).log->read([this, at, begun = checks_.stamp()](std::expected<std::uint64_t, LogFault> done) {
    if (!done || node(at).core->chain().height() == 0) return;
    const auto config =
        controlplane::read<v1::ConfigRecord>(node(at).core->chain().state(), controlplane::keys::kConfig);
    checks_.history().read(config ? config->document() : "", begun, checks_.stamp());
  });
}

void CoreWorld::resolve(NodeId at) {
  Node& one = node(at);
  if (one.removed) return;
  const std::string name = std::to_string(world_.between(0, kNames - 1));
  one.dataplane->resolve(wire_name(world_.chance(100) ? name + ".home.arpa" : name + ".example"),
                         one.reactor->wall_ms(), static_cast<std::int64_t>(world_.between(500, 60'000)));
}

void CoreWorld::roll_back(NodeId at) {
  Node& one = node(at);
  if (!one.up() || one.core->chain().height() < 3) return;
  const std::uint64_t tip = one.core->chain().height();
  const std::uint64_t to = tip - world_.between(1, std::min<std::uint64_t>(tip - 1, 60));
  std::vector<controlplane::ReachedThen> reached = checks_.reached(to);
  // As the node's own state knows them.
  std::erase_if(reached, [&](const controlplane::ReachedThen& then) {
    return !one.core->chain().state().get(controlplane::keys::of(controlplane::keys::kHeads, then.node));
  });
  if (reached.empty()) return;
  v1::Transaction transaction;
  transaction.mutable_fence()->set_to_height(to);
  for (const v1::MutationRange& range : controlplane::dead_ranges(reached, {}))
    *transaction.mutable_fence()->add_dead() = range;
  world_.note(who(at) + " rolls caches back to block " + std::to_string(to));
  submit(at, transaction, [](const auto&) {});
}

// --- Looking on ---

bool CoreWorld::on_message(NodeId from, NodeId to, v1::PeerMessage& message) {
  if (options_.bug == Bug::kCosignsTwice && from == kPlantedIn && message.has_cosign_response() &&
      !message.cosign_response().signature_line().empty()) {
    // Signed once more, for a block that never was.
    v1::PeerMessage other = message;
    const auto note = controlplane::parse_note(message.cosign_response().signature_line());
    auto checkpoint = controlplane::parse_checkpoint(note->text);
    checkpoint->block[0] ^= std::byte{1};
    const std::string text = controlplane::format_checkpoint(*checkpoint);
    controlplane::Note line{
        text, {controlplane::cosign(text, note->signatures[0].name, node(from).keys, 1'760'000'000)}};
    other.mutable_cosign_response()->set_signature_line(controlplane::format_note(line));
    checks_.sent(from, other);
  }
  static_cast<void>(to);
  checks_.sent(from, message);
  return true;
}

void CoreWorld::look_at_caches() {
  for (auto& [id, node] : nodes_) {
    if (!node->up()) continue;
    v1::NodeReport report;
    node->caches->describe(report);
    checks_.cache(id, report.fence_epoch(), *node->dataplane);
  }
  look_at_leaving();
  world_.in(kCacheLookUs, [this] { look_at_caches(); });
}

void CoreWorld::run_for(std::uint64_t us, const std::function<bool()>& done) {
  world_.run_until(world_.now_us() + us, [&] {
    for (auto& [id, node] : nodes_) node->files.quiesce();
    return !broken().empty() || (done && done());
  });
}

// "" = all have come to the same.
std::string CoreWorld::unsettled() const {
  const NodeId first = leader();
  if (first == 0) return "nobody leads";
  const Node& leading = *nodes_.at(first);
  if (leading.core->chain().height() < checks_.height()) return "the leader has not all blocks";
  const std::vector<LogMember> members = leading.engine->status().members;
  for (const NodeId id : live()) {
    const Node& node = *nodes_.at(id);
    if (const auto record = controlplane::member(leading.core->chain().state(), id);
        node.leaving && record && record->removed_height() != 0)
      return who(id) + " is still in the log";
    if (!node.up()) return who(id) + " does not come up";
    if (std::ranges::find(members, id, &LogMember::id) == members.end())
      return who(id) + " is not in the log";
    if (node.core->chain().tip_hash() != leading.core->chain().tip_hash())
      return who(id) + " is at block " + std::to_string(node.core->chain().height()) + ", " + who(first) +
             " at " + std::to_string(leading.core->chain().height());
    if (const std::string trouble = node.engine->status().trouble; !trouble.empty())
      return who(id) + ": " + trouble;
    if (!node.core->submitter().idle()) return who(id) + " has transactions on their way";
    v1::NodeReport report;
    node.caches->describe(report);
    if (report.fence_epoch() != checks_.fences())
      return who(id) + " has carried out fence " + std::to_string(report.fence_epoch()) + " of " +
             std::to_string(checks_.fences());
  }
  for (const LogMember& member : members)
    if (nodes_.at(member.id)->removed) return who(member.id) + " is in the log though removed";
  if (leading.core->cosigner().height() != leading.core->chain().height())
    return "the newest block is not cosigned";
  return {};
}

// An operator's mend for a member that cannot hear the leader: one that it knows leads.
void CoreWorld::hand_over() {
  const NodeId from = leader();
  if (from == 0) return;
  for (const NodeId id : live()) {
    const Node& behind = *nodes_.at(id);
    if (!behind.up() || !deaf(behind, from)) continue;
    for (const LogMember& member : node(from).engine->status().members) {
      if (member.role != LogRole::kVoter || member.id == id || !up(member.id) || deaf(behind, member.id))
        continue;
      world_.note(who(id) + " does not know " + who(from) + ", which hands over to " + who(member.id));
      node(from).engine->transfer(member.id, {});
      return;
    }
  }
}

bool CoreWorld::settle(std::uint64_t seconds) {
  world_.note("everything heals");
  network_.heal();
  network_.options().loss_permille = 0;
  for (auto& [id, node] : nodes_) {
    node->disk.full = node->disk.failing = false;
    node->disk.max_delay_us = 2000;
    node->files.set_full(false);
    node->files.set_failing(false);
    node->reactor->set_skew_ms(0);
    if (node->log_store) node->log_store->resume();
    start(id);
  }
  const std::uint64_t end = world_.now_us() + seconds * 1'000'000;
  std::string why = "not looked";
  unsigned calm = 0;
  unsigned waited = 0;
  while (world_.now_us() < end && broken().empty() && calm < 3) {
    run_for(1'000'000);
    for (const NodeId id : live()) start(id);
    why = unsettled();
    if (++waited % kHandOverSeconds == 0) hand_over();
    calm = why.empty() && !joining_ ? calm + 1 : 0;
  }
  if (calm < 3) {
    for (const auto& [id, node] : nodes_) {
      if (!node->up()) continue;
      const controlplane::LogStatus status = node->engine->status();
      world_.note(who(id) + ": state " + std::to_string(static_cast<int>(status.state)) + " term " +
                  std::to_string(status.term) + " leader " + std::to_string(status.leader) + " last " +
                  std::to_string(status.last_index) + " commit " + std::to_string(status.commit_index) +
                  " applied " + std::to_string(status.applied_index) + " snapshot " +
                  std::to_string(status.snapshot_index) + " trouble '" + status.trouble + "' refused '" +
                  node->engine->last_refusal() + "'");
      for (const std::string& trouble : node->caches->troubles())
        world_.note(who(id) + "'s cache: " + trouble);
    }
  }
  checks_.check(calm == 3, "progress", joining_ && why.empty() ? "nobody lets the new node in" : why);
  if (!broken().empty()) return false;
  for (const NodeId id : live()) checks_.store(id, *nodes_.at(id)->store);
  checks_.finish();
  return broken().empty();
}

}  // namespace swarmdns::sim
