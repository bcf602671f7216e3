// What a cache hit costs a worker: the whole pipeline on frames in memory, without a NIC.
//
// Frames rotate through 16,384 buffers laid out like mbufs; queries are written into them, for names drawn
// anew, outside the timed part. Guards, counters and histogram are on. The yardsticks replace the table
// alone, in the same pipeline, and hold the same keys and answers. Cycles are those of the invariant TSC.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "dataplane/stats/histogram.h"
#include "dataplane/stats/tsc_clock.h"
#include "dataplane/sync/affinity.h"
#include "dataplane/volley/distribution.h"
#include "dataplane/worker/stages.h"
#include "tests/bench/frames.h"
#include "tests/bench/mix_policy.h"
#include "tests/bench/report.h"
#include "tests/bench/worker_mix.h"
#include "tests/bench/worker_yardsticks.h"

namespace swarmdns::bench {
namespace {

using stats::read_tsc;

struct Options {
  Runs runs;
  unsigned burst = 32;
  std::size_t frames = 16'384;
  unsigned cpu = 1;
  std::uint64_t seed = 20260101;
  std::vector<std::string> cases{"hit-10k", "hit-1m", "hit-10m", "hit-10m-zipf"};
  bool hugepages = false;
  bool yardsticks = true;
  bool stages = false;
};

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "bench-worker: %s\n", why.c_str());
  std::exit(1);
}

class Bench {
 public:
  Bench(const Options& options, std::uint64_t names, bool zipf)
      : options_(options), names_(names), mix_(options.seed), tsc_(stats::TscClock::calibrate()) {
    build_cache();
    if (zipf) zipf_.emplace(volley::Order::Zipf, static_cast<std::uint32_t>(names), 1.0, options.seed);
  }

  [[nodiscard]] const stats::TscClock& tsc() const { return tsc_; }
  [[nodiscard]] cache::CacheStats cache_stats() const { return cache_->stats(); }

  // Cycles a query: the median of the passes over all frames, so that a pass in which the machine did
  // something else does not count. `yardstick` null: our own table.
  double measure(Yardstick* yardstick) {
    std::mt19937_64 random(options_.seed + 1);  // the same queries for everyone
    std::vector<std::uint64_t> passes;
    const std::uint64_t hits_before = counters_.get(stats::Counter::CacheHits);
    pass(yardstick, random);  // warms up
    std::uint64_t timed = 0;
    const std::uint64_t limit = tsc_.from_ns(static_cast<std::uint64_t>(options_.runs.seconds * 1e9));
    while (timed < limit || passes.size() < 9) {
      passes.push_back(pass(yardstick, random));
      timed += passes.back();
    }
    const std::uint64_t hits = counters_.get(stats::Counter::CacheHits) - hits_before;
    if (hits != (passes.size() + 1) * options_.frames ||
        counters_.get(stats::Counter::Replies) != counters_.get(stats::Counter::CacheHits)) {
      for (std::size_t c = 0; c < stats::kCounters; ++c) {
        const auto counter = static_cast<stats::Counter>(c);
        if (counters_.get(counter) != 0)
          std::fprintf(stderr, "%s %llu\n", std::string(stats::name(counter)).c_str(),
                       static_cast<unsigned long long>(counters_.get(counter)));
      }
      fail("some queries were not answered from the cache: the figure would be worth nothing");
    }
    std::ranges::nth_element(passes, passes.begin() + static_cast<std::ptrdiff_t>(passes.size() / 2));
    return static_cast<double>(passes[passes.size() / 2]) / static_cast<double>(options_.frames);
  }

  void fill(Yardstick& yardstick) {
    for (std::uint64_t i = 0; i < names_; ++i) {
      const Mix::Name name = mix_.name(i);
      const cache::Key key{name.wire.data(), name.length, mix_.key_flags(i), 0, mix_.qtype(i)};
      const std::uint64_t hash = reader_->hash(key);
      const cache::Entry* entry = reader_->find(hash, key);
      if (entry == nullptr) fail("the cache has lost a name");
      yardstick.add(hash, *entry);
    }
  }

  // Cycles a query of each stage, each timed by itself.
  std::vector<std::pair<const char*, double>> stages() {
    std::vector<std::pair<const char*, double>> result = {{"headers", 0}, {"question", 0}, {"guard", 0},
                                                          {"lookup", 0},  {"miss", 0},     {"reply", 0}};
    std::mt19937_64 random(options_.seed + 2);
    constexpr int kPasses = 24;
    void (*const functions[])(worker::Batch&, const worker::Context&) noexcept = {
        worker::headers_stage, worker::question_stage, worker::guard_stage,
        worker::lookup_stage,  worker::miss_stage,     worker::reply_stage};
    for (int p = 0; p < kPasses; ++p) {
      write_queries(random);
      for (std::size_t first = 0; first + options_.burst <= options_.frames; first += options_.burst) {
        frames_.fill(*batch_, first, options_.burst);
        const worker::Context context = this->context();
        std::uint64_t before = read_tsc();
        for (std::size_t s = 0; s < result.size(); ++s) {
          functions[s](*batch_, context);
          const std::uint64_t now = read_tsc();
          result[s].second += static_cast<double>(now - before);
          before = now;
        }
      }
    }
    for (auto& [name, cycles] : result) cycles /= static_cast<double>(kPasses * options_.frames);
    return result;
  }

