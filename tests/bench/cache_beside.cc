#include "tests/bench/cache_beside.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <utility>

namespace swarmdns::bench {
namespace {

using stats::read_tsc;

constexpr double kSpell = 0.05;      // seconds
constexpr std::size_t kDraws = 256;  // passes drawn before: four million keys

// What one reader saw in some spells of reading.
class Seen {
 public:
  void add(const Pass& pass, const std::vector<std::uint32_t>& bursts) {
    passes_.push_back(static_cast<double>(pass.ticks) / kKeys);
    found_ += pass.found;
    bursts_.insert(bursts_.end(), bursts.begin(), bursts.end());
  }
  void add(const Seen& more) {
    passes_.insert(passes_.end(), more.passes_.begin(), more.passes_.end());
    found_ += more.found_;
    bursts_.insert(bursts_.end(), more.bursts_.begin(), more.bursts_.end());
  }
  // To be called before one of those below, when there is no more to add.
  void finish() {
    if (bursts_.empty()) fail("the reader had no time");
    std::ranges::sort(bursts_);
  }

  // Cycles a lookup: of passes; in the burst that `share` of all bursts are not above.
  [[nodiscard]] double typical() const { return median(passes_); }
  [[nodiscard]] double at(double share) const {
    const auto place = static_cast<std::size_t>(share * static_cast<double>(bursts_.size() - 1));
    return static_cast<double>(bursts_[place]) / kBurst;
  }
  [[nodiscard]] std::uint64_t longest() const { return bursts_.back(); }
  [[nodiscard]] double found_percent() const {
    return 100 * static_cast<double>(found_) / static_cast<double>(passes_.size() * kKeys);
  }

