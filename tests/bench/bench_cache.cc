// The cache's table by itself: lookups beside cds_lfht and rte_hash, inserts beside readers, memory an entry.
//
// Lookups come in bursts of 32 uniform over all names, and touch every cache line of the entry found, as a
// reply would. Keys are drawn outside the timed part. Each hashes the key by itself (cds_lfht by our hash).
// Cycles are those of the invariant TSC; a figure is the median over repeats of the median over passes.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>

#include "dataplane/cache/clock.h"
#include "dataplane/cache/writer.h"
#include "dataplane/stats/tsc_clock.h"
#include "dataplane/sync/affinity.h"
#include "tests/bench/report.h"
#include "tests/bench/worker_mix.h"
#include "tests/bench/worker_yardsticks.h"

namespace swarmdns::bench {
namespace {

using stats::read_tsc;

constexpr std::size_t kBurst = 32;
constexpr std::size_t kKeys = 16'384;  // of a pass

struct Options {
  Runs runs;
  unsigned cpu = 1;
  unsigned writer_cpu = 0;
  std::uint64_t seed = 20260101;
  std::vector<std::string> cases{"lookup-10k", "lookup-1m", "lookup-10m", "insert", "memory"};
  bool hugepages = false;
  bool yardsticks = true;
};

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "bench-cache: %s\n", why.c_str());
  std::exit(1);
}

void pin(unsigned cpu) {
  const unsigned cpus[] = {cpu};
  if (auto pinned = sync::set_affinity(cpus); !pinned) fail(pinned.error());
}

// A cache filled with the first `names` names of the mix.
class Filled {
 public:
  Filled(const Options& options, std::uint64_t names, std::uint64_t budget) : mix_(options.seed) {
    cache::CacheOptions cache_options;
    cache_options.budget_bytes = budget;
    cache_options.mean_entry_bytes = mean_entry();
    cache_options.hugepages = options.hugepages;
    cache_options.cpus = {options.writer_cpu};
    auto made = cache::Cache::create(cache_options, counters_);
    if (!made) fail(made.error());
    cache_ = std::move(*made);
    for (std::uint64_t i = 0; i < names; ++i) insert(i);
  }

  // What an operator would set who has looked at the cache's figures.
  [[nodiscard]] std::uint32_t mean_entry() const {
    constexpr std::uint64_t kSample = 10'000;
    std::size_t sum = 0;
    for (std::uint64_t i = 0; i < kSample; ++i) sum += mix_.answer(i, clock_.seconds()).size();
    return static_cast<std::uint32_t>(sum / kSample);
  }

  cache::Outcome insert(std::uint64_t index) {
    const auto outcome =
        cache_->insert(mix_.answer(index, clock_.seconds()), clock_.milliseconds(), kNoJournal);
    if (index % 64 == 0) cache_->work(clock_.milliseconds());
    return outcome;
  }

  static constexpr cache::InsertOptions kNoJournal{.journal = false};

  const Mix mix_;
  const cache::Clock clock_;
  stats::Block counters_;
  std::unique_ptr<cache::Cache> cache_;
};

// What a pass asks for.
class Keys {
 public:
  void draw(const Mix& mix, std::uint64_t names, std::mt19937_64& random) {
    for (std::size_t i = 0; i < kKeys; ++i) {
      const std::uint64_t index = random() % names;
      names_[i] = mix.name(index);
      keys_[i] = {names_[i].wire.data(), names_[i].length, mix.key_flags(index), 0, mix.qtype(index)};
    }
  }
  [[nodiscard]] std::span<const cache::Key> burst(std::size_t first) const {
    return std::span(keys_).subspan(first, kBurst);
  }

 private:
  std::vector<Mix::Name> names_ = std::vector<Mix::Name>(kKeys);
  std::vector<cache::Key> keys_ = std::vector<cache::Key>(kKeys);
};

class Ours : public Yardstick {
 public:
  explicit Ours(const cache::Reader& reader) : reader_(reader) {}
  void add(std::uint64_t, const cache::Entry&) override {}
  [[nodiscard]] bool wants_hash() const override { return true; }
  void find(std::span<const std::uint64_t> hashes, std::span<const cache::Key> keys,
            std::span<const cache::Entry*> out) override {
    for (const std::uint64_t hash : hashes) reader_.prefetch_bucket(hash);
    reader_.candidates(hashes, out);
    for (std::size_t i = 0; i < keys.size(); ++i) out[i] = reader_.confirm(hashes[i], keys[i], out[i]);
  }

 private:
  const cache::Reader& reader_;
};

struct Pass {
  std::uint64_t ticks = 0;
  std::uint64_t found = 0;
};

