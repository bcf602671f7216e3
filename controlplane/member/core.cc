#include "controlplane/member/core.h"

#include "controlplane/membership/directory.h"
#include "controlplane/state/apply.h"
#include "controlplane/state/keys.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::uint64_t kWatchMs = 50;
// For one that leaves to hear that it has left.
constexpr std::uint64_t kFarewellMs = 2000;
constexpr std::uint64_t kFoundAgainMs = 1000;

bool changes_members(const v1::Transaction& transaction) {
  return transaction.has_genesis() || transaction.has_member_added() || transaction.has_member_removed() ||
         transaction.has_member_changed();
}

v1::KeptPeers peers_to_keep(const Chain& chain, NodeId self) {
  const StateView state = chain.state();
  v1::KeptPeers kept;
  kept.set_height(chain.height());
  kept.set_block(as_string(chain.tip_hash()));
  for (const v1::MemberRecord& record : live_members(state)) {
    if (record.id() == self) continue;
    v1::JoinMember& known = *kept.add_members();
    known.set_id(record.id());
    known.set_name(record.name());
    known.set_address(record.address());
    known.set_tls_pin(record.tls_pin());
  }
  for (const VerifierKey& key : voters_in(state)) {
    v1::KeptPeers::Voter& voter = *kept.add_voters();
    voter.set_name(key.name);
    voter.set_ledger_key(as_string(key.key));
  }
  return kept;
}

}  // namespace

std::expected<std::unique_ptr<MemberCore>, std::string> MemberCore::open(Parts parts, Options options) {
  std::unique_ptr<MemberCore> core(new MemberCore(parts, std::move(options)));
  auto chain = Chain::open(parts.store);
  if (!chain) return std::unexpected(chain.error());
  core->chain_ = std::move(*chain);
  return core;
}

MemberCore::~MemberCore() = default;

void MemberCore::start(ReplicatedLog& log) {
  log_ = &log;
  Reactor& reactor = parts_.reactor;
  sequencer_ = std::make_unique<Sequencer>(reactor, log, Sequencer::Limits{});
  Submitter::Options submit;
  submit.self = options_.self;
  submit.key = options_.keys.secret_key;
  submitter_ = std::make_unique<Submitter>(reactor, parts_.link, log, *sequencer_, *chain_, submit);
  cosigner_ = std::make_unique<Cosigner>(reactor, parts_.link, *chain_,
                                         Cosigner::Options{options_.self, options_.keys});
  roster_ = std::make_unique<Roster>(reactor, parts_.link, options_.self, [this] { return describe(); });
  keeper_ = std::make_unique<LogKeeper>(reactor, log, *chain_, *submitter_, *roster_, options_.self,
                                        [this](const std::string& text) { options_.say(text); });
  versions_ = std::make_unique<VersionKeeper>(
      reactor, *chain_, *submitter_, *roster_, options_.self, [this] { return leads_; },
      [this](const std::string& text) { options_.say(text); });
  blocks_ = std::make_unique<BlockServer>(reactor, parts_.link, *chain_, *cosigner_);
  Follower::Events follow;
  follow.say = options_.say;
  follow.fetch_state = [this](NodeId from) {
    // One copy at a time; that of the log's leader will do.
    if (log_installs_ || healer_->needed()) return follower_->reopened();
    options_.say("the blocks that come next are not kept (whole) any more: fetching the ledger from node " +
                 std::to_string(from));
    fetch_state(from, {}, [](const auto&) {});
  };
  follower_ = std::make_unique<Follower>(reactor, parts_.link, *chain_, *cosigner_, *roster_, options_.self,
                                         std::move(follow));
  Healer::Events heal;
  heal.say = options_.say;
  heal.fetch = [this](NodeId from, std::uint64_t log_index, Healer::Fetched done) {
    fetch_to_heal(from, log_index, std::move(done));
  };
  healer_ = std::make_unique<Healer>(reactor, *chain_, *roster_, std::move(heal));
  submitter_->send_to([this] { return follower_->following() ? follower_->leader() : 0; });
  fresh_ = std::make_unique<FreshRead>(reactor, parts_.link, log, *chain_, *follower_);
  // Last, so that whoever else listens has heard of the block before.
  chain_->subscribe([this](const AppliedBlock& block) { applied(block); });
  meet_members();
  keep_peers();
  roster_->start();
  versions_->start();
  follower_->start();
  watch_leader();
}

