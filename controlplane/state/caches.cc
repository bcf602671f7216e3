// What is ordered of the caches: heads of the nodes' chains of mutation segments, fences, erasures.
#include "controlplane/state/handlers.h"

namespace swarmdns::controlplane::handlers {
namespace {

constexpr std::size_t kHashBytes = 32;
constexpr int kRangesMost = 100'000;

Applied check_dead(const StateView& state, const v1::Fence& fence) {
  if (fence.dead_size() > kRangesMost) return refused("ranges: more than 100,000");
  for (const v1::MutationRange& range : fence.dead()) {
    if (!state.get(keys::of(keys::kMembers, range.node())))
      return refused("ranges: there never was a member " + std::to_string(range.node()));
    if (range.first() == 0) return refused("ranges: mutations are counted from 1");
    if (range.last() < range.first() && range.last() != 0)
      return refused("ranges: the last is before the first");
  }
  return {};
}

}  // namespace

Applied segment_head(StateView& state, const BlockPlace& place, const v1::SegmentHead& body) {
  // So that the transaction alone, which is what a proof shows, says whose chain it is the head of.
  if (body.node() != place.signer)
    return refused("segment_head.node: " + std::to_string(body.node()) + " is not its maker, " +
                   std::to_string(place.signer));
  if (body.hash().size() != kHashBytes) return refused("segment_head.hash: not of 32 octets");
  const std::string key = keys::of(keys::kHeads, place.signer);
  const auto before = read<v1::HeadRecord>(state, key);
  if (body.segment() == 0 || (before && body.segment() <= before->head().segment()))
    return refused("segment_head.segment: not after the one before");
  if (body.first_mutation() == 0 || body.last_mutation() < body.first_mutation() ||
      (before && body.first_mutation() <= before->head().last_mutation()))
    return refused("segment_head: its mutations are not after those of the one before");
  v1::HeadRecord record;
  *record.mutable_head() = body;
  record.set_height(place.height);
  record.set_time_ms(place.time_ms);
  write(state, key, record);
  return {};
}

Applied fence(StateView& state, const BlockPlace& place, const v1::Transaction& transaction) {
  v1::Fence body = transaction.fence();
  if (body.to_height() == 0 || body.to_height() >= place.height)
    return refused("to_height: " + std::to_string(body.to_height()) + " is not in the past");
  if (body.dead().empty()) return refused("dead: nothing would be purged");
  if (auto good = check_dead(state, body); !good) return good;
  auto swarm = read<v1::SwarmRecord>(state, keys::kSwarm);
  swarm->set_fence_epoch(swarm->fence_epoch() + 1);
  body.set_epoch(swarm->fence_epoch());
  v1::FenceRecord record;
  *record.mutable_fence() = body;
  record.set_height(place.height);
  record.set_time_ms(place.time_ms);
  record.set_principal(transaction.principal());
  record.set_reason(transaction.reason());
  write(state, keys::of(keys::kFences, body.epoch()), record);
  write(state, std::string(keys::kSwarm), *swarm);
  return {};
}

Applied fence_done(StateView& state, const BlockPlace& place, const v1::FenceDone& body) {
  if (!state.get(keys::of(keys::kFences, body.epoch())))
    return refused("epoch: there is no fence " + std::to_string(body.epoch()) + ", or it is forgotten");
  write(state, keys::of(keys::kFenceDone, body.epoch(), place.signer), body);
  return {};
}

Applied erasure(StateView& state, const BlockPlace& place, const v1::Erasure& body) {
  if (body.leaves().empty() && body.places().empty() && body.name_tag().empty())
    return refused("erasure: nothing is named");
  if (!body.name_tag().empty() && body.name_tag().size() != kHashBytes)
    return refused("name_tag: not of 32 octets");
  for (const std::uint64_t leaf : body.leaves()) {
    if (leaf >= place.leaf) return refused("leaves: " + std::to_string(leaf) + " does not exist yet");
  }
  if (body.places_size() > kRangesMost) return refused("places: more than 100,000");
  for (const v1::MutationPlace& at : body.places()) {
    if (!state.get(keys::of(keys::kMembers, at.node())))
      return refused("places: there never was a member " + std::to_string(at.node()));
    if (at.segment() == 0 || at.positions().empty())
      return refused("places: a segment's number and positions in it are needed");
  }
  v1::ErasureRecord record;
  *record.mutable_erasure() = body;
  record.set_height(place.height);
  record.set_time_ms(place.time_ms);
  // Several in one block each have their place.
  write(state, keys::of(keys::kErasures, place.height, place.leaf), record);
  return {};
}

}  // namespace swarmdns::controlplane::handlers

namespace swarmdns::controlplane {
namespace {

constexpr std::uint64_t kDay = 86'400'000;
constexpr int kAtOnce = 16;

// Values of `prefix` whose age is beyond `life`, a few at a time; they come in the order of their age.
template <typename Record>
void forget(StateView& state, std::string_view prefix, std::uint64_t now_ms, std::uint64_t life,
            const std::function<void(std::string_view key)>& also = {}) {
  std::vector<std::string> gone;
  state.scan(prefix, [&](std::string_view key, std::string_view value) {
    Record record;
    if (!record.ParseFromString(std::string(value))) return true;
    if (record.time_ms() + life > now_ms || gone.size() >= kAtOnce) return false;
    gone.emplace_back(key);
    return true;
  });
  for (const std::string& key : gone) {
    if (also) also(key);
    state.erase(key);
  }
}

}  // namespace

void forget_old(StateView& state, std::uint64_t time_ms) {
  // Long enough for an entry of the longest life and staleness to have gone by itself: 7 and 7 days.
  forget<v1::FenceRecord>(state, keys::kFences, time_ms, 15 * kDay, [&](std::string_view key) {
    std::vector<std::string> receipts;
    state.scan(keys::of(keys::kFenceDone, keys::number_at_end(key)), [&](std::string_view receipt, auto) {
      receipts.emplace_back(receipt);
      return true;
    });
    for (std::string& receipt : receipts) state.erase(std::move(receipt));
  });
  // Longer than any mutation is kept.
  forget<v1::ErasureRecord>(state, keys::kErasures, time_ms, 100 * kDay);

  std::vector<std::string> requests;
  state.scan(keys::kRequestTimes, [&](std::string_view key, std::string_view) {
    const std::uint64_t at = keys::number_at_end(key.substr(0, keys::kRequestTimes.size() + 8));
    if (at + kDay > time_ms || requests.size() >= kAtOnce) return false;
    requests.emplace_back(key);
    return true;
  });
  for (std::string& key : requests) {
    state.erase(keys::of(keys::kRequests, std::string_view(key).substr(keys::kRequestTimes.size() + 8)));
    state.erase(std::move(key));
  }
}

}  // namespace swarmdns::controlplane
