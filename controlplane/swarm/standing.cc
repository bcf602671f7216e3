#include "controlplane/swarm/standing.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace swarmdns::controlplane {
namespace {

struct Learned {
  const v1::NameMutation* where = nullptr;
  v1::Mutation what;
};

bool is_dead(std::uint64_t node, const v1::Mutation& mutation, std::uint64_t time_ms,
             std::span<const v1::FenceRecord> fences) {
  return std::ranges::any_of(fences, [&](const v1::FenceRecord& fence) {
    if (fence.time_ms() > time_ms || mutation.wall_ms() > fence.time_ms()) return false;
    return std::ranges::any_of(fence.fence().dead(), [&](const v1::MutationRange& range) {
      return range.node() == node && mutation.sequence() >= range.first() &&
             (range.last() == 0 || mutation.sequence() <= range.last());
    });
  });
}

}  // namespace

std::vector<v1::NameMutation> standing_at(std::span<const v1::NameMutation> mutations, std::uint64_t time_ms,
                                          std::span<const v1::FenceRecord> fences) {
  // By node and number; the same told by two peers is one.
  std::map<std::pair<std::uint64_t, std::uint64_t>, Learned> told;
  for (const v1::NameMutation& each : mutations) {
    v1::Mutation read;
    if (!read.ParseFromString(each.mutation()) || read.wall_ms() > time_ms) continue;
    const std::pair place(each.node(), read.sequence());
    told.try_emplace(place, Learned{&each, std::move(read)});
  }
  std::map<std::pair<std::uint64_t, std::string>, const Learned*> held;  // by node and key
  for (const auto& [place, learned] : told) {
    const std::uint64_t node = place.first;
    const std::pair key(node, learned.what.entry().key().SerializeAsString());
    switch (learned.what.kind()) {
      case v1::MUTATION_INSERT:
      case v1::MUTATION_REPLACE:
        held[key] = &learned;
        break;
      case v1::MUTATION_REMOVE:
        held.erase(key);
        break;
      case v1::MUTATION_FLUSH_ZONE:
      case v1::MUTATION_FLUSH_ALL:
        std::erase_if(held, [&](const auto& entry) { return entry.first.first == node; });
        break;
      default:
        break;
    }
  }
  std::vector<v1::NameMutation> standing;
  for (const auto& [key, learned] : held) {
    const std::int64_t left =
        learned->what.entry().remaining_ms() - static_cast<std::int64_t>(time_ms - learned->what.wall_ms());
    if (left > 0 && !is_dead(key.first, learned->what, time_ms, fences)) standing.push_back(*learned->where);
  }
  return standing;
}

}  // namespace swarmdns::controlplane
