// Waits 0.2 s in each way that has a deadline, and prints the clocks in nanoseconds:
// CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME. Exit code 1 when a wait ended before its time.

#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <mutex>

namespace {

constexpr std::int64_t second = 1'000'000'000;

std::int64_t now(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return time.tv_sec * second + time.tv_nsec;
}

timespec soon(clockid_t clock) {
  const std::int64_t time = now(clock) + second / 5;
  return {.tv_sec = time / second, .tv_nsec = time % second};
}

template <typename Wait>
bool lasts(const char* what, Wait wait) {
  const std::int64_t begun = now(CLOCK_MONOTONIC);
  wait();
  const std::int64_t took = now(CLOCK_MONOTONIC) - begun;
  std::fprintf(stderr, "%s: %.3f s\n", what, static_cast<double>(took) / second);
  return took > second / 5 - second / 100;
}

}  // namespace

int main() {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t wall = PTHREAD_COND_INITIALIZER;
  pthread_cond_t steady;
  pthread_condattr_t attribute;
  pthread_condattr_init(&attribute);
  pthread_condattr_setclock(&attribute, CLOCK_MONOTONIC);
  pthread_cond_init(&steady, &attribute);
  pthread_mutex_lock(&mutex);
  const bool well =
      lasts("pthread_cond_timedwait",
            [&] {
              const timespec end = soon(CLOCK_REALTIME);
              pthread_cond_timedwait(&wall, &mutex, &end);
            }) &&
      lasts("pthread_cond_timedwait, monotonic",
            [&] {
              const timespec end = soon(CLOCK_MONOTONIC);
              pthread_cond_timedwait(&steady, &mutex, &end);
            }) &&
      lasts("condition_variable, system_clock",
            [] {
              std::mutex held;
              std::unique_lock lock(held);
              std::condition_variable().wait_until(
                  lock, std::chrono::system_clock::now() + std::chrono::milliseconds(200),
                  [] { return false; });
            }) &&
      lasts("condition_variable, steady_clock",
            [] {
              std::mutex held;
              std::unique_lock lock(held);
              std::condition_variable().wait_for(lock, std::chrono::milliseconds(200), [] { return false; });
            }) &&
      lasts("futex, as Abseil waits",
            [] {
              int word = 0;
              const timespec end = soon(CLOCK_REALTIME);
              syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME, 0,
                      &end, nullptr, FUTEX_BITSET_MATCH_ANY);
            }) &&
      lasts("sem_timedwait",
            [] {
              sem_t semaphore;
              sem_init(&semaphore, 0, 0);
              const timespec end = soon(CLOCK_REALTIME);
              sem_timedwait(&semaphore, &end);
            }) &&
      lasts("pthread_mutex_timedlock",
            [&] {
              const timespec end = soon(CLOCK_REALTIME);
              pthread_mutex_timedlock(&mutex, &end);
            }) &&
      lasts("clock_nanosleep",
            [] {
              const timespec end = soon(CLOCK_REALTIME);
              clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &end, nullptr);
            }) &&
      lasts("timerfd", [] {
        const int timer = timerfd_create(CLOCK_REALTIME, 0);
        const itimerspec end = {.it_interval = {}, .it_value = soon(CLOCK_REALTIME)};
        timerfd_settime(timer, TFD_TIMER_ABSTIME, &end, nullptr);
        std::uint64_t times = 0;
        if (read(timer, &times, sizeof times) < 0) {
          std::perror("timerfd");
        }
        close(timer);
      });
  std::printf("%lld %lld %lld\n", static_cast<long long>(now(CLOCK_REALTIME)),
              static_cast<long long>(now(CLOCK_MONOTONIC)), static_cast<long long>(now(CLOCK_BOOTTIME)));
  return well ? 0 : 1;
}
