// The restart snapshot: this node's cache in STATE_DIR/cache.snapshot, sealed under the node's key, written
// at intervals and at the end, loaded at the start. The data plane does all of it alone, on one thread of its
// own, off the workers' cores, and beside the cache's readers and its writer.
//
//   entries of this node's own   are loaded at once; a fence that comes later finds them in the cache
//   of others, of unknown origin wait ("held") until restore(): whoever calls it has applied the fences that
//                                came while this node was away. What was flushed and fenced off since the
//                                start (flush_log.h) is left out. Held ones are written into every new
//                                snapshot.
//
// A node that is in no swarm has no fences to wait for: it loads at once what is of unknown origin, and
// leaves out what is another node's.
//
// A flush, or a fence, makes the file untrue: it goes before whoever asked is told that it is through, and
// the next one is written soon. So nothing comes back that was flushed, whenever this process dies.
//
// A snapshot that cannot be written leaves the former one; one that is damaged is used up to the damage, each
// frame being authentic by itself. Either is said in status(), and the node goes on.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <future>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "dataplane/cache/clock.h"
#include "dataplane/cache/writer.h"
#include "dataplane/restart/flush_log.h"
#include "dataplane/restart/frames.h"
#include "dataplane/restart/records.h"
#include "dataplane/stats/counters.h"

namespace swarmdns::restart {

[[nodiscard]] std::string snapshot_path(const std::string& state_dir);

class Snapshot {
 public:
  struct Settings {
    std::uint64_t every_ms = 0;  // 0: none is kept
    std::uint32_t max_ttl_s = 0;
    std::uint32_t stale_max_s = 0;
  };
  struct Options {
    std::string state_dir;
    std::uint64_t numbering = 0;  // of this node's origins
    bool member = false;          // of a swarm: there may be fences that this node has missed
    std::vector<unsigned> cpus;   // empty: as the thread that calls start()
    std::function<Settings()> settings;
    std::function<Moment(std::uint64_t clock_ms)> moment = system_moment;
    // For the log; `why` empty: all is well.
    std::function<void(const std::string& event, const std::string& what, const std::string& why)> say;
    // Between two frames it rests this many times as long as the frame took.
    unsigned rest = 3;
  };
  // All outlive it; `counters` is this thread's own.
  Snapshot(cache::Writer& writer, const cache::Clock& clock, FlushLog& flushes, stats::Block& counters,
           Options options);
  ~Snapshot();
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  // Before the first flush or fence can come.
  void start();
  // Writes a last snapshot, and ends. After `patience` it gives that up, and the former one stays. False: the
  // disk does not even let it do that; its thread is still at it, and nothing that it uses may go.
  // Idempotent.
  bool stop(std::chrono::milliseconds patience);

  // --- Any thread ---

  // Until what may be answered at once has been loaded.
  [[nodiscard]] bool loading() const noexcept { return loading_.load(std::memory_order_acquire); }

  struct Loaded {
    std::uint64_t entries = 0;   // in the cache, those included that were there as long-lived already
    std::uint64_t expired = 0;   // past their stale window
    std::uint64_t left_out = 0;  // flushed or fenced off meanwhile, of a private zone, or of a swarm left
    std::uint64_t refused = 0;   // malformed, or no room
  };
  // The fences that came while this node was away have been applied: loads what was held, without what lies
  // in `private_zones` (names in wire format, lower case) of another node. Waits until it is done.
  std::expected<Loaded, std::string> restore(std::vector<std::string> private_zones);

  struct Status {
    std::uint32_t every_s = 0;
    // The newest that was written by this process.
    std::uint64_t written_wall_ms = 0;  // Unix time; 0: none yet
    std::uint64_t written_entries = 0;
    std::uint64_t written_bytes = 0;
    std::uint64_t written_took_ms = 0;
    // What was loaded since the start.
    bool loading = false;
    std::uint64_t loaded_wall_ms = 0;  // Unix time at which it had been made; 0: there was none
    std::uint64_t load_took_ms = 0;    // until entries of this node's own were back
    Loaded loaded;
    std::uint64_t held = 0;  // entries
    std::vector<std::string> troubles;
  };
  [[nodiscard]] Status status() const;

 private:
  struct Wanted {
    std::vector<std::string> private_zones;
    std::promise<std::expected<Loaded, std::string>> done;
  };
  using Zones = std::unordered_set<std::string>;
  class Inserts;

  void run();
  void live(const Settings& first);
  void forget();
  bool find_key();

  // snapshot_load.cc
  void load(const Settings& settings);
  [[nodiscard]] bool at_once(FrameKind kind, std::uint64_t numbering) const noexcept;
  // Of a frame; the error is of the whole file.
  std::expected<void, std::string> take_frame(std::string_view payload, std::uint64_t numbering,
                                              const Settings& settings, const Zones* zones, Inserts& inserts);
  std::expected<Loaded, std::string> restore_held(const Wanted& wanted);

  // snapshot_write.cc
  void write(const Settings& settings);
  // False: a flush came between, and it was not published.
  std::expected<bool, std::string> write_one(const Settings& settings, Totals& totals, std::uint64_t& bytes);
  void outdate();
  std::expected<Totals, std::string> write_all(FrameWriter& file, const Settings& settings);
  std::expected<std::uint64_t, std::string> carry_held(FrameWriter& file, const Settings& settings);
  // After a frame: rests; false: given up.
  bool pause(std::chrono::steady_clock::time_point& worked_since);

  void set_trouble(std::string& place, std::string text);

  cache::Writer& writer_;
  const cache::Clock& clock_;
  FlushLog& flushes_;
  stats::Block& counters_;
  const Options options_;
  const std::string path_;

  // The thread's own.
  NodeKey key_{};
  bool has_key_ = false;
  std::optional<FrameReader> held_;  // the file whose entries are held
  std::chrono::steady_clock::time_point due_;
  std::chrono::steady_clock::time_point not_before_;  // as much may be written again

  std::atomic<bool> loading_{true};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> given_up_{false};
  std::atomic<bool> outdated_{false};  // since the thread last looked

  std::mutex publishing_;
  std::uint64_t flushes_through_ = 0;  // under publishing_

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable over_;
  bool ended_ = false;
  bool started_ = false;
  std::deque<Wanted> wanted_;
  Status status_;
  std::string key_trouble_;
  std::string load_trouble_;
  std::string write_trouble_;
  std::thread thread_;
};

}  // namespace swarmdns::restart
