// A network namespace of the test's own for as long as the object lives, so that interfaces it makes meet
// nobody's.
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

namespace swarmdns::exception {

class OwnNamespace {
 public:
  OwnNamespace() : before_(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)) {
    entered_ = before_ >= 0 && unshare(CLONE_NEWNET) == 0;
  }
  ~OwnNamespace() {
    if (entered_) (void)!setns(before_, CLONE_NEWNET);
    if (before_ >= 0) close(before_);
  }
  OwnNamespace(const OwnNamespace&) = delete;
  OwnNamespace& operator=(const OwnNamespace&) = delete;
  // False without the privilege to make one: the test is skipped.
  [[nodiscard]] bool entered() const { return entered_; }

 private:
  int before_;
  bool entered_ = false;
};

}  // namespace swarmdns::exception
