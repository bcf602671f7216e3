// Registration of a thread with liburcu's QSBR flavour, counted per thread, so that parts that each need it
// (a cache reader, a policy reader) can ask for it without knowing of each other.
#pragma once

namespace swarmdns::sync {

// Made, used and destroyed on one thread; may be nested. The thread is online from the first one on.
// While online it must not block or sleep, and must report quiescent states: every grace period waits for it.
class QsbrThread {
 public:
  QsbrThread();
  ~QsbrThread();
  QsbrThread(const QsbrThread&) = delete;
  QsbrThread& operator=(const QsbrThread&) = delete;

  // Nothing read under RCU before this call is held any more.
  static void quiescent() noexcept;
  // Before sleeping or blocking; online() before the next read.
  static void offline() noexcept;
  static void online() noexcept;
};

// Offline for as long as it lives.
class QsbrOffline {
 public:
  QsbrOffline() noexcept { QsbrThread::offline(); }
  ~QsbrOffline() { QsbrThread::online(); }
  QsbrOffline(const QsbrOffline&) = delete;
  QsbrOffline& operator=(const QsbrOffline&) = delete;
};

// Waits until every thread that was online has passed a quiescent state. Never on a packet worker; a
// registered thread that calls it holds nothing it read before. At worst some 100 ms.
void wait_for_readers() noexcept;

}  // namespace swarmdns::sync
