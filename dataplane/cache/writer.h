// The cache's one writer: a thread that owns the engine (cache.h) and takes commands from all others but the
// packet workers. It never waits for readers.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <span>
#include <stop_token>
#include <thread>
#include <variant>

#include "dataplane/cache/cache.h"
#include "dataplane/cache/clock.h"
#include "dataplane/cache/image.h"
#include "dataplane/sync/mpsc_queue.h"

namespace swarmdns::cache {

class Writer {
 public:
  struct Options {
    std::size_t queue = 16'384;  // commands under way; inserts beyond are dropped and counted
    std::vector<unsigned> cpus;  // empty: as the thread that calls start()
  };

  // `counters`: the block the cache was made with.
  Writer(Cache& cache, const Clock& clock, stats::Block& counters, Options options);
  ~Writer();  // stops
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void start();
  // Commands already taken are carried out, then the thread ends; running flushes are completed. Idempotent.
  void stop();

  // --- Any thread but packet workers; none of these waits, unless it says so ---

  // False: the queue is full; dropped and counted (Counter::CacheInsertDropped).
  bool insert(EntryImage image, InsertOptions options = {});
  // With the outcome, on the writer thread. False: the queue is full, and `done` will not be called.
  bool insert(EntryImage image, InsertOptions options, std::function<void(Outcome)> done);
  // One command for many: they stay the caller's, and are the writer's to read and to set outcomes in until
  // the future is ready. Waits for room in the queue; not for RCU-online threads. At most a few hundred, for
  // nothing else has its turn meanwhile.
  struct Batched {
    EntryImage image;
    InsertOptions options;
    Outcome outcome = Outcome::NoRoom;
  };
  [[nodiscard]] std::future<void> insert_all(std::span<Batched> batch);
  // The future is ready when the flush is through. Waits for room in the queue; not for RCU-online threads.
  [[nodiscard]] std::future<FlushResult> flush(FlushScope scope);
  // Waits until everything commanded before has been carried out. Not for RCU-online threads.
  void drain();
  // Around a dump: from begin on no entry moves. Both wait; not for RCU-online threads.
  void begin_dump();
  void end_dump();
  void set_stale_max(Seconds stale_max);
  // Entries of other nodes that were found wanting before they came here.
  void count_remote_refused(std::uint64_t entries) noexcept {
    remote_refused_.fetch_add(entries, std::memory_order_relaxed);
  }

  [[nodiscard]] Cache& cache() noexcept { return cache_; }
  [[nodiscard]] std::uint16_t epoch() const noexcept { return cache_.epoch(); }

 private:
  struct Insert {
    EntryImage image;
    InsertOptions options;
    std::function<void(Outcome)> done;
  };
  struct FlushCommand {
    FlushScope scope;
    std::promise<FlushResult> done;
  };
  struct Call {
    std::function<void(Cache&)> run;
    std::promise<void> done;
  };
  using Command = std::variant<std::monostate, Insert, std::unique_ptr<FlushCommand>, std::unique_ptr<Call>>;

  void run(const std::stop_token& stop);
  std::size_t take_commands();
  void carry_out(Command& command);
  void push_waiting(Command&& command);
  void call(std::function<void(Cache&)> what);
  std::future<void> post(std::function<void(Cache&)> what);

  Cache& cache_;
  const Clock& clock_;
  stats::Block& counters_;
  const Options options_;
  sync::MpscQueue<Command> queue_;
  std::array<Command, 32> burst_;  // the writer's own
  // The writer moves these to its counters: inserts that met a full queue, and the remote ones refused.
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> remote_refused_{0};
  std::jthread thread_;
};

// No entry moves within the table as long as one of these lives. Made and destroyed by no RCU-online thread.
class DumpScope {
 public:
  explicit DumpScope(Writer& writer) : writer_(writer) { writer_.begin_dump(); }
  ~DumpScope() { writer_.end_dump(); }
  DumpScope(const DumpScope&) = delete;
  DumpScope& operator=(const DumpScope&) = delete;

 private:
  Writer& writer_;
};

}  // namespace swarmdns::cache
