// The cache's hit ratio beside what LRU, FIFO, SIEVE and the offline optimum would have with as many entries.
//
// The cache is the real one: looked up by a Reader, which marks what it finds; filled on each miss; upkeep as
// its writer does it, with real grace periods. Only time stands still: nothing expires, for that is no choice
// of the policy. All answers are of one size, so that every policy is about the same number of them: the most
// that ours ever held, to the advantage of the others. The first half of a trace warms up and is not counted;
// the optimum (replacement_policies.h) is that of the second half. Figures follow from the seed alone.

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>

#include "dataplane/cache/cache.h"
#include "dataplane/cache/clock.h"
#include "dataplane/cache/reader.h"
#include "tests/bench/query_traces.h"
#include "tests/bench/replacement_policies.h"
#include "tests/bench/report.h"

namespace swarmdns::bench {
namespace {

struct Options {
  Runs runs;
  std::uint64_t seed = 20260101;
  std::uint32_t names = 500'000;
  std::uint32_t queries = 4'000'000;
  std::string list;
  std::vector<std::string> cases{"zipf-0.8", "zipf-1.0", "zipf-1.0-scan"};
};

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "bench-hit-ratio: %s\n", why.c_str());
  std::exit(1);
}

// A budget and a size of answers by which the cache holds about so many of them.
struct Sizing {
  std::uint64_t budget = 0;
  std::size_t entry = 0;  // of a whole entry, octets

  static Sizing for_entries(std::uint64_t wanted) {
    constexpr std::uint64_t kArenaStep = cache::Arena::kHugePage;
    constexpr std::uint64_t kLeastEntry = 336;  // the longest name, and a record
    constexpr std::uint64_t kMostOverhead = 32;
    Sizing sizing;
    // The least that gives enough pages without answers larger than DNS has them.
    sizing.budget = std::max<std::uint64_t>(8U << 20, wanted * (kLeastEntry + kMostOverhead));
    sizing.budget = (sizing.budget + kArenaStep - 1) / kArenaStep * kArenaStep;
    // Less the table, what lies aside of the arena, and the free pages that are kept.
    const std::uint64_t table = wanted * 8;
    const std::uint64_t for_pages = sizing.budget - sizing.budget / 50 - table - kArenaStep;
    const std::uint64_t slots = std::max<std::uint64_t>(1, wanted * cache::kPageSize / for_pages + 1);
    sizing.entry = (cache::kPageSize / slots - cache::kSlotRecord) & ~std::size_t{7};
    return sizing;
  }
};

// One record of a private type that fills the entry up to `size`.
cache::EntryImage answer_of(const cache::Key& key, std::size_t size, cache::Seconds now) {
  const std::size_t name = (std::size_t{key.qname_len} + 1) & ~std::size_t{1};
  const std::size_t length = size - sizeof(cache::Entry) - name - sizeof(std::uint16_t);
  constexpr std::uint16_t kTtlAt = 6;
  std::vector<std::byte> sections(length);
  const std::size_t rdata = length - 12;
  constexpr std::array<unsigned, 10> kHead{0xc0, 12, 0xff, 0, 0, 1, 0, 1, 0x51, 0x80};
  for (std::size_t i = 0; i < kHead.size(); ++i) sections[i] = static_cast<std::byte>(kHead[i]);
  sections[10] = static_cast<std::byte>(rdata >> 8);
  sections[11] = static_cast<std::byte>(rdata & 0xff);
  cache::EntryContent content;
  content.key = key;
  content.answers = 1;
  content.born = now;
  content.expires = now + 86'400;
  content.sections = sections;
  auto image = cache::EntryImage::build_rendered(content, std::array{kTtlAt}, 0);
  if (!image) fail("an answer is refused: " + cache::to_text(image.error()));
  return *image;
}

struct Held {
  std::uint64_t hits = 0;
  std::uint64_t most = 0;  // entries at once
};

Held ask_ours(const Trace& trace, std::size_t skip, const Sizing& sizing, std::uint64_t seed) {
  constexpr std::uint64_t kNow = std::uint64_t{cache::Clock::kStart} * 1000;
  constexpr std::size_t kBurst = 32;  // inserts between two rounds of upkeep
  cache::CacheOptions options;
  options.budget_bytes = sizing.budget;
  options.hugepages = false;
  options.mean_entry_bytes = static_cast<std::uint32_t>(std::min<std::size_t>(sizing.entry, 4096));
  options.hash_key = cache::HashKey::from_seed(seed);
  stats::Block counters;
  auto made = cache::Cache::create(options, counters);
  if (!made) fail(made.error());
  cache::Cache& cache = **made;
  cache::Reader reader(cache.table());
  reader.offline();
  // Inserts come far faster here than answers do; so what an insert takes out has its grace period at once.
  const auto upkeep = [&cache] {
    while (cache.work(kNow) || !cache.grace_periods_over()) std::this_thread::yield();
  };
  Held held;
  std::size_t inserted = 0;
  for (std::size_t i = 0; i < trace.asked.size(); ++i) {
    const cache::Key key = trace.key(trace.asked[i]);
    reader.online();
    const bool hit = reader.find(key) != nullptr;
    reader.offline();
    held.hits += hit && i >= skip ? 1U : 0U;
    if (hit) continue;
    const auto image = answer_of(key, sizing.entry, cache::Clock::kStart);
    while (cache.insert(image, kNow, {.journal = false}) == cache::Outcome::NoRoom) upkeep();
    if (++inserted % kBurst == 0) upkeep();
    held.most = std::max(held.most, cache.stats().entries);
  }
  if (counters.get(stats::Counter::CacheEvictions) == 0) fail(trace.name + ": nothing was ever evicted");
  return held;
}

