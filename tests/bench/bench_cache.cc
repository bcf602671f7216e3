// The cache's table by itself: lookups beside cds_lfht and rte_hash, inserts beside readers, memory an entry.
//
// Lookups come in bursts of 32 uniform over all names, and touch every cache line of the entry found, as a
// reply would. Keys are drawn outside the timed part. Each hashes the key by itself (cds_lfht by our hash).
// Cycles are those of the invariant TSC; a figure is the median over repeats of the median over passes.

#include <algorithm>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "dataplane/stats/tsc_clock.h"
#include "dataplane/sync/affinity.h"
#include "tests/bench/cache_beside.h"
#include "tests/bench/cache_fixture.h"
#include "tests/bench/report.h"
#include "tests/bench/worker_mix.h"
#include "tests/bench/worker_yardsticks.h"

namespace swarmdns::bench {
namespace {

// Cycles a lookup.
double measure(Yardstick& table, cache::Reader& reader, const Mix& mix, std::uint64_t names,
               const CacheBenchOptions& options, const stats::TscClock& tsc) {
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

void lookups(const std::string& name, std::uint64_t names, const CacheBenchOptions& options,
             const stats::TscClock& tsc, Report& report) {
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

// All memory of the cache, less the wire octets of names and sections, by entry, in a cache that is full of
// more than ten million names.
void memory(const CacheBenchOptions& options, Report& report) {
  constexpr std::uint64_t kBudget = 2ULL << 30;
  Filled filled(options, 0, kBudget);
  const std::uint64_t names = filled.fill(0);
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
  if (entries < 1e7) fail("memory: fewer than ten million entries");
  report.add(Figure::of("memory-entry", {static_cast<double>(stats.entry_bytes) / entries}, "bytes"));
  report.add(Figure::of("memory-entries", {entries}, "entries"));
  report.add(
      Figure::of("memory-load", {100 * entries / static_cast<double>(stats.table_cells)}, "% of cells"));
  report.add(Figure::of("memory-used",
                        {100 * static_cast<double>(stats.used_bytes) / static_cast<double>(kBudget)},
                        "% of the budget"));
  report.add(Figure::of("memory-overhead",
                        {(static_cast<double>(kBudget) - static_cast<double>(wire)) / entries},
                        "bytes/entry"));
}

int run(int argc, char** argv) {
  CacheBenchOptions options;
  CLI::App app("The cache's table by itself: lookups, inserts beside readers, memory.");
  options.runs.add_to(app);
  app.add_option("--cpu", options.cpu, "CPU of lookups")->capture_default_str();
  app.add_option("--writer-cpu", options.writer_cpu, "CPU of inserts beside them")->capture_default_str();
  app.add_option("--seed", options.seed, "of names, answers and keys")->capture_default_str();
  app.add_option("--case", options.cases, "lookup-10k, lookup-1m, lookup-10m, insert, churn, memory")
      ->capture_default_str()
      ->check(CLI::IsMember({"lookup-10k", "lookup-1m", "lookup-10m", "insert", "churn", "memory"}));
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
    } else if (name == "churn") {
      churn(options, tsc, report);
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
