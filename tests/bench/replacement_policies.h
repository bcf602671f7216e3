// What other caches would hold: the policies that the cache's eviction is measured against, for answers of
// equal size. A name is a number below `names`. One thread; nothing here is built for speed beyond what long
// traces need.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace swarmdns::bench {

using NameNumber = std::uint32_t;

// Names in an order, each at most once.
class NameList {
 public:
  explicit NameList(NameNumber names) : end_(names), links_(names + std::size_t{1}, {kNotIn, kNotIn}) {
    links_[end_] = {end_, end_};
  }

  [[nodiscard]] bool has(NameNumber name) const { return links_[name].newer != kNotIn; }
  [[nodiscard]] std::size_t size() const { return size_; }
  // end() when there is none.
  [[nodiscard]] NameNumber oldest() const { return links_[end_].newer; }
  [[nodiscard]] NameNumber newer(NameNumber than) const { return links_[than].newer; }
  [[nodiscard]] NameNumber end() const { return end_; }

  void add_newest(NameNumber name);
  void remove(NameNumber name);

 private:
  static constexpr NameNumber kNotIn = 0xffff'ffff;
  struct Links {
    NameNumber older;
    NameNumber newer;
  };

  NameNumber end_;  // stands behind the newest and before the oldest
  std::vector<Links> links_;
  std::size_t size_ = 0;
};

// Each: true when the name was held. It is held afterwards, somebody else gone for it if need be. `capacity`:
// at least 1.

class Fifo {
 public:
  Fifo(std::size_t capacity, NameNumber names) : capacity_(capacity), held_(names) {}
  bool ask(NameNumber name);

 private:
  std::size_t capacity_;
  NameList held_;
};

class Lru {
 public:
  Lru(std::size_t capacity, NameNumber names) : capacity_(capacity), held_(names) {}
  bool ask(NameNumber name);

 private:
  std::size_t capacity_;
  NameList held_;
};

// SIEVE as published (Zhang et al., NSDI 2024): a list in the order of insertion, a hand, a mark.
class Sieve {
 public:
  Sieve(std::size_t capacity, NameNumber names)
      : capacity_(capacity), held_(names), marked_(names), hand_(held_.end()) {}
  bool ask(NameNumber name);

 private:
  void evict();

  std::size_t capacity_;
  NameList held_;
  std::vector<bool> marked_;
  NameNumber hand_;  // looked at next; end(): the oldest
};

// The hits such a cache has in a trace, those on the first `skip` not counted.
template <class Policy>
std::uint64_t hits_of(Policy policy, std::span<const NameNumber> trace, std::size_t skip = 0) {
  std::uint64_t hits = 0;
  for (std::size_t i = 0; i < trace.size(); ++i) hits += policy.ask(trace[i]) && i >= skip ? 1U : 0U;
  return hits;
}

// The most hits that any cache can have behind the first `skip`: that of one who knows the trace, evicts what
// is asked for last (Belady's MIN), and does not keep an answer at all when all those held are asked for
// sooner. What it holds when counting begins is what serves it best of what was asked for before.
[[nodiscard]] std::uint64_t optimal_hits(std::span<const NameNumber> trace, std::size_t capacity,
                                         std::size_t skip = 0);

}  // namespace swarmdns::bench
