#include "tests/bench/miss_mix.h"

#include <time.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "dataplane/stats/tsc_clock.h"
#include "dataplane/worker/miss_reply.h"
#include "dataplane/worker/stages.h"
#include "tests/bench/frames.h"
#include "tests/bench/miss_path.h"
#include "tests/bench/mix_policy.h"
#include "tests/bench/worker_mix.h"

namespace swarmdns::bench {
namespace {

using stats::Counter;
using stats::read_tsc;

constexpr std::uint64_t kNames = 10'000;
constexpr std::size_t kFrames = 16'384;
constexpr std::size_t kBurst = 32;
constexpr std::size_t kRepliesPerLoop = 32;      // as a worker takes them
constexpr std::size_t kRingDepth = 2048;         // as a node's
constexpr std::uint64_t kBudget = 256ULL << 20;  // of the cache, the default of a node

constexpr std::size_t kSamples = 100'000;

std::uint64_t thread_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

// What was asked, and what became of it.
struct Tally {
  std::uint64_t hits_asked = 0;
  std::uint64_t hits_answered = 0;  // at once, from the cache
  std::uint64_t misses_asked = 0;
  std::uint64_t misses_answered = 0;
  std::uint64_t misses_dropped = 0;  // and counted: the miss ring was full, or the slow thread's tables
  double reply_cycles = 0;           // for each answered: building what the slow thread has found out
};

class MissMix {
 public:
  MissMix(const MissMixOptions& options, unsigned per_cent)
      : options_(options),
        per_cent_(per_cent),
        mix_(options.seed),
        tsc_(stats::TscClock::calibrate()),
        path_(*net::Address::parse("127.0.0.1"), {options.slow_cpu, options.slow_cpu}, kRingDepth, kBudget,
              [this](cache::Cache& cache) { fill(cache); }),
        reader_(std::make_unique<cache::Reader>(path_.cache().table())) {
    reply_cycles_.reserve(kSamples);
    path_.roll().enter();
  }
  ~MissMix() {
    path_.roll().leave();
    reader_->offline();  // the threads of the path wait for readers when they end
  }

  // Cycles a query: the mean of all passes, for they differ in how many misses the slow thread had room for.
  double measure() {
    pass();  // warms up
    std::uint64_t passes = 0;
    std::uint64_t timed_ns = 0;
    for (const auto limit = static_cast<std::uint64_t>(options_.runs.seconds * 1e9);
         timed_ns < limit || passes < 9; ++passes) {
      timed_ns += pass();
    }
    return static_cast<double>(tsc_.from_ns(timed_ns)) / static_cast<double>(passes * kFrames);
  }

