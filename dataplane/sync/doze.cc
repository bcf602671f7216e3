#include "dataplane/sync/doze.h"

#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace swarmdns::sync {

Doorbell::Doorbell(const Roll& roll) : roll_(roll), fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  waiting_.push_back({fd_, POLLIN, 0});
}

Doorbell::~Doorbell() {
  ::close(fd_);
}

// Three pairs of store and load that must not pass each other, hence sequential consistency: who rings sees
// `dozing_`, or the owner's last look sees what was published; who enters sees `dozing_`, or the owner sees
// it awake.
void Doorbell::ring() noexcept {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!dozing_.load(std::memory_order_relaxed) || !dozing_.exchange(false)) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(fd_, &one, sizeof one);
}

bool Doorbell::lie_down() noexcept {
  dozing_.store(true, std::memory_order_seq_cst);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (roll_.nobody_awake()) return true;
  get_up();
  return false;
}

void Doorbell::sleep(std::chrono::microseconds longest, std::span<const pollfd> others) noexcept {
  waiting_.resize(1);
  waiting_.insert(waiting_.end(), others.begin(), others.end());
  const timespec pause{.tv_sec = static_cast<time_t>(longest.count() / 1'000'000),
                       .tv_nsec = static_cast<long>(longest.count() % 1'000'000 * 1000)};
  ::ppoll(waiting_.data(), waiting_.size(), &pause, nullptr);
}

void Doorbell::get_up() noexcept {
  dozing_.store(false, std::memory_order_relaxed);
  // A ring that comes between the two is left for the next sleep, which it ends at once.
  std::uint64_t rings = 0;
  [[maybe_unused]] const ssize_t drained = ::read(fd_, &rings, sizeof rings);
}

Doorbell& Roll::add() {
  bells_.push_back(std::unique_ptr<Doorbell>(new Doorbell(*this)));
  return *bells_.back();
}

void Roll::enter() noexcept {
  awake_.fetch_add(1, std::memory_order_seq_cst);
  for (const auto& bell : bells_) bell->ring();
}

void Roll::leave() noexcept {
  awake_.fetch_sub(1, std::memory_order_seq_cst);
}

}  // namespace swarmdns::sync