 private:
  std::vector<double> passes_;
  std::vector<std::uint32_t> bursts_;  // cycles of each
  std::uint64_t found_ = 0;
};

// A thread that goes through its keys over and over, so that nothing but lookups takes its time.
class FullRateReader {
 public:
  FullRateReader(const CacheBenchOptions& options, const Filled& filled, std::uint64_t names)
      : thread_([this, &options, &filled, names] { run(options, filled, names); }) {
    while (!ready_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ~FullRateReader() {
    stop_ = true;
    thread_.join();
  }
  FullRateReader(const FullRateReader&) = delete;
  FullRateReader& operator=(const FullRateReader&) = delete;

  // What it sees between the two is kept, but for passes that began before.
  void begin() { spell_ = spell_ + 1; }
  Seen end() {
    spell_ = spell_ + 1;
    while (last_done_ != spell_) std::this_thread::yield();
    return std::exchange(seen_, {});
  }

 private:
  void run(const CacheBenchOptions& options, const Filled& filled, std::uint64_t names) {
    pin(options.cpu);
    std::mt19937_64 random(options.seed + 2);
    std::vector<Keys> draws(kDraws);
    for (Keys& keys : draws) keys.draw(filled.mix_, names, random);
    cache::Reader reader(filled.cache_->table());
    Ours table(reader);
    std::vector<std::uint32_t> bursts;
    ready_ = true;
    for (std::size_t n = 0; !stop_; n = (n + 1) % kDraws) {
      const unsigned before = spell_;
      last_done_ = before;
      bursts.clear();
      const Pass done = pass(table, reader, draws[n], &bursts);
      if (before % 2 == 1 && before == spell_) seen_.add(done, bursts);
    }
    reader.offline();
  }

  std::atomic<unsigned> spell_{0};      // odd: what is seen is kept
  std::atomic<unsigned> last_done_{0};  // the spell that the reader knows of: until then `seen_` is its own
  std::atomic<bool> stop_{false};
  std::atomic<bool> ready_{false};
  Seen seen_;
  std::thread thread_;
};

// The writer's side: answers made before, inserted in turn over and over, by bursts as the writer thread
// takes its commands.
class Inserter {
 public:
  Inserter(Filled& filled, std::uint64_t first, std::uint64_t count) : filled_(filled) {
    images_.reserve(count);
    for (std::uint64_t i = first; i < first + count; ++i)
      images_.push_back(filled.mix_.answer(i, filled.clock_.seconds()));
  }

  struct Done {
    std::uint64_t inserted = 0;
    double seconds = 0;
    double no_room = 0;  // seconds of it in bursts of which some found no room

    void add(const Done& more) {
      inserted += more.inserted;
      seconds += more.seconds;
      no_room += more.no_room;
    }
  };
  Done run(double seconds, const stats::TscClock& tsc) {
    Done done;
    const std::uint64_t start = read_tsc();
    const std::uint64_t end = start + tsc.from_ns(static_cast<std::uint64_t>(seconds * 1e9));
    std::uint64_t no_room = 0;
    std::uint64_t now = start;
    while (now < end) {
      const std::size_t taken = burst();
      const std::uint64_t then = std::exchange(now, read_tsc());
      done.inserted += taken;
      if (taken < kBurst) no_room += now - then;
    }
    done.seconds = static_cast<double>(tsc.to_ns(now - start)) / 1e9;
    done.no_room = static_cast<double>(tsc.to_ns(no_room)) / 1e9;
    return done;
  }

 private:
  // Those that find no room are dropped, as the writer thread drops them.
  std::size_t burst() {
    cache::Cache& cache = *filled_.cache_;
    const std::uint64_t now_ms = filled_.clock_.milliseconds();
    std::size_t taken = 0;
    for (std::size_t n = 0; n < kBurst; ++n) cache.prefetch(images_[(next_ + n) % images_.size()]);
    for (std::size_t n = 0; n < kBurst; ++n) {
      const auto outcome = cache.insert(images_[(next_ + n) % images_.size()], now_ms, Filled::kNoJournal);
      taken += outcome == cache::Outcome::NoRoom ? 0U : 1U;
    }
    next_ = (next_ + kBurst) % images_.size();
    cache.work(now_ms);
    return taken;
  }

  Filled& filled_;
  std::vector<cache::EntryImage> images_;
  std::size_t next_ = 0;
};

// Short spells of reading, alone and beside inserts in turn, so that a machine that is slower for a while is
// so for both.
struct Spells {
  std::vector<Seen> alone;
  std::vector<Seen> beside;
  std::vector<double> rates;    // inserts a second
  std::vector<double> no_room;  // % of the time
  std::vector<double> evicted;  // % of the inserts

  static Spells run(const CacheBenchOptions& options, const stats::TscClock& tsc, Filled& filled,
                    FullRateReader& reader, Inserter& inserter) {
    Spells spells;
    const double seconds = options.runs.seconds;
    (void)inserter.run(seconds, tsc);  // until marks, reserves and ages are those of a cache at work
    for (unsigned i = 0; i < options.runs.repeat; ++i) {
      Seen alone;
      Seen beside;
      Inserter::Done done;
      const std::uint64_t evictions = filled.evictions();
      while (done.seconds < seconds) {
        reader.begin();
        std::this_thread::sleep_for(std::chrono::duration<double>(kSpell));
        alone.add(reader.end());
        reader.begin();
        done.add(inserter.run(kSpell, tsc));
        beside.add(reader.end());
      }
      alone.finish();
      beside.finish();
      const auto inserted = static_cast<double>(done.inserted);
      spells.rates.push_back(inserted / done.seconds);
      spells.no_room.push_back(100 * done.no_room / done.seconds);
      spells.evicted.push_back(100 * static_cast<double>(filled.evictions() - evictions) / inserted);
      spells.alone.push_back(std::move(alone));
      spells.beside.push_back(std::move(beside));
    }
    return spells;
  }

  // `of`: Seen to a number, of which less is better.
  template <class Of>
  [[nodiscard]] Figure beside_alone(std::string name, std::string unit, Of&& of) const {
    std::vector<double> with;
    std::vector<double> without;
    for (const Seen& seen : beside) with.push_back(of(seen));
    for (const Seen& seen : alone) without.push_back(of(seen));
    Figure figure = Figure::of(std::move(name), with, std::move(unit));
    figure.ratio_to.emplace_back("alone", median(without) / figure.value);
    return figure;
  }
  [[nodiscard]] Figure found(std::string name) const {
    std::vector<double> values;
    for (const Seen& seen : beside) values.push_back(seen.found_percent());
    return Figure::of(std::move(name), values, "% of lookups");
  }
};

}  // namespace

void inserts(const CacheBenchOptions& options, const stats::TscClock& tsc, Report& report) {
  constexpr std::uint64_t kBudget = 256ULL << 20;
  constexpr std::uint64_t kAsked = 300'000;  // a quarter of what the cache holds
  pin(options.writer_cpu);
  Filled filled(options, kAsked, kBudget);
  // Asked for more often than the hand of the eviction goes round, these stay while others come and go.
  FullRateReader reader(options, filled, kAsked);
  const std::uint64_t next = filled.fill(kAsked);
  for (std::uint64_t i = 0; i < kAsked; ++i) filled.insert(i);  // some went before they were marked
  Inserter inserter(filled, next, 2 * next);
  const Spells spells = Spells::run(options, tsc, filled, reader, inserter);
  report.add(Figure::of("insert-beside-reads", spells.rates, "inserts/s"));
  report.add(Figure::of("insert-evicting", spells.evicted, "% of inserts"));
  report.add(Figure::of("insert-no-room", spells.no_room, "% of the time"));
  report.add(spells.beside_alone("read-beside-inserts", "cycles/lookup",
                                 [](const Seen& seen) { return seen.typical(); }));
  report.add(spells.found("read-beside-found"));
  pin(options.cpu);
}

void churn(const CacheBenchOptions& options, const stats::TscClock& tsc, Report& report) {
  constexpr std::uint64_t kBudget = 64ULL << 20;
  constexpr std::uint64_t kTimesTheBudget = 4;
  pin(options.writer_cpu);
  Filled filled(options, 0, kBudget);
  filled.fill(0);
  const std::uint64_t names = kTimesTheBudget * filled.cache_->stats().entries;
  Inserter inserter(filled, 0, names);
  FullRateReader reader(options, filled, names);
  const Spells spells = Spells::run(options, tsc, filled, reader, inserter);
  report.add(Figure::of("churn-inserts", spells.rates, "inserts/s"));
  report.add(Figure::of("churn-evicting", spells.evicted, "% of inserts"));
  report.add(Figure::of("churn-no-room", spells.no_room, "% of the time"));
  report.add(spells.found("churn-found"));
  for (const auto& [name, share] :
       {std::pair{"churn-read-p50", 0.5}, {"churn-read-p99", 0.99}, {"churn-read-p99.9", 0.999}}) {
    report.add(
        spells.beside_alone(name, "cycles/lookup", [share](const Seen& seen) { return seen.at(share); }));
  }
  report.add(spells.beside_alone("churn-read-longest", "us/burst", [&tsc](const Seen& seen) {
    return static_cast<double>(tsc.to_ns(seen.longest())) / 1000;
  }));
  pin(options.cpu);
}

}  // namespace swarmdns::bench