 private:
  void build_cache() {
    cache::CacheOptions options;
    options.budget_bytes = std::max<std::uint64_t>(64U << 20, names_ * 440);
    options.mean_entry_bytes = 280;
    options.hugepages = options_.hugepages;
    auto made = cache::Cache::create(options, writer_counters_);
    if (!made) fail(made.error());
    cache_ = std::move(*made);
    const std::uint64_t now_ms = clock_.milliseconds();
    cache::InsertOptions insert;
    insert.journal = false;
    for (std::uint64_t i = 0; i < names_; ++i) {
      const cache::Outcome outcome = cache_->insert(mix_.answer(i, clock_.seconds()), now_ms, insert);
      if (outcome != cache::Outcome::Inserted) fail("the cache did not take name " + std::to_string(i));
      if (i % 1024 == 0) cache_->work(now_ms);
    }
    if (cache_->stats().entries != names_) fail("the cache does not hold all names");
    reader_ = std::make_unique<cache::Reader>(cache_->table());
  }

  [[nodiscard]] worker::Context context() {
    return {.policy = policy_,
            .identity = *policy_.ports[0],
            .reader = *reader_,
            .misses = channel_,
            .counters = counters_,
            .moment = moment_,
            .port = 0};
  }

  // A query for a name drawn from all of them into each buffer.
  void write_queries(std::mt19937_64& random) {
    frames_.write([&](std::byte* frame) { return mix_.query(draw(random), random(), frame); });
  }

  // A name. With Zipf(1.0) the popular ones lie as far apart in memory as any others.
  std::uint64_t draw(std::mt19937_64& random) {
    if (!zipf_) return random() % names_;
    constexpr std::uint64_t kApart = 7'368'787;  // prime, and no divisor of the numbers of names
    return zipf_->next() * kApart % names_;
  }

  // All frames once. Ticks of the timed part: from the burst's receipt to the list of what is sent.
  std::uint64_t pass(Yardstick* yardstick, std::mt19937_64& random) {
    write_queries(random);
    moment_ = {.now = clock_.seconds(),
               .wall_s = 1'800'000'000,
               .ms = static_cast<std::uint32_t>(clock_.milliseconds())};
    const std::uint64_t start = read_tsc();
    for (std::size_t first = 0; first + options_.burst <= options_.frames; first += options_.burst) {
      frames_.fill(*batch_, first, options_.burst);
      batch_->rx_tsc = read_tsc();
      if (yardstick == nullptr) {
        worker::run_stages(*batch_, context());
      } else {
        run_with(*yardstick);
      }
      send();
    }
    const std::uint64_t ticks = read_tsc() - start;
    reader_->quiescent();
    return ticks;
  }

  void run_with(Yardstick& yardstick) {
    const worker::Context context = this->context();
    headers_stage(*batch_, context);
    question_stage(*batch_, context);
    guard_stage(*batch_, context);
    worker::Lookups lookups;
    gather_lookups(*batch_, context, lookups);
    std::array<std::uint64_t, worker::kMaxBurst> hashes;
    std::array<cache::Key, worker::kMaxBurst> keys;
    std::size_t n = 0;
    for (const std::size_t i : lookups.places) {
      keys[n] = batch_->queries[i].key();
      hashes[n] = yardstick.wants_hash() ? reader_->hash_padded(keys[n]) : 0;
      ++n;
    }
    yardstick.find({hashes.data(), n}, {keys.data(), n}, {lookups.found.data(), n});
    settle_lookups(*batch_, context, lookups);
    miss_stage(*batch_, context);
    reply_stage(*batch_, context);
  }

  // What a transmit queue is given, and the counting that goes with it.
  void send() {
    std::size_t count = 0;
    for (std::size_t i = 0; i < batch_->count; ++i) {
      if (batch_->fates[i] != worker::Fate::Reply) continue;
      outgoing_[count++] = {batch_->frames[i].data, batch_->reply_lengths[i]};
    }
    counters_.add(stats::Counter::TxFrames, count);
    if (batch_->hits != 0) hits_.add(tsc_.to_ns(read_tsc() - batch_->rx_tsc), batch_->hits);
    asm volatile("" : : "r"(outgoing_.data()) : "memory");
  }

