// LD_PRELOAD library of `lab clock`: shifts the wall clock of one process by what the file named in
// LAB_WALL_CLOCK says, 8 octets of signed nanoseconds in host order that may be changed at any time.
// Monotonic clocks stay true.
//
// libfaketime does not do: it leaves alone the futex waits with absolute wall-clock times that Abseil, and so
// gRPC, makes all of its timed waits of. A process 30 s back then spins, and one 5 min ahead sleeps 5 min too
// long.
//
// A wait that is under way when the offset changes keeps its length; on a machine it would follow the clock.

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>

namespace {

constexpr std::int64_t second = 1'000'000'000;
const volatile std::int64_t* offset_page = nullptr;

std::int64_t offset() {
  return offset_page == nullptr ? 0 : *offset_page;
}

bool is_wall_clock(clockid_t clock) {
  return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI;
}

timespec shifted(const timespec& time, std::int64_t by) {
  const std::int64_t sum = static_cast<std::int64_t>(time.tv_sec) * second + time.tv_nsec + by;
  const std::int64_t nanoseconds = ((sum % second) + second) % second;
  return {.tv_sec = static_cast<time_t>((sum - nanoseconds) / second), .tv_nsec = nanoseconds};
}

// A deadline of the process's wall clock as one of the kernel's. Times before 1970 are 1970: both are long
// past.
timespec true_deadline(const timespec& deadline) {
  const timespec found = shifted(deadline, -offset());
  return found.tv_sec < 0 ? timespec{} : found;
}

template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

// The process alone is meant, not its children.
__attribute__((constructor)) void start() {
  unsetenv("LD_PRELOAD");
  const char* path = getenv("LAB_WALL_CLOCK");
  const int file = path == nullptr ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return;
  }
  void* page = mmap(nullptr, sizeof(std::int64_t), PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (page != MAP_FAILED) {
    offset_page = static_cast<const volatile std::int64_t*>(page);
  }
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* time) {
  static auto* const real = next<int(clockid_t, timespec*)>("clock_gettime");
  const int result = real(clock, time);
  if (result == 0 && is_wall_clock(clock)) {
    *time = shifted(*time, offset());
  }
  return result;
}

int timespec_get(timespec* time, int base) {
  return base == TIME_UTC && clock_gettime(CLOCK_REALTIME, time) == 0 ? base : 0;
}

int gettimeofday(timeval* time, void*) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  *time = {.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
  return 0;
}

time_t time(time_t* out) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) {
    *out = now.tv_sec;
  }
  return now.tv_sec;
}

int clock_nanosleep(clockid_t clock, int flags, const timespec* wanted, timespec* left) {
  static auto* const real = next<int(clockid_t, int, const timespec*, timespec*)>("clock_nanosleep");
  if ((flags & TIMER_ABSTIME) == 0 || !is_wall_clock(clock)) {
    return real(clock, flags, wanted, left);
  }
  const timespec deadline = true_deadline(*wanted);
  return real(clock, flags, &deadline, left);
}

int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                           const timespec* wanted) {
  static auto* const real =
      next<int(pthread_cond_t*, pthread_mutex_t*, clockid_t, const timespec*)>("pthread_cond_clockwait");
  const timespec deadline = is_wall_clock(clock) ? true_deadline(*wanted) : *wanted;
  return real(condition, mutex, clock, &deadline);
}

int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex, const timespec* wanted) {
  // Bit 1 of glibc's __wrefs is the clock of the condition's attribute.
  const bool monotonic = (condition->__data.__wrefs & 2U) != 0;
  return pthread_cond_clockwait(condition, mutex, monotonic ? CLOCK_MONOTONIC : CLOCK_REALTIME, wanted);
}

int pthread_mutex_timedlock(pthread_mutex_t* mutex, const timespec* wanted) {
  static auto* const real = next<int(pthread_mutex_t*, const timespec*)>("pthread_mutex_timedlock");
  const timespec deadline = true_deadline(*wanted);
  return real(mutex, &deadline);
}

int sem_timedwait(sem_t* semaphore, const timespec* wanted) {
  static auto* const real = next<int(sem_t*, const timespec*)>("sem_timedwait");
  const timespec deadline = true_deadline(*wanted);
  return real(semaphore, &deadline);
}

// A timer knows its clock, this library does not: of those with absolute times only wall-clock ones are this
// large.
int timerfd_settime(int file, int flags, const itimerspec* wanted, itimerspec* before) {
  static auto* const real = next<int(int, int, const itimerspec*, itimerspec*)>("timerfd_settime");
  constexpr time_t no_uptime = 1'000'000'000;
  itimerspec set = *wanted;
  if ((flags & TFD_TIMER_ABSTIME) != 0 && set.it_value.tv_sec > no_uptime) {
    set.it_value = true_deadline(set.it_value);
  }
  return real(file, flags, &set, before);
}

// NOLINTNEXTLINE(cert-dcl50-cpp): that is how the C library declares it
long syscall(long number, ...) {
  static auto* const real = next<long(long, ...)>("syscall");
  va_list list;
  va_start(list, number);
  long words[6];
  for (long& word : words) {
    word = va_arg(list, long);
  }
  va_end(list);
  if (number == SYS_clock_gettime) {
    const int result = clock_gettime(static_cast<clockid_t>(words[0]), reinterpret_cast<timespec*>(words[1]));
    return result;
  }
  timespec deadline{};
  const long operation = words[1] & FUTEX_CMD_MASK;
  const bool absolute = operation == FUTEX_WAIT_BITSET && (words[1] & FUTEX_CLOCK_REALTIME) != 0;
  if (number == SYS_futex && absolute && words[3] != 0) {
    deadline = true_deadline(*reinterpret_cast<const timespec*>(words[3]));
    words[3] = reinterpret_cast<long>(&deadline);
  }
  return real(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}

}  // extern "C"
