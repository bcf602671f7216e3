#include "controlplane/swarm/sharing.h"

#include <algorithm>
#include <utility>

namespace swarmdns::controlplane {
namespace {

// The largest answer to a request for segments must fit into half of it.
constexpr std::uint64_t kLeastBurst = 4 << 20;
constexpr std::uint64_t kRequestLifeMs = 5000;
constexpr std::uint32_t kServeBytes = 1 << 20;
constexpr int kServeSegments = 64;

}  // namespace

Sharing::Sharing(Reactor& reactor, PeerLink& link, CachePort& cache, SegmentStore& store, SharePeers& peers,
                 Fences& fences, Options options)
    : reactor_(reactor),
      link_(link),
      cache_(cache),
      store_(store),
      peers_(peers),
      fences_(fences),
      options_(std::move(options)),
      burst_(std::max(options_.bytes_per_second, kLeastBurst)),
      tokens_(burst_),
      mend_timer_(reactor) {}

void Sharing::start() {
  refilled_ms_ = reactor_.now_ms();
  mend_timer_.start(options_.mend_ms, [this] { mend(); });
}

void Sharing::report(NodeId from, const v1::NodeReport& report) {
  peers_.report(from, report, reactor_.now_ms(), reactor_.wall_ms());
  if (peers_.find(from) != nullptr) fences_.elsewhere(from, report.fence_epoch());
}

// --- Sending ---

void Sharing::refill() {
  const std::uint64_t now = reactor_.now_ms();
  const std::uint64_t elapsed = std::min<std::uint64_t>(now - refilled_ms_, 1000);
  refilled_ms_ = now;
  tokens_ = std::min(tokens_ + options_.bytes_per_second * elapsed / 1000, burst_);
}

bool Sharing::take_tokens(std::size_t bytes, std::uint64_t reserve) {
  if (tokens_ < bytes + reserve) return false;
  tokens_ -= bytes;
  return true;
}

void Sharing::cut(const CutSegment& segment) {
  refill();
  const std::vector<NodeId> scope = peers_.scope();
  if (scope.empty()) return;
  const std::size_t bytes = segment.to_share->ByteSizeLong();
  ++turn_;
  for (std::size_t i = 0; i < scope.size(); ++i) {
    const NodeId to = scope[(i + turn_) % scope.size()];
    if (peers_.skewed(to, reactor_.now_ms())) {
      ++stats_.left_out_skewed;
      continue;
    }
    if (link_.queued_bytes(to, Channel::kBulk) + bytes > options_.queued_bytes) {
      ++stats_.left_out_queue;
      continue;
    }
    if (!take_tokens(bytes, 0)) {
      ++stats_.left_out_budget;
      continue;
    }
    v1::PeerMessage message;
    *message.mutable_segment() = *segment.to_share;
    if (!link_.send(to, Channel::kBulk, std::move(message))) {
      tokens_ += bytes;
      ++stats_.left_out_queue;
      continue;
    }
    ++stats_.sent_segments;
    stats_.sent_bytes += bytes;
  }
}

// --- Receiving ---

void Sharing::receive(NodeId from, v1::PeerMessage message) {
  if (!peers_.in_scope(from)) return;
  switch (message.body_case()) {
    case v1::PeerMessage::kSegment:
      enqueue(from, std::move(*message.mutable_segment()), true);
      break;
    case v1::PeerMessage::kSegmentsRequest:
      serve(from, message.request(), message.segments_request());
      break;
    case v1::PeerMessage::kSegmentsResponse: {
      Flow& flow = flows_[from];
      if (message.request() == 0 || message.request() != flow.request) return;
      flow.request = 0;
      v1::SegmentsResponse& response = *message.mutable_segments_response();
      flow.mended_to = std::max(flow.mended_to, response.expired_below());
      for (v1::SegmentBody& body : *response.mutable_segments()) enqueue(from, std::move(body), false);
      break;
    }
    default:
      break;
  }
}

void Sharing::enqueue(NodeId from, v1::SegmentBody body, bool live) {
  Flow& flow = flows_[from];
  const std::size_t bytes = body.ByteSizeLong();
  if (!flow.fork.empty()) return;
  if (flow.incoming_bytes + bytes > options_.incoming_bytes) {
    ++stats_.received_overflow;
    return;
  }
  flow.incoming_bytes += bytes;
  flow.incoming.push_back({std::move(body), bytes, live});
  check_next(from);
}

void Sharing::check_next(NodeId from) {
  Flow& flow = flows_[from];
  const SharePeers::Peer* peer = peers_.find(from);
  if (flow.checking || flow.incoming.empty()) return;
  if (peer == nullptr) {  // removed meanwhile
    flow.incoming.clear();
    flow.incoming_bytes = 0;
    return;
  }
  flow.checking = true;
  const auto incoming = std::make_shared<Incoming>(std::move(flow.incoming.front()));
  flow.incoming.pop_front();
  flow.incoming_bytes -= incoming->bytes;
  const auto result = std::make_shared<Checked>();
  reactor_.offload([&store = store_, zones = options_.private_zones, key = peer->ledger_key, from, incoming,
                    result] { *result = check(incoming->body, from, key, *zones, store); },
                   [this, from, incoming, result, alive = std::weak_ptr(alive_)] {
                     if (alive.expired()) return;
                     flows_[from].checking = false;
                     checked(from, incoming->live, std::move(*result));
                     check_next(from);
                   });
}

Sharing::Checked Sharing::check(const v1::SegmentBody& body, NodeId from, const PublicKey& key,
                                const PrivateZones& zones, SegmentStore& store) {
  Checked result;
  auto sound = check_segment(body, key);
  if (!sound) {
    result.bad = std::move(sound.error());
    return result;
  }
  result.header = std::move(sound->header);
  if (result.header.node() != from) {
    result.bad = "it is another node's";
    return result;
  }
  auto mutations = read_mutations(body, result.header);
  if (!mutations) {
    result.bad = std::move(mutations.error());
    return result;
  }
  auto placed = store.put_received({&body, &result.header, &*mutations}, sound->hash);
  if (!placed) {
    result.failure = std::move(placed.error());
    return result;
  }
  result.placement = std::move(*placed);
  if (result.placement.placed == SegmentStore::Placed::kNew)
    result.entries = shared_entries(std::move(*mutations), from, zones);
  return result;
}

void Sharing::checked(NodeId from, bool live, Checked checked) {
  Flow& flow = flows_[from];
  if (!checked.bad.empty()) {
    ++stats_.received_bad;
    flow.bad =
        "node " + std::to_string(from) + " sent a segment of mutations that is refused: " + checked.bad;
    return;
  }
  store_trouble_ = checked.failure;
  if (!checked.failure.empty()) {
    ++stats_.received_overflow;
    return;
  }
  if (checked.placement.placed == SegmentStore::Placed::kForked) {
    ++stats_.received_bad;
    flow.fork = checked.placement.fork;
    flow.incoming.clear();
    flow.incoming_bytes = 0;
    flow.fresh.clear();
    flow.waiting = 0;
    return;
  }
  flow.highest = std::max(flow.highest, checked.header.number());
  fences_.seen(from, checked.header.fence_epoch(), checked.header.first_mutation());
  fences_.elsewhere(from, checked.header.fence_epoch());
  if (checked.placement.placed == SegmentStore::Placed::kKnown) {
    ++stats_.received_again;
    return;
  }
  ++stats_.received_segments;
  // What was fetched later is history: it may be older than what came meanwhile.
  if (!live) {
    ++stats_.mended_segments;
    return;
  }
  if (checked.entries.empty()) return;
  if (flow.waiting + checked.entries.size() > options_.waiting_entries) {
    stats_.entries_overflow += checked.entries.size();
    return;
  }
  flow.waiting += checked.entries.size();
  flow.fresh.push_back({checked.header.first_ms(), std::move(checked.entries), 0});
  insert_next(from);
}

void Sharing::insert_next(NodeId from) {
  Flow& flow = flows_[from];
  while (!flow.inserting && !flow.fresh.empty() && fences_.may_insert()) {
    Fresh& fresh = flow.fresh.front();
    std::vector<v1::CacheEntry> entries;
    // The age is told anew for each batch: it may have waited.
    const auto age = peers_.age_ms(from, reactor_.now_ms(), reactor_.wall_ms(), fresh.first_ms);
    while (fresh.next < fresh.entries.size() && entries.size() < options_.insert_entries) {
      v1::CacheEntry& entry = fresh.entries[fresh.next++];
      --flow.waiting;
      if (!age) {
        ++stats_.entries_skewed;
      } else if (!fences_.filter().alive(entry.origin().node(), entry.origin().sequence())) {
        ++stats_.entries_fenced;
      } else if (entry.remaining_ms() > static_cast<std::int64_t>(*age)) {
        entries.push_back(std::move(entry));
      }
    }
    if (fresh.next == fresh.entries.size()) flow.fresh.pop_front();
    if (entries.empty()) continue;
    flow.inserting = true;
    cache_.insert(
        std::move(entries), *age,
        [this, from, alive = std::weak_ptr(alive_)](std::expected<CachePort::Inserted, std::string> done) {
          if (alive.expired()) return;
          flows_[from].inserting = false;
          if (done) {
            stats_.entries_accepted += done->accepted;
            stats_.entries_kept_own += done->kept_own;
            stats_.entries_refused += done->refused;
          } else {
            ++stats_.inserts_failed;
          }
          insert_next(from);
        });
  }
}

void Sharing::fences_clear() {
  std::vector<NodeId> waiting;
  for (const auto& [id, flow] : flows_) {
    if (!flow.fresh.empty()) waiting.push_back(id);
  }
  for (const NodeId id : waiting) insert_next(id);
}

// --- Holes in chains ---

void Sharing::mend() {
  mend_timer_.start(options_.mend_ms, [this] { mend(); });
  const std::uint64_t now = reactor_.now_ms();
  for (const NodeId id : peers_.scope()) {
    Flow& flow = flows_[id];
    if (const v1::NodeReport* report = peers_.newest_report(id)) {
      // Its newest segments are on their way still.
      flow.highest =
          std::max(flow.highest, report->segment() - std::min<std::uint64_t>(report->segment(), 64));
    }
    if (flow.request != 0 && now - flow.request_at_ms < kRequestLifeMs) continue;
    if (flow.highest == 0 || !flow.fork.empty() || !link_.connected(id)) continue;
    flow.request = 0;
    const auto missing = std::make_shared<std::uint64_t>(0);
    reactor_.offload(
        [&store = store_, id, missing, from = flow.mended_to, until = flow.highest] {
          // What was before the first segment that came is not fetched: history begins with it.
          const auto oldest = store.oldest(id);
          if (!oldest || *oldest == 0) return;
          const auto first = store.first_missing(id, std::max(from, *oldest), until);
          if (first) *missing = *first;
        },
        [this, id, missing, alive = std::weak_ptr(alive_)] {
          if (!alive.expired() && *missing != 0) ask(id, *missing);
        });
  }
}

void Sharing::ask(NodeId from, std::uint64_t number) {
  Flow& flow = flows_[from];
  flow.mended_to = std::max(flow.mended_to, number);
  if (flow.mended_to >= flow.highest || flow.request != 0) return;
  v1::PeerMessage message;
  message.set_request(next_request_++);
  v1::SegmentsRequest& request = *message.mutable_segments_request();
  request.set_node(from);
  request.set_from(flow.mended_to);
  request.set_max_bytes(options_.mend_bytes);
  flow.request = message.request();
  flow.request_at_ms = reactor_.now_ms();
  if (!link_.send(from, Channel::kBulk, std::move(message))) flow.request = 0;
}

void Sharing::serve(NodeId from, std::uint64_t request, const v1::SegmentsRequest& asked) {
  if (asked.node() != options_.node) return;
  Flow& flow = flows_[from];
  // One at a time; and live segments go first. Who gets no answer asks again.
  if (flow.serving || link_.queued_bytes(from, Channel::kBulk) > options_.queued_bytes / 4) return;
  flow.serving = true;
  const auto response = std::make_shared<v1::SegmentsResponse>();
  reactor_.offload(
      [&store = store_, zones = options_.private_zones, node = asked.node(), number = asked.from(),
       most = std::min(asked.max_bytes(), kServeBytes), response] {
        std::uint64_t at = number;
        if (const auto oldest = store.oldest(node); oldest && *oldest > at) {
          at = *oldest;
          response->set_expired_below(at);
        }
        if (const auto head = store.head(node)) response->set_head(head->number);
        std::size_t bytes = 0;
        for (; response->segments_size() < kServeSegments; ++at) {
          auto body = store.get(node, at);
          if (!body || !*body) break;
          const std::size_t size = (*body)->ByteSizeLong();
          // One goes however large, or it would never go.
          if (bytes != 0 && bytes + size > most) break;
          v1::SegmentHeader header;
          if (!header.ParseFromString((*body)->segment().header())) break;
          const auto mutations = read_mutations(**body, header);
          if (!mutations) break;
          forget_mutations(**body, private_mutations(*mutations, *zones));
          bytes += size;
          *response->add_segments() = std::move(**body);
        }
      },
      [this, from, request, response, alive = std::weak_ptr(alive_)] {
        if (alive.expired()) return;
        flows_[from].serving = false;
        served(from, request, std::move(*response));
      });
}

void Sharing::served(NodeId from, std::uint64_t request, v1::SegmentsResponse response) {
  refill();
  const std::size_t bytes = response.ByteSizeLong();
  // Half of the budget is for what is new.
  if (!take_tokens(bytes, burst_ / 2)) return;
  stats_.served_segments += static_cast<std::uint64_t>(response.segments_size());
  v1::PeerMessage message;
  message.set_request(request);
  *message.mutable_segments_response() = std::move(response);
  link_.send(from, Channel::kBulk, std::move(message));
}

std::vector<std::string> Sharing::troubles() const {
  std::vector<std::string> troubles = peers_.troubles(reactor_.now_ms());
  for (const auto& [id, flow] : flows_) {
    if (!flow.fork.empty()) {
      troubles.push_back(
          "FORK: " + flow.fork + ": node " + std::to_string(id) +
          " lost its store or its key is somebody else's, too; nothing of it is taken until it is removed "
          "from the swarm and joins anew");
    }
    if (!flow.bad.empty()) troubles.push_back(flow.bad);
  }
  if (!store_trouble_.empty()) troubles.push_back(store_trouble_);
  return troubles;
}

}  // namespace swarmdns::controlplane
