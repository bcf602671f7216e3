// Keeps one child process running: starts it or adopts the one that runs, watches it by pidfd and by an
// optional health probe, restarts it with back-off, stops it by SIGTERM and then SIGKILL.
//
// One thread of its own per child; the public calls may come from any thread. Destroying a Child ends the
// watching and leaves the process running: whoever dies above must not take answers away below.
#pragma once

#include <chrono>
#include <condition_variable>
#include <expected>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "controlplane/supervise/back_off.h"
#include "controlplane/supervise/process.h"

namespace swarmdns::controlplane {

enum class ChildState { kStopped, kRunning, kBackingOff, kStopping };
const char* to_string(ChildState state);

struct ChildOptions {
  std::string name;      // for messages
  std::string pid_file;  // absolute
  // Called on the child's thread before each start: writes the configuration, clears what a crash left
  // behind. An error counts as a failed start.
  std::function<std::expected<SpawnOptions, std::string>()> prepare;
  // Called on the child's thread every `probe_interval` while it runs; may block for about a second. Empty:
  // no probe.
  std::function<bool()> probe;
  std::chrono::milliseconds probe_interval{2000};
  std::chrono::milliseconds probe_grace{10000};   // after a start, failures do not count for this long
  unsigned probe_failures = 8;                    // in a row, then the child is stopped and started again
  std::chrono::milliseconds stop_timeout{10000};  // from SIGTERM to SIGKILL
  BackOffOptions back_off;
  std::function<void(const std::string&)> log;  // any thread; may be empty
};

struct ChildStatus {
  std::string name;
  ChildState state = ChildState::kStopped;
  pid_t pid = 0;         // 0: not running
  bool adopted = false;  // found running
  unsigned starts = 0;   // by this control plane
  std::chrono::milliseconds in_state{};
  std::chrono::milliseconds next_start_in{};  // when backing off
  std::string last_end;                       // how it ended last, or why it could not be started; "" = never
  std::optional<bool> healthy;                // by the last probe
};

class Child {
 public:
  explicit Child(ChildOptions options);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  // Adopts the process of the pid file if it runs, else starts one.
  void start();
  // Takes over the process of the pid file if it runs, and starts none otherwise.
  void adopt_only();
  // Returns at once; wait_for() tells when it is done.
  void request_stop();
  void request_restart();

  // Waits until the child is in that state with no request outstanding. false: not within the timeout.
  bool wait_for(ChildState state, std::chrono::milliseconds timeout);
  ChildStatus status() const;

 private:
  enum class Wish { kStopped, kRunning };

  void run();
  void take_requests();
  void try_start();
  void try_adopt();
  void note_end();
  void begin_stop(const std::string& why);
  void probe();
  int wait_timeout_ms() const;
  void enter(ChildState state);
  void wake();
  void say(const std::string& text) const;

  ChildOptions options_;
  BackOff back_off_;
  UniqueFd wake_fd_;
  std::thread thread_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  Wish wish_ = Wish::kStopped;
  bool restart_ = false;
  bool adopt_first_ = false;
  bool leave_ = false;
  bool busy_ = false;  // the thread is between a request and what comes of it
  ChildState state_ = ChildState::kStopped;
  Clock::time_point since_{};
  Clock::time_point next_start_{};
  pid_t pid_ = 0;
  bool adopted_ = false;
  unsigned starts_ = 0;
  std::string last_end_;
  std::optional<bool> healthy_;

  // The thread's own.
  std::optional<Process> process_;
  Clock::time_point stop_deadline_{};
  bool killed_ = false;
  Clock::time_point next_probe_{};
  Clock::time_point run_start_{};
  unsigned failed_probes_ = 0;
};

}  // namespace swarmdns::controlplane