void MemberCore::receive(NodeId from, Channel, v1::PeerMessage message) {
  if (log_ == nullptr) return;
  switch (message.body_case()) {
    case v1::PeerMessage::kRaft:
    case v1::PeerMessage::kReadIndexRequest:
    case v1::PeerMessage::kReadIndexResponse:
      log_->receive(from, std::move(message));
      break;
    case v1::PeerMessage::kForwardRequest: {
      // A member speaks for itself: what others made is not taken from it.
      v1::PeerMessage answer;
      answer.set_request(message.request());
      v1::Bundle bundle = std::move(*message.mutable_forward_request()->mutable_bundle());
      if (bundle.node() != from) {
        answer.mutable_forward_response()->set_verdict(v1::ForwardResponse::REFUSED);
        answer.mutable_forward_response()->set_text("the bundle is another node's");
      } else {
        *answer.mutable_forward_response() = sequencer_->take(std::move(bundle));
      }
      parts_.link.send(from, Channel::kConsensus, std::move(answer));
      break;
    }
    case v1::PeerMessage::kForwardResponse:
      submitter_->answered(message.request(), message.forward_response());
      break;
    // Not while a copy is on its way. Between two tries it does: what it could fetch may wait for its vote.
    case v1::PeerMessage::kCosignRequest:
      if (!healer_->fetching()) cosigner_->receive(from, message.request(), message.cosign_request());
      break;
    case v1::PeerMessage::kCosignResponse:
      cosigner_->receive(from, message.cosign_response());
      break;
    case v1::PeerMessage::kCheckpoint:
      cosigner_->receive(from, message.checkpoint());
      break;
    // What is damaged is given to nobody.
    case v1::PeerMessage::kBlocksRequest:
      if (!healer_->is_damaged()) blocks_->receive(from, message.request(), message.blocks_request());
      break;
    case v1::PeerMessage::kBlocksResponse:
      if (!healer_->needed()) follower_->receive(from, message.blocks_response());
      break;
    case v1::PeerMessage::kHeightRequest:
      fresh_->receive(from, message.request(), message.height_request());
      break;
    case v1::PeerMessage::kHeightResponse:
      fresh_->receive(from, message.request(), message.height_response());
      break;
    case v1::PeerMessage::kReport:
      roster_->receive(from, std::move(*message.mutable_report()));
      break;
    default:
      if (other_) other_(from, std::move(message));
  }
}

v1::NodeReport MemberCore::describe() const {
  v1::NodeReport report = options_.describe();
  report.set_version_min(kOldestVersion);
  report.set_version_max(kVersion);
  report.set_height(chain_->height());
  report.set_log_index(chain_->applied_index());
  if (healer_ && healer_->needed()) report.add_troubles(healer_->trouble());
  // What others say is not said again.
  if (!follower_ || !follower_->following()) report.set_leader(log_->status().leader);
  return report;
}

LogStatus MemberCore::log_status() const {
  LogStatus status = log_->status();
  if (!follower_ || !follower_->following()) return status;
  status.state = LogState::kFollower;
  status.leader = follower_->leader();
  status.members.clear();
  const StateView state = chain_->state();
  const auto log = read<v1::LogMembers>(state, keys::kLogMembers).value_or(v1::LogMembers());
  const auto list = [&](const auto& ids, LogRole role) {
    for (const std::uint64_t id : ids) {
      const auto record = member(state, id);
      status.members.push_back({id, record ? record->address() : "", role});
    }
  };
  list(log.voters(), LogRole::kVoter);
  list(log.standbys(), LogRole::kStandBy);
  return status;
}

std::expected<void, std::string> MemberCore::apply(std::uint64_t index, std::span<const std::byte> entry) {
  // The copy that comes would not have it.
  if (healer_ && healer_->fetching()) return std::unexpected("the ledger is being fetched anew");
  const auto mended = parts_.store.mend();
  if (!mended) return std::unexpected(mended.error());
  if (*mended) {
    if (auto reopened = reopen(); !reopened) return reopened;
    options_.say("the ledger's store was opened again after a write had failed");
  }
  return chain_->apply(index, entry);
}

std::expected<void, std::string> MemberCore::reopen() {
  if (auto reopened = chain_->reopen(); !reopened) return reopened;
  if (options_.state_replaced) options_.state_replaced();
  cosigner_->reopened();
  meet_members();
  return {};
}

