#include "tests/sim/register_history.h"

#include <algorithm>
#include <vector>

namespace swarmdns::sim {

void RegisterHistory::write_begins(const std::string& value, std::uint64_t time) {
  writes_[value].begun = time;
}

void RegisterHistory::write_done(const std::string& value, std::uint64_t time) {
  Write& write = writes_.at(value);
  write.ended = time;
  write.fate = Fate::kDone;
}

void RegisterHistory::write_refused(const std::string& value) {
  writes_.at(value).fate = Fate::kRefused;
}

void RegisterHistory::read(const std::string& value, std::uint64_t begun, std::uint64_t ended) {
  ++reads_;
  const auto at = writes_.find(value);
  if (at == writes_.end()) {
    if (unknown_.empty()) unknown_ = "a read saw \"" + value + "\", which nobody had written";
    return;
  }
  at->second.seen = true;
  at->second.last_begin = std::max(at->second.last_begin, begun);
  at->second.first_end = std::min(at->second.first_end, ended);
}

std::string RegisterHistory::check() const {
  if (!unknown_.empty()) return unknown_;
  // The zone of a value: from the first end to the last beginning of all that has to do with it. Where the
  // end comes first, the register held the value all the while (forward); else it held it at some moment
  // between (backward).
  struct Zone {
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    const std::string* value = nullptr;
  };
  std::vector<Zone> forward;
  std::vector<Zone> backward;
  for (const auto& [value, write] : writes_) {
    if (write.fate == Fate::kRefused) {
      if (write.seen) return "a read saw \"" + value + "\", which was refused";
      continue;
    }
    if (write.fate == Fate::kUnknown && !write.seen) continue;
    if (write.seen && write.first_end < write.begun)
      return "a read saw \"" + value + "\" before it was written";
    const std::uint64_t first_end = std::min(write.ended, write.first_end);
    const std::uint64_t last_begin = std::max(write.begun, write.last_begin);
    if (first_end < last_begin) {
      forward.push_back({first_end, last_begin, &value});
    } else {
      backward.push_back({last_begin, first_end, &value});
    }
  }
  std::ranges::sort(forward, {}, &Zone::from);
  for (std::size_t i = 1; i < forward.size(); ++i) {
    if (forward[i].from < forward[i - 1].to) {
      return "\"" + *forward[i - 1].value + "\" was seen after \"" + *forward[i].value +
             "\", and the other way round";
    }
  }
  for (const Zone& zone : backward) {
    const auto after = std::ranges::upper_bound(forward, zone.from, {}, &Zone::from);
    if (after == forward.begin()) continue;
    const Zone& around = *std::prev(after);
    if (around.from < zone.from && zone.to < around.to)
      return "\"" + *around.value + "\" was still seen after \"" + *zone.value + "\" was written";
  }
  return {};
}

}  // namespace swarmdns::sim
