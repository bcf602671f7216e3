#include "dataplane/app/live_swap.h"

#include "dataplane/sync/qsbr.h"

namespace swarmdns::app {

LiveSwap::LiveSwap(control::LiveParts first)
    : miss_(std::move(first.miss)), stream_(std::move(first.stream)) {
  policy_.current.store(first.policy.release(), std::memory_order_release);
}

LiveSwap::~LiveSwap() {
  delete policy_.current.load(std::memory_order_acquire);
}

void LiveSwap::swap(control::LiveParts parts) {
  const std::unique_ptr<const worker::Policy> old(
      policy_.current.exchange(parts.policy.release(), std::memory_order_acq_rel));
  miss_.set(std::move(parts.miss));
  stream_.set(std::move(parts.stream));
  if (writer_ != nullptr) writer_->set_stale_max(parts.stale_max_s);
  sync::wait_for_readers();
}

}  // namespace swarmdns::app
