// From root to an unprivileged user once everything that needs root is open. All threads lose root and every
// capability; only the calling thread keeps CAP_NET_ADMIN, not in force, to take the XDP programs off again
// at the end.
#pragma once

#include <expected>
#include <functional>
#include <span>
#include <string>

namespace swarmdns::app {

// Makes `directory` if it is missing and, as root, lets `user` make files in it: the group of `user`,
// group-writable, and sticky, so that neither of the two planes can take away what the other put there. As
// another user than root: checks that it can be written. Before drop_root(), main thread.
[[nodiscard]] std::expected<void, std::string> prepare_directory(const std::string& directory,
                                                                 const std::string& user);

// Gives the data plane's own files of an earlier run, perhaps as another user, to `user`. Missing ones are
// passed over.
[[nodiscard]] std::expected<void, std::string> adopt_files(std::span<const std::string> paths,
                                                           const std::string& user);

// Main thread, after the EAL. Does nothing when the process is not root or `user` is "root".
[[nodiscard]] std::expected<void, std::string> drop_root(const std::string& user);

// Main thread: CAP_NET_ADMIN is in force, if drop_root() kept it, for as long as one of these lives: starting
// and closing an AF_XDP port needs it.
class NetAdmin {
 public:
  NetAdmin();
  ~NetAdmin();
  NetAdmin(const NetAdmin&) = delete;
  NetAdmin& operator=(const NetAdmin&) = delete;

 private:
  bool raised_;
};

// Runs `work` on a thread of its own with the affinity `cpus` (empty: unchanged) and without any capability,
// and waits for it. Threads that `work` starts inherit both; what it throws is thrown here. Only for work
// that starts threads: the thread is gone afterwards.
void on_plain_thread(std::span<const unsigned> cpus, const std::function<void()>& work);

}  // namespace swarmdns::app
