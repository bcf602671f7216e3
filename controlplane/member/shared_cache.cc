#include "controlplane/member/shared_cache.h"

#include <algorithm>

#include "controlplane/membership/directory.h"
#include "controlplane/state/apply.h"
#include "controlplane/state/keys.h"

namespace swarmdns::controlplane {
namespace {

// The longest TTL and the longest staleness that a configuration allows.
constexpr std::uint64_t kLifeMs = 14ULL * 86'400'000;
constexpr std::uint64_t kExpireMs = 60'000;
constexpr std::uint64_t kLookAgainMs = 500;

SegmentWriter::Options writer_options(const SharedCache::Options& options,
                                      std::shared_ptr<const PrivateZones> zones) {
  SegmentWriter::Options writer;
  writer.node = options.self;
  writer.key = options.key;
  writer.private_zones = std::move(zones);
  return writer;
}

Sharing::Options sharing_options(const SharedCache::Options& options,
                                 std::shared_ptr<const PrivateZones> zones) {
  Sharing::Options sharing;
  sharing.node = options.self;
  sharing.private_zones = std::move(zones);
  if (options.bytes_per_second != 0) sharing.bytes_per_second = options.bytes_per_second;
  return sharing;
}

WarmUp::Options warm_options(const SharedCache::Options& options, CachePort& cache,
                             std::shared_ptr<const PrivateZones> zones) {
  WarmUp::Options warm;
  warm.load_local = [&cache, names = options.private_zones](WarmUp::Done done) {
    cache.restore(names, std::move(done));
  };
  warm.node = options.self;
  warm.private_zones = std::move(zones);
  return warm;
}

WarmUpServer::Options server_options(const SharedCache::Options& options,
                                     std::shared_ptr<const PrivateZones> zones) {
  WarmUpServer::Options server;
  server.node = options.self;
  server.private_zones = std::move(zones);
  return server;
}

}  // namespace

SharedCache::SharedCache(Reactor& reactor, PeerLink& link, MemberCore& core, CachePort& cache,
                         SegmentStore& store, Options options)
    : reactor_(reactor),
      core_(core),
      cache_(cache),
      store_(store),
      options_(std::move(options)),
      zones_(std::make_shared<PrivateZones>(options_.private_zones)),
      readmission_(reactor, cache, store, peers_, {options_.self, zones_, kLifeMs}),
      fences_(reactor, cache, options_.self, kLifeMs, fence_events()),
      writer_(reactor, cache, store, writer_options(options_, zones_), writer_events()),
      sharing_(reactor, link, cache, store, peers_, fences_, sharing_options(options_, zones_)),
      warm_up_(reactor, link, cache, peers_, fences_, warm_options(options_, cache, zones_),
               [this] {
                 const WarmUp::State& state = warm_up_.state();
                 options_.say(state.cold ? "cache: ready, cold: " + state.why
                                         : "cache: warm, " + std::to_string(state.local + state.from_peer) +
                                               " answers");
               }),
      warm_up_server_(reactor, link, cache, peers_, fences_, server_options(options_, zones_)),
      erasures_(reactor, store, options_.ledger),
      names_(reactor, link, store, zones_),
      expire_(reactor),
      look_(reactor),
      poster_(reactor) {
  core_.chain().subscribe([this](const AppliedBlock& block) { applied(block); });
}

Fences::Events SharedCache::fence_events() {
  Fences::Events events;
  events.propose = [this](v1::FenceDone receipt, std::function<void(bool)> done) {
    v1::Transaction transaction;
    *transaction.mutable_fence_done() = std::move(receipt);
    core_.submitter().submit(std::move(transaction),
                             [done = std::move(done)](const auto& outcome) { done(outcome.has_value()); });
  };
  events.carried_out = [this](std::uint64_t epoch, std::uint64_t next) { writer_.carried_out(epoch, next); };
  events.readmit = [this](const v1::Fence& fence, std::function<void(std::uint64_t)> done) {
    readmission_.begin(fence, fences_.filter(), std::move(done));
  };
  events.clear = [this] {
    sharing_.fences_clear();
    warm_up_.fences_clear();
  };
  return events;
}

SegmentWriter::Events SharedCache::writer_events() {
  SegmentWriter::Events events;
  events.cut = [this](const CutSegment& segment) { sharing_.cut(segment); };
  events.propose = [this](v1::SegmentHead head, std::function<void()> done) {
    v1::Transaction transaction;
    *transaction.mutable_segment_head() = std::move(head);
    core_.submitter().submit(std::move(transaction), [done = std::move(done)](const auto&) { done(); });
  };
  events.dataplane_started = [this] {
    fences_.dataplane_started();
    warm_up_.start();
  };
  return events;
}

void SharedCache::start() {
  begin();
}

void SharedCache::state_replaced() {
  if (!begun_) return begin();
  follow_members();
  take_erasures();
  // No block has said what came with the copy.
  read_fences();
  if (const auto head = read<v1::HeadRecord>(core_.chain().state(), keys::of(keys::kHeads, options_.self)))
    writer_.ordered(head->head());
}

void SharedCache::begin() {
  const StateView state = core_.chain().state();
  if (begun_ || !member(state, options_.self)) return;
  begun_ = true;
  cache_.set_node(options_.self);
  follow_members();
  read_fences();
  const auto head = read<v1::HeadRecord>(state, keys::of(keys::kHeads, options_.self));
  take_erasures();
  erasures_.start();
  writer_.start(head ? head->head() : v1::SegmentHead());
  sharing_.start();
  // What was dead before this run may still be in the data plane.
  fences_.dataplane_started();
  // New in the swarm: what the others know already comes before it says that it is ready.
  if (!head && live_members(state).size() > 1) {
    warm_up_.start();
  } else {
    look_at_dataplane();
  }
  expire();
}

// One that started while there was nobody to warm it, or whose warming somebody did not live to end.
void SharedCache::look_at_dataplane() {
  cache_.status(
      [this, alive = std::weak_ptr(alive_)](const std::expected<v1::DataplaneStatus, std::string>& status) {
        if (alive.expired() || warm_up_.state().phase != WarmUp::Phase::kIdle) return;
        const v1::LifePhase phase = status ? status->readiness().phase() : v1::LIFE_STARTING;
        if (phase == v1::LIFE_STARTING) {
          look_.start(kLookAgainMs, [this] { look_at_dataplane(); });
        } else if (phase == v1::LIFE_WARMING) {
          warm_up_.start();
        } else if (status->snapshot().held() > 0) {
          warm_up_.start(true);
        }
      });
}

// All that the state has; those that are known already do no harm.
void SharedCache::read_fences() {
  const StateView state = core_.chain().state();
  state.scan(keys::kFences, [&](std::string_view, std::string_view value) {
    v1::FenceRecord record;
    if (!record.ParseFromString(std::string(value))) return true;
    const std::uint64_t epoch = record.fence().epoch();
    fence_seen_ = std::max(fence_seen_, epoch);
    const auto own = read<v1::FenceDone>(state, keys::of(keys::kFenceDone, epoch, options_.self));
    fences_.committed(record.fence(), record.time_ms(), own ? &*own : nullptr);
    for (const v1::MemberRecord& other : all_members(state)) {
      if (const auto receipt = read<v1::FenceDone>(state, keys::of(keys::kFenceDone, epoch, other.id()));
          receipt && other.id() != options_.self)
        fences_.receipt(other.id(), *receipt);
    }
    return true;
  });
}

void SharedCache::follow_members() {
  const StateView state = core_.chain().state();
  const auto settings = read<v1::SwarmSettings>(state, keys::kSettings).value_or(with_defaults({}));
  std::string region;
  std::vector<SharePeers::Peer> peers;
  for (const v1::MemberRecord& record : live_members(state)) {
    if (record.id() == options_.self) {
      region = record.region();
      continue;
    }
    const auto key = array_from<std::tuple_size_v<PublicKey>>(record.ledger_key());
    if (key) peers.push_back({record.id(), record.name(), record.region(), *key});
  }
  peers_.set(settings.sharing(), region, std::move(peers));
}

void SharedCache::applied(const AppliedBlock& block) {
  bool others = false;
  bool erased = false;
  for (const AppliedBundle& bundle : block.bundles) {
    for (const JudgedTransaction& judged : bundle.transactions) {
      if (!judged.refusal.empty()) continue;
      const v1::Transaction& content = judged.content;
      others = others || content.has_genesis() || content.has_member_added() ||
               content.has_member_removed() || content.has_member_changed() || content.has_settings_changed();
      erased = erased || content.has_erasure();
      if (begun_) take(content, bundle.node, block.header);
    }
  }
  if (!begun_) {
    // Not from within the engine's call.
    poster_.post([this] { begin(); });
    return;
  }
  if (others) follow_members();
  if (erased) take_erasures();
}

void SharedCache::take(const v1::Transaction& transaction, NodeId maker, const BlockHeader& header) {
  switch (transaction.body_case()) {
    case v1::Transaction::kSegmentHead:
      if (maker == options_.self) writer_.ordered(transaction.segment_head());
      break;
    case v1::Transaction::kFence:
      take_fences(header.time_ms);
      break;
    case v1::Transaction::kFenceDone:
      if (maker != options_.self) fences_.receipt(maker, transaction.fence_done());
      break;
    default:
      break;
  }
}

// As apply() has numbered them: there may be several in one block.
void SharedCache::take_fences(std::uint64_t time_ms) {
  const StateView state = core_.chain().state();
  const auto swarm = read<v1::SwarmRecord>(state, keys::kSwarm);
  while (swarm && fence_seen_ < swarm->fence_epoch()) {
    const auto record = read<v1::FenceRecord>(state, keys::of(keys::kFences, ++fence_seen_));
    if (record) fences_.committed(record->fence(), time_ms, nullptr);
  }
}

void SharedCache::take_erasures() {
  core_.chain().state().scan(keys::kErasures, [&](std::string_view, std::string_view value) {
    v1::ErasureRecord record;
    if (record.ParseFromString(std::string(value))) erasures_.committed(record);
    return true;
  });
}

bool SharedCache::receive(NodeId from, v1::PeerMessage& message) {
  switch (message.body_case()) {
    case v1::PeerMessage::kSegment:
    case v1::PeerMessage::kSegmentsRequest:
    case v1::PeerMessage::kSegmentsResponse:
      sharing_.receive(from, std::move(message));
      return true;
    case v1::PeerMessage::kWarmUpRequest:
      warm_up_server_.receive(from, std::move(message));
      return true;
    case v1::PeerMessage::kWarmUpResponse:
      warm_up_.receive(from, std::move(message));
      return true;
    case v1::PeerMessage::kNameQuery:
      names_.receive(from, message.request(), message.name_query());
      return true;
    case v1::PeerMessage::kNameAnswer:
      names_.receive(from, message.request(), std::move(*message.mutable_name_answer()));
      return true;
    default:
      return false;
  }
}

void SharedCache::report(NodeId from, const v1::NodeReport& report) {
  peers_.report(from, report, reactor_.now_ms(), reactor_.wall_ms());
  sharing_.report(from, report);
}

void SharedCache::describe(v1::NodeReport& report) const {
  report.set_fence_epoch(fences_.epoch());
  report.set_segment(writer_.stats().head);
  report.set_erased_height(erasures_.done_to(core_.chain().height()));
}

std::vector<std::string> SharedCache::troubles() const {
  std::vector<std::string> all = peers_.troubles(reactor_.now_ms());
  for (const std::string& trouble : sharing_.troubles()) all.push_back(trouble);
  for (const std::string& trouble : fences_.troubles()) all.push_back(trouble);
  if (!erasures_.trouble().empty()) all.push_back(erasures_.trouble());
  if (!writer_.trouble().empty()) all.push_back(writer_.trouble());
  return all;
}

void SharedCache::expire() {
  expire_.start(kExpireMs, [this] { expire(); });
  const auto settings =
      read<v1::SwarmSettings>(core_.chain().state(), keys::kSettings).value_or(with_defaults({}));
  const std::uint64_t keep_ms = settings.retain_mutations_s() * 1000;
  const std::uint64_t now = reactor_.wall_ms();
  if (now > keep_ms) {
    reactor_.offload([&store = store_, before = now - keep_ms] { (void)store.expire(before); }, [] {});
  }
}

}  // namespace swarmdns::controlplane