double percent(std::uint64_t part, std::size_t whole) {
  return 100 * static_cast<double>(part) / static_cast<double>(whole);
}

class Measured {
 public:
  explicit Measured(std::string name) : name_(std::move(name)) {}

  void add(const Trace& trace, unsigned share, std::uint64_t seed) {
    const std::size_t skip = trace.asked.size() / 2;
    const std::size_t counted = trace.asked.size() - skip;
    const auto sizing =
        Sizing::for_entries(std::max<std::uint64_t>(16, std::uint64_t{trace.distinct} * share / 100));
    const Held held = ask_ours(trace, skip, sizing, seed);
    const NameNumber names = trace.names();
    held_.push_back(static_cast<double>(held.most));
    ours_.push_back(percent(held.hits, counted));
    lru_.push_back(percent(hits_of(Lru(held.most, names), trace.asked, skip), counted));
    fifo_.push_back(percent(hits_of(Fifo(held.most, names), trace.asked, skip), counted));
    sieve_.push_back(percent(hits_of(Sieve(held.most, names), trace.asked, skip), counted));
    optimum_.push_back(percent(optimal_hits(trace.asked, held.most, skip), counted));
  }

  void report(Report& report) const {
    Figure figure = Figure::of(name_, ours_, "% hits");
    figure.ratio_to = {{"lru", median(ours_) / median(lru_)},
                       {"fifo", median(ours_) / median(fifo_)},
                       {"sieve", median(ours_) / median(sieve_)},
                       {"optimum", median(ours_) / median(optimum_)}};
    report.add(std::move(figure));
    report.add(Figure::of(name_ + "-held", held_, "entries"));
  }

 private:
  std::string name_;
  std::vector<double> held_;
  std::vector<double> ours_;
  std::vector<double> lru_;
  std::vector<double> fifo_;
  std::vector<double> sieve_;
  std::vector<double> optimum_;
};

// What no size of cache can better: hits when nothing is ever forgotten.
double all_held(const Trace& trace) {
  const std::size_t skip = trace.asked.size() / 2;
  return percent(optimal_hits(trace.asked, trace.asked.size(), skip), trace.asked.size() - skip);
}

// Queries for what is asked for this one time: no cache helps there.
double asked_once(const Trace& trace) {
  std::vector<std::uint32_t> times(trace.names());
  for (const NameNumber name : trace.asked) ++times[name];
  return percent(static_cast<std::uint64_t>(std::ranges::count(times, 1U)), trace.asked.size());
}

Trace make_trace(const std::string& name, const Options& options, std::uint64_t seed) {
  if (name == "list") {
    auto trace = list_trace(options.list);
    if (!trace) fail(trace.error());
    if (trace->asked.size() < 1000) fail(options.list + ": fewer than 1,000 questions say nothing");
    return std::move(*trace);
  }
  return zipf_trace({.name = name,
                     .names = options.names,
                     .queries = options.queries,
                     .exponent = name == "zipf-0.8" ? 0.8 : 1.0,
                     .scan = name == "zipf-1.0-scan" ? 0.3 : 0.0},
                    seed);
}

void measure(const std::string& name, const Options& options, Report& report) {
  constexpr std::array<unsigned, 3> kShares{5, 10, 25};
  std::vector<double> once;
  std::vector<double> bound;
  std::vector<Measured> sizes;
  for (const unsigned share : kShares) sizes.emplace_back(name + "-" + std::to_string(share) + "%");
  for (unsigned i = 0; i < options.runs.repeat; ++i) {
    const Trace trace = make_trace(name, options, options.seed + i);
    once.push_back(asked_once(trace));
    bound.push_back(all_held(trace));
    for (std::size_t s = 0; s < sizes.size(); ++s) sizes[s].add(trace, kShares[s], options.seed + i);
  }
  report.add(Figure::of(name + "-asked-once", once, "% queries"));
  report.add(Figure::of(name + "-all-held", bound, "% hits"));
  for (const Measured& size : sizes) size.report(report);
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app("The cache's hit ratio beside LRU, FIFO, SIEVE and the offline optimum.");
  options.runs.add_to(app);
  app.get_option("--seconds")->description("as for the other benches; a trace takes the time it takes");
  app.add_option("--seed", options.seed, "of the traces and of the cache's hash; one more with each repeat")
      ->capture_default_str();
  app.add_option("--names", options.names, "names that Zipf loads draw from")
      ->capture_default_str()
      ->check(CLI::Range(10'000, 10'000'000));
  app.add_option("--queries", options.queries, "length of their traces")
      ->capture_default_str()
      ->check(CLI::Range(100'000, 1'000'000'000));
  app.add_option("--list", options.list, "a list of real queries, \"name type\" a line, gzipped or not")
      ->check(CLI::ExistingFile);
  app.add_option(
         "--case", options.cases,
         "zipf-0.8, zipf-1.0, zipf-1.0-scan (with 30 % of names that come once); the list is one, too")
      ->capture_default_str()
      ->check(CLI::IsMember({"zipf-0.8", "zipf-1.0", "zipf-1.0-scan"}));
  CLI11_PARSE(app, argc, argv);
  if (!options.list.empty()) options.cases.emplace_back("list");

  Report report("hit-ratio");
  for (const std::string& name : options.cases) measure(name, options, report);
  report.write_json(options.runs.json);
  return 0;
}

}  // namespace
}  // namespace swarmdns::bench

int main(int argc, char** argv) {
  return swarmdns::bench::run(argc, argv);
}