Pass pass(Yardstick& table, cache::Reader& reader, const Keys& keys) {
  std::array<std::uint64_t, kBurst> hashes{};
  std::array<const cache::Entry*, kBurst> found{};
  Pass result;
  unsigned touched = 0;
  const std::uint64_t start = read_tsc();
  for (std::size_t first = 0; first < kKeys; first += kBurst) {
    const auto burst = keys.burst(first);
    if (table.wants_hash()) {
      for (std::size_t i = 0; i < kBurst; ++i) hashes[i] = reader.hash(burst[i]);
    }
    table.find(hashes, burst, found);
    for (const cache::Entry* entry : found) {
      if (entry == nullptr) continue;
      ++result.found;
      const std::size_t size = entry->size();
      for (std::size_t at = 0; at < size; at += 64) touched += std::to_integer<unsigned>(entry->bytes()[at]);
    }
    reader.quiescent();
  }
  result.ticks = read_tsc() - start;
  asm volatile("" : : "r"(touched) : "memory");
  return result;
}

// Cycles a lookup.
double measure(Yardstick& table, cache::Reader& reader, const Mix& mix, std::uint64_t names,
               const Options& options, const stats::TscClock& tsc) {
  std::mt19937_64 random(options.seed + 1);
  Keys keys;
  std::vector<double> passes;
  std::uint64_t timed = 0;
  const std::uint64_t limit = tsc.from_ns(static_cast<std::uint64_t>(options.runs.seconds * 1e9));
  for (bool warm = false; timed < limit || passes.size() < 9; warm = true) {
    keys.draw(mix, names, random);
    const Pass done = pass(table, reader, keys);
    if (done.found != kKeys) fail("a name was not found: the figure would be worth nothing");
    if (!warm) continue;
    passes.push_back(static_cast<double>(done.ticks) / kKeys);
    timed += done.ticks;
  }
  return median(passes);
}

void lookups(const std::string& name, std::uint64_t names, const Options& options, const stats::TscClock& tsc,
             Report& report) {
  Filled filled(options, names, std::max<std::uint64_t>(64U << 20, names * 440));
  if (filled.cache_->stats().entries != names) fail("the cache does not hold all names");
  cache::Reader reader(filled.cache_->table());
  std::vector<double> ours;
  Ours table(reader);
  for (unsigned i = 0; i < options.runs.repeat; ++i) {
    ours.push_back(measure(table, reader, filled.mix_, names, options, tsc));
  }
  Figure figure = Figure::of(name, ours, "cycles/lookup");
  for (const bool cds : {true, false}) {
    if (!options.yardsticks) break;
    const auto yardstick = cds ? make_cds_lfht(names) : make_rte_hash(names);
    if (!yardstick) {
      std::fprintf(stderr, "%s: rte_hash left out, DPDK's memory does not hold it\n", name.c_str());
      continue;
    }
    for (std::uint64_t i = 0; i < names; ++i) {
      const Mix::Name wire = filled.mix_.name(i);
      const cache::Key key{wire.wire.data(), wire.length, filled.mix_.key_flags(i), 0, filled.mix_.qtype(i)};
      const std::uint64_t hash = reader.hash(key);
      yardstick->add(hash, *reader.peek(key));
    }
    std::vector<double> theirs;
    for (unsigned i = 0; i < options.runs.repeat; ++i) {
      theirs.push_back(measure(*yardstick, reader, filled.mix_, names, options, tsc));
    }
    figure.ratio_to.emplace_back(cds ? "cds_lfht" : "rte_hash", median(theirs) / figure.value);
  }
  report.add(std::move(figure));
}

// Inserts a second by the engine on one CPU, names always new in a full cache (so each evicts), while a
// reader on another CPU looks up as fast as it can; and what that does to the reader.
void inserts(const Options& options, const stats::TscClock& tsc, Report& report) {
  constexpr std::uint64_t kNames = 1'000'000;
  Filled filled(options, kNames, 256ULL << 20);
  std::atomic<bool> stop{false};
  std::atomic<bool> writing{false};
  std::vector<double> alone;
  std::vector<double> beside;
  std::thread reader_thread([&] {
    pin(options.cpu);
    cache::Reader reader(filled.cache_->table());
    Ours table(reader);
    std::mt19937_64 random(options.seed + 2);
    Keys keys;
    while (!stop) {
      reader.offline();
      keys.draw(filled.mix_, kNames, random);
      reader.online();
      const bool before = writing;
      const double cycles = static_cast<double>(pass(table, reader, keys).ticks) / kKeys;
      if (before == writing) (before ? beside : alone).push_back(cycles);
    }
    reader.offline();
  });
  pin(options.writer_cpu);
  std::vector<double> rates;
  std::vector<double> dropped;
  std::uint64_t next = kNames;
  constexpr std::size_t kImages = 200'000;
  std::vector<cache::EntryImage> images;
  for (unsigned i = 0; i < options.runs.repeat; ++i) {
    images.clear();
    for (std::size_t n = 0; n < kImages; ++n)
      images.push_back(filled.mix_.answer(next++, filled.clock_.seconds()));
    filled.cache_->work(filled.clock_.milliseconds());
    writing = true;
    std::uint64_t refused = 0;
    const std::uint64_t start = read_tsc();
    for (std::size_t first = 0; first < kImages; first += kBurst) {
      const std::size_t end = std::min(first + kBurst, kImages);
      const std::uint64_t now_ms = filled.clock_.milliseconds();
      for (std::size_t n = first; n < end; ++n) filled.cache_->prefetch(images[n]);
      for (std::size_t n = first; n < end; ++n) {
        if (filled.cache_->insert(images[n], now_ms) == cache::Outcome::NoRoom) ++refused;
      }
      filled.cache_->work(now_ms);
    }
    const double seconds = static_cast<double>(tsc.to_ns(read_tsc() - start)) / 1e9;
    writing = false;
    rates.push_back(static_cast<double>(kImages - refused) / seconds);
    dropped.push_back(1000.0 * static_cast<double>(refused) / kImages);
  }
  stop = true;
  reader_thread.join();
  report.add(Figure::of("insert-beside-reads", rates, "inserts/s"));
  report.add(Figure::of("insert-refused", dropped, "per mille"));
  if (!alone.empty() && !beside.empty()) {
    Figure figure = Figure::of("read-beside-inserts", beside, "cycles/lookup");
    figure.ratio_to.emplace_back("alone", median(alone) / figure.value);
    report.add(std::move(figure));
  }
  pin(options.cpu);
}

