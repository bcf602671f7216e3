#include "controlplane/swarm/fences.h"

#include <algorithm>
#include <utility>

namespace swarmdns::controlplane {
namespace {

constexpr std::uint64_t kAgainMs = 250;
constexpr std::uint64_t kProposeAgainMs = 1000;
constexpr std::uint64_t kOpen = UINT64_MAX;

std::uint64_t end_of(const v1::MutationRange& range) {
  return range.last() == 0 ? kOpen : range.last();
}

}  // namespace

std::vector<v1::MutationRange> dead_ranges(std::span<const ReachedThen> reached,
                                           std::span<const v1::MutationRange> besides) {
  std::vector<v1::MutationRange> all(besides.begin(), besides.end());
  for (const ReachedThen& then : reached) {
    v1::MutationRange& range = all.emplace_back();
    range.set_node(then.node);
    range.set_first(then.last_mutation + 1);
    range.set_last(0);
  }
  std::ranges::sort(all, [](const v1::MutationRange& a, const v1::MutationRange& b) {
    return a.node() != b.node() ? a.node() < b.node() : a.first() < b.first();
  });
  std::vector<v1::MutationRange> merged;
  for (v1::MutationRange& range : all) {
    if (!merged.empty() && merged.back().node() == range.node()) {
      v1::MutationRange& before = merged.back();
      if (end_of(before) == kOpen || range.first() <= end_of(before) + 1) {
        if (end_of(range) > end_of(before)) before.set_last(range.last());
        continue;
      }
    }
    merged.push_back(std::move(range));
  }
  return merged;
}

void FenceFilter::add(const v1::Fence& fence) {
  for (const v1::MutationRange& range : fence.dead()) {
    Range mine{fence.epoch(), range.first(), end_of(range), end_of(range) == kOpen};
    close(range.node(), mine);
    ranges_[range.node()].push_back(mine);
  }
}

void FenceFilter::remove(std::uint64_t epoch) {
  for (auto node = ranges_.begin(); node != ranges_.end();) {
    std::erase_if(node->second, [&](const Range& range) { return range.epoch == epoch; });
    node = node->second.empty() ? ranges_.erase(node) : std::next(node);
  }
}

void FenceFilter::close(NodeId node, Range& range) const {
  const auto known = alive_from_.find(node);
  if (!range.open || known == alive_from_.end()) return;
  for (auto at = known->second.lower_bound(range.epoch); at != known->second.end(); ++at)
    range.last = std::min(range.last, std::max(at->second, range.first) - 1);
}

void FenceFilter::alive_from(NodeId node, std::uint64_t epoch, std::uint64_t first) {
  if (epoch == 0 || first == 0) return;
  const auto [at, fresh] = alive_from_[node].try_emplace(epoch, first);
  if (!fresh && at->second <= first) return;
  at->second = first;
  const auto ranges = ranges_.find(node);
  if (ranges == ranges_.end()) return;
  for (Range& range : ranges->second) close(node, range);
}

bool FenceFilter::alive(NodeId node, std::uint64_t mutation) const {
  const auto ranges = ranges_.find(node);
  if (ranges == ranges_.end()) return true;
  return std::ranges::none_of(
      ranges->second, [&](const Range& range) { return mutation >= range.first && mutation <= range.last; });
}

std::vector<DeadRange> FenceFilter::dead(std::uint64_t epoch) const {
  std::vector<DeadRange> dead;
  for (const auto& [node, ranges] : ranges_) {
    for (const Range& range : ranges) {
      if (range.epoch == epoch && range.first <= range.last) dead.push_back({node, range.first, range.last});
    }
  }
  return dead;
}

Fences::Fences(Reactor& reactor, CachePort& cache, NodeId self, std::uint64_t life_ms, Events events)
    : reactor_(reactor),
      cache_(cache),
      self_(self),
      life_ms_(life_ms),
      events_(std::move(events)),
      again_(reactor),
      propose_again_(reactor) {}

void Fences::committed(const v1::Fence& fence, std::uint64_t block_time_ms, const v1::FenceDone* receipt) {
  const bool fresh =
      fences_.try_emplace(fence.epoch(), Known{fence, block_time_ms, receipt != nullptr}).second;
  if (!fresh) return;
  committed_ = std::max(committed_, fence.epoch());
  filter_.add(fence);
  if (receipt != nullptr) filter_.alive_from(self_, fence.epoch(), receipt->last_mutation() + 1);
  was_clear_ = false;
  // Never from within apply(): the port may be asked only later.
  again_.start(0, [this] { advance(); });
}

void Fences::receipt(NodeId node, const v1::FenceDone& receipt) {
  if (node == self_) {
    if (const auto known = fences_.find(receipt.epoch()); known != fences_.end())
      known->second.ordered = true;
    return;
  }
  if (receipt.last_mutation() != 0) filter_.alive_from(node, receipt.epoch(), receipt.last_mutation() + 1);
}

void Fences::seen(NodeId node, std::uint64_t epoch, std::uint64_t first_mutation) {
  if (node != self_) filter_.alive_from(node, epoch, first_mutation);
}

void Fences::elsewhere(NodeId node, std::uint64_t epoch) {
  if (epoch <= elsewhere_) return;
  elsewhere_ = epoch;
  elsewhere_node_ = node;
  if (!may_insert()) was_clear_ = false;
}

void Fences::dataplane_started() {
  ++generation_;
  replay_ = true;
  carried_out_ = 0;
  busy_ = false;
  was_clear_ = false;
  forget_old();
  again_.start(0, [this] { advance(); });
}

bool Fences::may_insert() const {
  return !replay_ && carried_out_ >= std::max(committed_, elsewhere_);
}

std::vector<std::string> Fences::troubles() const {
  std::vector<std::string> troubles;
  if (!problem_.empty()) troubles.push_back("a fence is not carried out yet: " + problem_);
  if (elsewhere_ > committed_) {
    troubles.push_back("node " + std::to_string(elsewhere_node_) + " has carried out fence " +
                       std::to_string(elsewhere_) +
                       ", which this node has not heard of yet: nothing shared is taken until it has");
  }
  return troubles;
}

void Fences::forget_old() {
  const std::uint64_t now = reactor_.wall_ms();
  std::erase_if(fences_, [&](const auto& known) {
    if (!known.second.ordered || known.second.time_ms + life_ms_ > now) return false;
    filter_.remove(known.first);
    return true;
  });
}

void Fences::advance() {
  if (busy_) return;
  if (replay_) {
    // Those of before this data plane at once; what it takes is no news to the ledger.
    std::vector<DeadRange> ranges;
    std::uint64_t newest = 0;
    for (const auto& [epoch, known] : fences_) {
      if (!known.ordered) break;
      const std::vector<DeadRange> dead = filter_.dead(epoch);
      ranges.insert(ranges.end(), dead.begin(), dead.end());
      newest = epoch;
    }
    carry_out(std::move(ranges), newest);
    return;
  }
  const auto next = fences_.upper_bound(carried_out_);
  if (next != fences_.end()) {
    carry_out(filter_.dead(next->first), next->first);
    return;
  }
  carried_out_ = std::max(carried_out_, committed_);  // those that are forgotten, too
  problem_.clear();
  if (!may_insert() || was_clear_) return;
  was_clear_ = true;
  if (events_.clear) events_.clear();
}

void Fences::carry_out(std::vector<DeadRange> ranges, std::uint64_t epoch) {
  busy_ = true;
  const std::uint64_t generation = generation_;
  const auto still = [this, generation, alive = std::weak_ptr(alive_)] {
    return !alive.expired() && generation == generation_;
  };
  auto purged = [this, still, epoch](std::expected<CachePort::Fenced, std::string> fenced) {
    if (!still()) return;
    if (!fenced) return retry(fenced.error());
    // What the data plane numbers from now on is made under the fence.
    cache_.status(
        [this, still, epoch, fenced = *fenced](std::expected<v1::DataplaneStatus, std::string> status) {
          if (!still()) return;
          if (!status) return retry(status.error());
          done(epoch, fenced, status->cache().journal_next());
        });
  };
  if (ranges.empty() && epoch == 0) {
    done(0, {}, 0);
    return;
  }
  cache_.fence(ranges, std::move(purged));
}

void Fences::retry(const std::string& why) {
  busy_ = false;
  problem_ = why;
  again_.start(kAgainMs, [this] { advance(); });
}

void Fences::done(std::uint64_t epoch, const CachePort::Fenced& fenced, std::uint64_t next_mutation) {
  problem_.clear();
  carried_out_ = std::max(carried_out_, epoch);
  const bool replayed = std::exchange(replay_, false);
  const auto known = fences_.find(epoch);
  if (epoch != 0 && events_.carried_out) events_.carried_out(epoch, next_mutation);
  if (!replayed && known != fences_.end() && !known->second.ordered) {
    filter_.alive_from(self_, epoch, next_mutation);
    v1::FenceDone receipt;
    receipt.set_epoch(epoch);
    receipt.set_removed(fenced.removed);
    receipt.set_resolver_flushed(fenced.resolver_flushed);
    if (!fenced.resolver_flushed) receipt.set_problem(fenced.resolver_note);
    receipt.set_last_mutation(next_mutation - std::min<std::uint64_t>(next_mutation, 1));
    if (known->second.fence.readmit() && events_.readmit) {
      // The next fence waits: it must find in the cache what it is to purge.
      events_.readmit(known->second.fence, [this, receipt, generation = generation_,
                                            alive = std::weak_ptr(alive_)](std::uint64_t readmitted) mutable {
        if (alive.expired() || generation != generation_) return;
        receipt.set_readmitted(readmitted);
        finish(std::move(receipt));
      });
      return;
    }
    return finish(std::move(receipt));
  }
  busy_ = false;
  again_.start(0, [this] { advance(); });
}

void Fences::finish(v1::FenceDone receipt) {
  std::erase_if(receipts_, [&](const v1::FenceDone& waiting) { return waiting.epoch() == receipt.epoch(); });
  receipts_.push_back(std::move(receipt));
  send_receipt();
  busy_ = false;
  again_.start(0, [this] { advance(); });
}

void Fences::send_receipt() {
  while (!receipts_.empty()) {
    const auto known = fences_.find(receipts_.front().epoch());
    if (known != fences_.end() && !known->second.ordered) break;
    receipts_.pop_front();
  }
  if (receipts_.empty() || proposing_ || propose_again_.running()) return;
  proposing_ = true;
  const std::uint64_t epoch = receipts_.front().epoch();
  events_.propose(receipts_.front(), [this, epoch, alive = std::weak_ptr(alive_)](bool ordered) {
    if (alive.expired()) return;
    proposing_ = false;
    if (const auto known = fences_.find(epoch); ordered && known != fences_.end())
      known->second.ordered = true;
    if (ordered) return send_receipt();
    propose_again_.start(kProposeAgainMs, [this] { send_receipt(); });
  });
}

}  // namespace swarmdns::controlplane
