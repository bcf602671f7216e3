#include "dataplane/cache/writer.h"

#include <chrono>
#include <utility>

#include "dataplane/sync/affinity.h"

namespace swarmdns::cache {

namespace {
constexpr std::size_t kBurst = 32;          // commands taken together, their cache lines fetched together
constexpr std::size_t kBurstsPerRound = 8;  // before upkeep has its turn
constexpr std::size_t kAhead = 8;           // of a batch: what is fetched while this one is inserted
constexpr auto kLongestSleep = std::chrono::milliseconds(100);
constexpr auto kGraceSleep = std::chrono::microseconds(500);  // while slots wait for a grace period
}  // namespace

Writer::Writer(Cache& cache, const Clock& clock, stats::Block& counters, Options options)
    : cache_(cache),
      clock_(clock),
      counters_(counters),
      options_(std::move(options)),
      queue_(options_.queue) {}

Writer::~Writer() {
  stop();
}

void Writer::start() {
  if (thread_.joinable()) return;
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Writer::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  queue_.wake();
  thread_.join();
}

bool Writer::insert(EntryImage image, InsertOptions options) {
  return insert(std::move(image), options, nullptr);
}

bool Writer::insert(EntryImage image, InsertOptions options, std::function<void(Outcome)> done) {
  const bool remote = options.origin.node != 0;
  if (queue_.try_push(Insert{std::move(image), options, std::move(done)})) return true;
  refused_.fetch_add(1, std::memory_order_relaxed);
  if (remote) count_remote_refused(1);
  return false;
}

std::future<FlushResult> Writer::flush(FlushScope scope) {
  auto command = std::make_unique<FlushCommand>();
  command->scope = std::move(scope);
  auto removed = command->done.get_future();
  push_waiting(std::move(command));
  return removed;
}

void Writer::drain() {
  call([](Cache&) {});
}

void Writer::begin_dump() {
  call([](Cache& cache) { cache.begin_dump(); });
}

void Writer::end_dump() {
  call([](Cache& cache) { cache.end_dump(); });
}

void Writer::set_stale_max(Seconds stale_max) {
  call([stale_max](Cache& cache) { cache.set_stale_max(stale_max); });
}

std::future<void> Writer::insert_all(std::span<Batched> batch) {
  return post([this, batch](Cache& cache) {
    const std::uint64_t now_ms = clock_.milliseconds();
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (i + kAhead < batch.size()) cache.prefetch(batch[i + kAhead].image);
      batch[i].outcome = cache.insert(batch[i].image, now_ms, batch[i].options);
    }
  });
}

void Writer::call(std::function<void(Cache&)> what) {
  post(std::move(what)).wait();
}

std::future<void> Writer::post(std::function<void(Cache&)> what) {
  auto command = std::make_unique<Call>();
  command->run = std::move(what);
  auto done = command->done.get_future();
  push_waiting(std::move(command));
  return done;
}

void Writer::push_waiting(Command&& command) {
  // A full queue leaves it where it is. NOLINTNEXTLINE(bugprone-use-after-move)
  while (!queue_.try_push(std::move(command))) std::this_thread::sleep_for(std::chrono::microseconds(100));
}

void Writer::run(const std::stop_token& stop) {
  sync::begin_slow_thread("sw-cache-writer", options_.cpus);
  for (;;) {
    std::size_t taken = 0;
    for (std::size_t burst = 0; burst < kBurstsPerRound; ++burst) {
      const std::size_t n = take_commands();
      taken += n;
      if (n < kBurst) break;
    }
    if (const std::uint64_t refused = refused_.exchange(0, std::memory_order_relaxed); refused > 0) {
      counters_.add(stats::Counter::CacheInsertDropped, refused);
    }
    if (const std::uint64_t refused = remote_refused_.exchange(0, std::memory_order_relaxed); refused > 0) {
      counters_.add(stats::Counter::CacheRemoteRefused, refused);
    }
    const bool more = cache_.work(clock_.milliseconds());
    if (taken > 0 || more) continue;
    if (stop.stop_requested() && !cache_.flushing()) return;
    queue_.wait(cache_.grace_periods_over() ? std::chrono::nanoseconds(kLongestSleep)
                                            : std::chrono::nanoseconds(kGraceSleep));
  }
}

std::size_t Writer::take_commands() {
  std::size_t count = 0;
  while (count < kBurst && queue_.try_pop(burst_[count])) {
    if (const auto* insert = std::get_if<Insert>(&burst_[count])) cache_.prefetch(insert->image);
    ++count;
  }
  for (std::size_t i = 0; i < count; ++i) {
    carry_out(burst_[i]);
    burst_[i] = Command{};
  }
  return count;
}

void Writer::carry_out(Command& command) {
  const std::uint64_t now_ms = clock_.milliseconds();
  if (auto* insert = std::get_if<Insert>(&command)) {
    const Outcome outcome = cache_.insert(insert->image, now_ms, insert->options);
    if (insert->done) insert->done(outcome);
  } else if (auto* flush = std::get_if<std::unique_ptr<FlushCommand>>(&command)) {
    auto done = std::make_shared<std::promise<FlushResult>>(std::move((*flush)->done));
    cache_.flush((*flush)->scope, now_ms, [done](const FlushResult& result) { done->set_value(result); });
  } else if (auto* call = std::get_if<std::unique_ptr<Call>>(&command)) {
    (*call)->run(cache_);
    (*call)->done.set_value();
  }
}

}  // namespace swarmdns::cache