// All memory of the cache, less the wire octets of names and sections, by entry, in a cache that is full.
void memory(const Options& options, Report& report) {
  constexpr std::uint64_t kBudget = 2ULL << 30;
  Filled filled(options, 0, kBudget);
  std::uint64_t names = 0;
  while (filled.counters_.get(stats::Counter::CacheEvictions) < 10'000) filled.insert(names++);
  const cache::CacheStats stats = filled.cache_->stats();
  cache::Reader reader(filled.cache_->table());
  std::uint64_t wire = 0;
  for (std::uint64_t i = 0; i < names; ++i) {
    const Mix::Name name = filled.mix_.name(i);
    const cache::Key key{name.wire.data(), name.length, filled.mix_.key_flags(i), 0, filled.mix_.qtype(i)};
    if (const cache::Entry* entry = reader.peek(key); entry != nullptr)
      wire += entry->qname_len + entry->sections_len;
  }
  const double entries = static_cast<double>(stats.entries);
  report.add(Figure::of("memory-entry", {static_cast<double>(stats.entry_bytes) / entries}, "bytes"));
  report.add(Figure::of("memory-entries", {entries}, "entries"));
  report.add(
      Figure::of("memory-load", {100 * entries / static_cast<double>(stats.table_cells)}, "% of cells"));
  report.add(Figure::of("memory-overhead",
                        {(static_cast<double>(kBudget) - static_cast<double>(wire)) / entries},
                        "bytes/entry"));
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app("The cache's table by itself: lookups, inserts beside readers, memory.");
  options.runs.add_to(app);
  app.add_option("--cpu", options.cpu, "CPU of lookups")->capture_default_str();
  app.add_option("--writer-cpu", options.writer_cpu, "CPU of inserts beside them")->capture_default_str();
  app.add_option("--seed", options.seed, "of names, answers and keys")->capture_default_str();
  app.add_option("--case", options.cases, "lookup-10k, lookup-1m, lookup-10m, insert, memory")
      ->capture_default_str()
      ->check(CLI::IsMember({"lookup-10k", "lookup-1m", "lookup-10m", "insert", "memory"}));
  app.add_flag("--hugepages", options.hugepages, "explicit 2 MiB pages for the cache and rte_hash");
  app.add_flag("!--no-yardsticks", options.yardsticks, "ours only");
  CLI11_PARSE(app, argc, argv);

  const auto names_of = [](const std::string& name) -> std::uint64_t {
    return name == "lookup-10k"   ? 10'000
           : name == "lookup-1m"  ? 1'000'000
           : name == "lookup-10m" ? 10'000'000
                                  : 0;
  };
  std::uint64_t most = 0;
  for (const std::string& name : options.cases) most = std::max(most, names_of(name));
  options.cpu = std::min(options.cpu, sync::current_affinity().back());
  if (options.yardsticks && most > 0) start_dpdk_memory("cache", options.cpu, options.hugepages, most);
  pin(options.cpu);

  const auto tsc = stats::TscClock::calibrate();
  Report report("cache");
  for (const std::string& name : options.cases) {
    if (names_of(name) > 0) {
      lookups(name, names_of(name), options, tsc, report);
    } else if (name == "insert") {
      inserts(options, tsc, report);
    } else {
      memory(options, report);
    }
  }
  report.write_json(options.runs.json);
  return 0;
}

}  // namespace
}  // namespace swarmdns::bench

int main(int argc, char** argv) {
  return swarmdns::bench::run(argc, argv);
}