void MemberCore::applied(const AppliedBlock& block) {
  bool meet = false;
  bool settings = false;
  bool voters = false;
  for (const AppliedBundle& bundle : block.bundles) {
    for (const JudgedTransaction& judged : bundle.transactions) {
      if (!judged.refusal.empty()) continue;
      meet = meet || changes_members(judged.content);
      if (judged.content.member_removed().left()) see_off(judged.content.member_removed().id());
      settings = settings || judged.content.has_settings_changed() || judged.content.has_genesis();
      voters = voters || judged.content.has_log_members();
    }
  }
  // Not from within the engine.
  if (meet) {
    // A loss of power must not take away who there is: whoever this node does not know it does not hear, and
    // so could never be told. An error shows with the next write.
    static_cast<void>(parts_.store.sync());
    poster_.post([this] {
      meet_members();
      keeper_->look_soon();
    });
  }
  if (meet || voters) poster_.post([this] { keep_peers(); });
  if (settings && options_.settings_changed) {
    if (const auto now = read<v1::SwarmSettings>(chain_->state(), keys::kSettings))
      options_.settings_changed(*now);
  }
}

void MemberCore::see_off(NodeId leaving) {
  const std::uint64_t until = parts_.reactor.now_ms() + kFarewellMs;
  leaving_.insert(leaving);
  if (const auto record = member(chain_->state(), leaving)) keeper_->keep_until(*record, until);
  farewell_.start(kFarewellMs, [this] {
    leaving_.clear();
    meet_members();
    keeper_->look_soon();
  });
}

void MemberCore::meet_members() {
  // Until the ledger here has come to where this node was let in, it knows nothing of those who send it.
  std::vector<PeerAddress> peers = options_.first_peers;
  const StateView state = chain_->state();
  if (const auto own = member(state, options_.self); own && chain_->height() >= options_.first_peers_height) {
    // One that was removed speaks with nobody any more.
    peers.clear();
    if (own->removed_height() == 0) {
      for (const v1::MemberRecord& record : all_members(state)) {
        if (record.id() == options_.self) continue;
        if (record.removed_height() == 0 || leaving_.contains(record.id()))
          peers.push_back({record.id(), record.address(), record.tls_pin()});
      }
    }
  }
  std::vector<NodeId> others;
  for (const PeerAddress& peer : peers) others.push_back(peer.id);
  parts_.link.set_peers(std::move(peers));
  roster_->set_members(std::move(others));
}

void MemberCore::keep_peers() {
  if (!options_.peers_changed || chain_->height() < options_.first_peers_height) return;
  if (member(chain_->state(), options_.self)) options_.peers_changed(peers_to_keep(*chain_, options_.self));
}

void MemberCore::leadership(bool leader, std::uint64_t term) {
  if (leads_ == leader) return;
  leads_ = leader;
  options_.say(leader ? "leads the swarm, term " + std::to_string(term) : "leads the swarm no more");
  poster_.post([this, leader] {
    if (leads_ != leader) return;
    sequencer_->reset();
    cosigner_->set_leader(leader);
    keeper_->set_leader(leader);
    if (leader && chain_->height() == 0 && options_.genesis.has_genesis()) found();
    submitter_->leader_changed();
  });
}

void MemberCore::members(std::uint64_t, const std::vector<LogMember>& members) {
  poster_.post([this, members] { keeper_->members(members); });
}

void MemberCore::found() {
  const v1::Genesis& genesis = options_.genesis.genesis();
  founded_ms_ = parts_.reactor.now_ms();
  v1::Leaf leaf;
  Salt salt{};
  parts_.reactor.random(salt);
  leaf.set_salt(as_string(salt));
  leaf.set_transaction(options_.genesis.SerializeAsString());
  const auto swarm = array_from<std::tuple_size_v<SwarmId>>(genesis.swarm_id());
  if (!swarm) return;  // its maker checks it
  sequencer_->take(
      make_bundle({*swarm, genesis.incarnation(), options_.self, 1}, {leaf}, options_.keys.secret_key));
}

// What is on its way is sent to a new leader as soon as one is known, not when patience has run out.
void MemberCore::watch_leader() {
  const NodeId leader = log_->status().leader;
  if (leader != leader_) {
    leader_ = leader;
    if (leader != 0) submitter_->leader_changed();
  }
  // A genesis that the log did not take has nobody else who asks again.
  if (leads_ && chain_->height() == 0 && options_.genesis.has_genesis() &&
      parts_.reactor.now_ms() - founded_ms_ >= kFoundAgainMs)
    found();
  watch_damage();
  watch_.start(kWatchMs, [this] { watch_leader(); });
}

}  // namespace swarmdns::controlplane
