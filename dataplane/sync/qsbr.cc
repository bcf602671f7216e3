#include "dataplane/sync/qsbr.h"

#include <urcu/urcu-qsbr.h>

namespace swarmdns::sync {

namespace {
thread_local unsigned registrations = 0;
}  // namespace

QsbrThread::QsbrThread() {
  if (registrations++ == 0) urcu_qsbr_register_thread();
}

QsbrThread::~QsbrThread() {
  if (--registrations == 0) urcu_qsbr_unregister_thread();
}

void QsbrThread::quiescent() noexcept {
  urcu_qsbr_quiescent_state();
}

void QsbrThread::offline() noexcept {
  urcu_qsbr_thread_offline();
}

void QsbrThread::online() noexcept {
  urcu_qsbr_thread_online();
}

void wait_for_readers() noexcept {
  urcu_qsbr_synchronize_rcu();
}

}  // namespace swarmdns::sync