  // After the last measurement: waits for the replies that are still to come.
  Tally settle() {
    reader_->offline();
    tally_.reply_cycles = median(reply_cycles_);
    const auto quiet = std::chrono::milliseconds(500);
    for (auto last = std::chrono::steady_clock::now(); std::chrono::steady_clock::now() - last < quiet;) {
      if (take_replies() != 0) {
        last = std::chrono::steady_clock::now();
      } else {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    }
    path_.stop();
    tally_.misses_answered = counters_.get(Counter::MissReplies);
    tally_.misses_dropped = counters_.get(Counter::DropMissRingFull);
    for (const Counter counter :
         {Counter::DropMissTableFull, Counter::DropWaitersFull, Counter::DropPrefixQuota,
          Counter::DropZoneQuota, Counter::DropReplyRingFull}) {
      tally_.misses_dropped += path_.counters().get(counter);
    }
    return tally_;
  }

 private:
  void fill(cache::Cache& cache) const {
    cache::InsertOptions insert;
    insert.journal = false;
    const cache::Clock clock;
    for (std::uint64_t i = 0; i < kNames; ++i) {
      if (cache.insert(mix_.answer(i, clock.seconds()), clock.milliseconds(), insert) ==
          cache::Outcome::Inserted)
        continue;
      std::fprintf(stderr, "bench-miss: the cache did not take name %llu\n",
                   static_cast<unsigned long long>(i));
      std::exit(1);
    }
  }

  // Names from kNames on are in no cache; each is asked for once.
  void write_queries() {
    std::size_t place = 0;
    frames_.write([this, &place](std::byte* frame) {
      const bool miss = random_() % 100 < per_cent_;
      ++(miss ? tally_.misses_asked : tally_.hits_asked);
      is_miss_[place++] = miss;
      return mix_.query(miss ? kNames + fresh_++ : random_() % kNames, random_(), frame);
    });
  }

  // All frames once, as a worker's loop has them. Nanoseconds of the timed part: of this thread's own time,
  // so that what else runs on this CPU does not count; the kernel likes to move work off the slow thread's.
  std::uint64_t pass() {
    reader_->offline();
    write_queries();
    reader_->online();
    const cache::Clock& clock = path_.clock();
    moment_ = {.now = clock.seconds(),
               .wall_s = 1'800'000'000,
               .ms = static_cast<std::uint32_t>(clock.milliseconds())};
    const std::uint64_t start = thread_ns();
    for (std::size_t first = 0; first < kFrames; first += kBurst) {
      frames_.fill(*batch_, first, kBurst);
      batch_->rx_tsc = read_tsc();
      worker::run_stages(*batch_, {.policy = policy_,
                                   .identity = *policy_.ports[0],
                                   .reader = *reader_,
                                   .misses = path_.channel(),
                                   .counters = counters_,
                                   .moment = moment_,
                                   .port = 0});
      for (std::size_t i = 0; i < kBurst; ++i) {
        tally_.hits_answered += batch_->fates[i] == worker::Fate::Reply && !is_miss_[first + i] ? 1 : 0;
      }
      const std::uint64_t before = read_tsc();
      const std::size_t replies = take_replies();
      if (replies != 0 && reply_cycles_.size() < kSamples)
        reply_cycles_.push_back(static_cast<double>(read_tsc() - before) / static_cast<double>(replies));
      reader_->quiescent();
    }
    return thread_ns() - start;
  }

  std::size_t take_replies() {
    std::array<const miss::Reply*, kRepliesPerLoop> replies;
    const std::size_t count = path_.channel().take(replies);
    for (std::size_t i = 0; i < count; ++i) {
      reply_frames_.fill(*reply_batch_, next_reply_++ % kBurst, 1);
      const std::size_t length = worker::build_miss_reply(*replies[i], reply_batch_->frames[0], scratch_,
                                                          policy_, moment_, counters_);
      if (length != 0) counters_.add(Counter::TxFrames);
      path_.channel().give_back(replies[i]);
    }
    return count;
  }

  const MissMixOptions& options_;
  const unsigned per_cent_;
  const Mix mix_;
  const stats::TscClock tsc_;
  MissPath path_;
  std::unique_ptr<cache::Reader> reader_;
  const worker::Policy policy_ = mix_policy();
  worker::Moment moment_;
  stats::Block counters_;
  std::mt19937_64 random_{options_.seed + 3};
  std::uint64_t fresh_ = 0;
  Tally tally_;
  std::array<bool, kFrames> is_miss_{};
  Frames frames_{kFrames};
  Frames reply_frames_{kBurst};
  std::size_t next_reply_ = 0;
  std::vector<double> reply_cycles_;  // of each burst, a reply
  dns::Query scratch_;
  const std::unique_ptr<worker::Batch> batch_ = std::make_unique<worker::Batch>();
  const std::unique_ptr<worker::Batch> reply_batch_ = std::make_unique<worker::Batch>();
};

}  // namespace

void run_miss_mix(const MissMixOptions& options, Report& report) {
  double without = 0;  // cycles a query when all are hits
  for (const unsigned per_cent : {0U, 1U, 10U, 50U}) {
    MissMix mix(options, per_cent);
    std::vector<double> cycles;
    for (unsigned i = 0; i < options.runs.repeat; ++i) cycles.push_back(mix.measure());
    const Tally tally = mix.settle();
    const std::string name = "mix-" + std::to_string(per_cent);
    Figure figure = Figure::of(name, cycles, "cycles/query");
    const double value = figure.value;
    if (per_cent == 0) {
      without = value;
    } else {
      figure.ratio_to.emplace_back("without misses", without / value);
    }
    report.add(std::move(figure));
    const auto not_hit = static_cast<double>(tally.hits_asked - tally.hits_answered);
    report.add(Figure::of(name + "-hits-missed", {not_hit}, "queries"));
    if (per_cent == 0) continue;
    // All that a query costs more is put down to the misses among them.
    const double share = per_cent / 100.0;
    report.add(Figure::of(name + "-reply", {tally.reply_cycles}, "cycles/reply"));
    report.add(Figure::of(name + "-miss", {(value - without * (1 - share)) / share}, "cycles/miss"));
    const auto asked = static_cast<double>(tally.misses_asked);
    report.add(Figure::of(name + "-dropped", {100 * static_cast<double>(tally.misses_dropped) / asked},
                          "% of misses"));
    const auto settled = static_cast<double>(tally.misses_dropped + tally.misses_answered);
    report.add(Figure::of(name + "-lost", {asked + not_hit - settled}, "queries lost"));
  }
}

}  // namespace swarmdns::bench
