// What the cases of bench-cache share: its options, a cache filled with names of the mix, and a reader's pass
// over keys drawn before.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "dataplane/cache/clock.h"
#include "dataplane/cache/writer.h"
#include "dataplane/stats/tsc_clock.h"
#include "tests/bench/report.h"
#include "tests/bench/worker_mix.h"
#include "tests/bench/worker_yardsticks.h"

namespace swarmdns::bench {

inline constexpr std::size_t kBurst = 32;
inline constexpr std::size_t kKeys = 16'384;  // of a pass

struct CacheBenchOptions {
  Runs runs;
  unsigned cpu = 1;         // of lookups
  unsigned writer_cpu = 0;  // of inserts beside them, and of the cache's own threads
  std::uint64_t seed = 20260101;
  std::vector<std::string> cases{"lookup-10k", "lookup-1m", "lookup-10m", "insert", "churn", "memory"};
  bool hugepages = false;
  bool yardsticks = true;
};

// Ends the program.
[[noreturn]] void fail(const std::string& why);
// The calling thread, and those it starts from then on.
void pin(unsigned cpu);

// A cache filled with the first `names` names of the mix. The thread that made it is the writer.
class Filled {
 public:
  Filled(const CacheBenchOptions& options, std::uint64_t names, std::uint64_t budget);

  // What an operator would set who has looked at the cache's figures.
  [[nodiscard]] std::uint32_t mean_entry() const;
  cache::Outcome insert(std::uint64_t index);
  // Inserts names from `next` on until the cache evicts; returns the name behind the last one.
  std::uint64_t fill(std::uint64_t next);
  [[nodiscard]] std::uint64_t evictions() const { return counters_.get(stats::Counter::CacheEvictions); }

  static constexpr cache::InsertOptions kNoJournal{.journal = false};

  const Mix mix_;
  const cache::Clock clock_;
  stats::Block counters_;
  std::unique_ptr<cache::Cache> cache_;
};

// What a pass asks for: uniform over the first `names`.
class Keys {
 public:
  void draw(const Mix& mix, std::uint64_t names, std::mt19937_64& random);
  [[nodiscard]] std::span<const cache::Key> burst(std::size_t first) const {
    return std::span(keys_).subspan(first, kBurst);
  }

 private:
  std::vector<Mix::Name> names_ = std::vector<Mix::Name>(kKeys);
  std::vector<cache::Key> keys_ = std::vector<cache::Key>(kKeys);
};

// Our table, looked up as a worker does it.
class Ours : public Yardstick {
 public:
  explicit Ours(const cache::Reader& reader) : reader_(reader) {}
  void add(std::uint64_t, const cache::Entry&) override {}
  [[nodiscard]] bool wants_hash() const override { return true; }
  void find(std::span<const std::uint64_t> hashes, std::span<const cache::Key> keys,
            std::span<const cache::Entry*> out) override;

 private:
  const cache::Reader& reader_;
};

struct Pass {
  std::uint64_t ticks = 0;
  std::uint64_t found = 0;
};

// Looks up all keys, touches every line of the entries found, and reports a quiescent state after each burst;
// what each burst cost is appended to `bursts`, when given.
Pass pass(Yardstick& table, cache::Reader& reader, const Keys& keys,
          std::vector<std::uint32_t>* bursts = nullptr);

}  // namespace swarmdns::bench
