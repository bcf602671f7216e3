#include "tests/bench/replacement_policies.h"

#include <algorithm>
#include <queue>

namespace swarmdns::bench {

void NameList::add_newest(NameNumber name) {
  const NameNumber newest = links_[end_].older;
  links_[name] = {newest, end_};
  links_[newest].newer = name;
  links_[end_].older = name;
  ++size_;
}

void NameList::remove(NameNumber name) {
  const Links links = links_[name];
  links_[links.older].newer = links.newer;
  links_[links.newer].older = links.older;
  links_[name] = {kNotIn, kNotIn};
  --size_;
}

bool Fifo::ask(NameNumber name) {
  if (held_.has(name)) return true;
  if (held_.size() == capacity_) held_.remove(held_.oldest());
  held_.add_newest(name);
  return false;
}

bool Lru::ask(NameNumber name) {
  const bool hit = held_.has(name);
  if (hit) {
    held_.remove(name);
  } else if (held_.size() == capacity_) {
    held_.remove(held_.oldest());
  }
  held_.add_newest(name);
  return hit;
}

bool Sieve::ask(NameNumber name) {
  if (held_.has(name)) {
    marked_[name] = true;
    return true;
  }
  if (held_.size() == capacity_) evict();
  held_.add_newest(name);
  return false;
}

void Sieve::evict() {
  NameNumber at = hand_ == held_.end() ? held_.oldest() : hand_;
  while (marked_[at]) {
    marked_[at] = false;
    at = held_.newer(at);
    if (at == held_.end()) at = held_.oldest();
  }
  hand_ = held_.newer(at);
  held_.remove(at);
}

std::uint64_t optimal_hits(std::span<const NameNumber> trace, std::size_t capacity, std::size_t skip) {
  using Position = std::uint32_t;
  constexpr Position kNever = 0xffff'ffff;
  if (trace.empty() || skip >= trace.size() || capacity == 0) return 0;

  // When the name at each position behind `skip` is asked for again; and from there on for the first time.
  const std::size_t names = std::size_t{*std::ranges::max_element(trace)} + 1;
  std::vector<Position> again(trace.size(), kNever);
  std::vector<Position> upcoming(names, kNever);
  for (std::size_t i = trace.size(); i > skip; --i) {
    again[i - 1] = upcoming[trace[i - 1]];
    upcoming[trace[i - 1]] = static_cast<Position>(i - 1);
  }

  // Held are names that will be asked for, by when that is. What lies in the past stays at the bottom.
  std::vector<bool> held(names);
  std::vector<Position> uses;
  for (std::size_t i = 0; i < skip; ++i) {
    if (held[trace[i]] || upcoming[trace[i]] == kNever) continue;
    held[trace[i]] = true;
    uses.push_back(upcoming[trace[i]]);
  }
  std::ranges::sort(uses);
  for (std::size_t i = capacity; i < uses.size(); ++i) held[trace[uses[i]]] = false;
  uses.resize(std::min(uses.size(), capacity));
  std::size_t count = uses.size();
  std::priority_queue<Position> by_use(std::less<Position>{}, std::move(uses));

  std::uint64_t hits = 0;
  for (std::size_t i = skip; i < trace.size(); ++i) {
    const NameNumber name = trace[i];
    if (held[name]) {
      ++hits;
      held[name] = false;
      --count;
    }
    if (again[i] == kNever) continue;
    if (count == capacity) {
      if (by_use.top() < again[i]) continue;
      held[trace[by_use.top()]] = false;
      by_use.pop();
      --count;
    }
    held[name] = true;
    ++count;
    by_use.push(again[i]);
  }
  return hits;
}

}  // namespace swarmdns::bench