  const Options& options_;
  const std::uint64_t names_;
  const Mix mix_;
  const stats::TscClock tsc_;
  const cache::Clock clock_;
  stats::Block writer_counters_;
  stats::Block counters_;
  stats::Histogram hits_;
  const worker::Policy policy_ = mix_policy();
  worker::Moment moment_;
  std::optional<volley::Distribution> zipf_;
  miss::Channel channel_{16};
  std::unique_ptr<cache::Cache> cache_;
  std::unique_ptr<cache::Reader> reader_;
  const std::unique_ptr<worker::Batch> batch_ = std::make_unique<worker::Batch>();
  Frames frames_{options_.frames};
  std::array<std::pair<std::byte*, std::uint16_t>, worker::kMaxBurst> outgoing_;
};

void run_case(const std::string& name, std::uint64_t names, const Options& options, Report& report) {
  std::fprintf(stderr, "%s: filling the cache with %llu names\n", name.c_str(),
               static_cast<unsigned long long>(names));
  Bench bench(options, names, name.ends_with("-zipf"));
  std::vector<double> cycles;
  for (unsigned i = 0; i < options.runs.repeat; ++i) cycles.push_back(bench.measure(nullptr));
  Figure ours = Figure::of(name, cycles, "cycles/query");
  for (const bool cds : {true, false}) {
    if (!options.yardsticks) break;
    const char* yardstick_name = cds ? "cds_lfht" : "rte_hash";
    std::fprintf(stderr, "%s: filling %s\n", name.c_str(), yardstick_name);
    const auto yardstick = cds ? make_cds_lfht(names) : make_rte_hash(names);
    if (!yardstick) {
      std::fprintf(stderr, "%s: left out, DPDK's memory does not hold it\n", yardstick_name);
      continue;
    }
    bench.fill(*yardstick);
    std::vector<double> theirs;
    for (unsigned i = 0; i < options.runs.repeat; ++i) theirs.push_back(bench.measure(yardstick.get()));
    ours.ratio_to.emplace_back(yardstick_name, median(theirs) / ours.value);
  }
  const double ns = ours.value * 1e9 / static_cast<double>(bench.tsc().hz());
  report.add(std::move(ours));
  report.add(Figure::of(name + "-time", {ns}, "ns/query"));
  const cache::CacheStats stats = bench.cache_stats();
  std::printf("%22s %12.0f octets an entry, %s\n", "",
              static_cast<double>(stats.entry_bytes) / static_cast<double>(stats.entries),
              stats.hugepages ? "hugepages" : "transparent or small pages");
  if (!options.stages) return;
  for (const auto& [stage, stage_cycles] : bench.stages())
    report.add(Figure::of(name + "-" + stage, {stage_cycles}, "cycles/query"));
}

std::uint64_t names_of(const std::string& name) {
  if (name == "hit-10k") return 10'000;
  if (name == "hit-1m") return 1'000'000;
  if (name == "hit-10m" || name == "hit-10m-zipf") return 10'000'000;
  fail("unknown case '" + name + "': hit-10k, hit-1m, hit-10m or hit-10m-zipf");
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app("Cycles and nanoseconds a query for cache hits, through the whole pipeline, without a NIC.");
  options.runs.add_to(app);
  app.add_option("--burst", options.burst, "frames a burst")
      ->capture_default_str()
      ->check(CLI::IsMember({8, 16, 32, 64}));
  app.add_option("--frames", options.frames, "buffers that frames rotate through; fewer than 16384 flatter")
      ->capture_default_str()
      ->check(CLI::IsMember({64, 1024, 4096, 16384, 65536}));
  app.add_option("--cpu", options.cpu, "CPU to run on")->capture_default_str();
  app.add_option("--seed", options.seed, "of names, answers and queries")->capture_default_str();
  app.add_option("--case", options.cases, "hit-10k, hit-1m, hit-10m, hit-10m-zipf")->capture_default_str();
  app.add_flag("--hugepages", options.hugepages, "explicit 2 MiB pages for cache and rte_hash");
  app.add_flag("!--no-yardsticks", options.yardsticks, "ours only");
  app.add_flag("--stages", options.stages, "cycles of each stage, too");
  CLI11_PARSE(app, argc, argv);

  std::uint64_t most = 0;
  for (const std::string& name : options.cases) most = std::max(most, names_of(name));
  options.cpu = std::min(options.cpu, sync::current_affinity().back());
  if (options.yardsticks) start_dpdk_memory("worker", options.cpu, options.hugepages, most);
  const unsigned cpus[] = {options.cpu};
  if (auto pinned = sync::set_affinity(cpus); !pinned) fail(pinned.error());

  std::printf(
      "seed %llu, bursts of %u, %zu frames; answers: 12 %% NXDOMAIN, 15 %% CNAME, 10 %% AAAA, rest A; 30 %% "
      "DO with RRSIG; 70 %% EDNS; half IPv6\n",
      static_cast<unsigned long long>(options.seed), options.burst, options.frames);
  Report report("worker");
  for (const std::string& name : options.cases) run_case(name, names_of(name), options, report);
  report.write_json(options.runs.json);
  return 0;
}

}  // namespace
}  // namespace swarmdns::bench

int main(int argc, char** argv) {
  return swarmdns::bench::run(argc, argv);
}
