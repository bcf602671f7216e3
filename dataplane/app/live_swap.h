// Where the parts of a node find what configuration decides, and how a new decision gets there.
#pragma once

#include "dataplane/cache/writer.h"
#include "dataplane/control/configurator.h"
#include "dataplane/miss/options.h"
#include "dataplane/stream/options.h"
#include "dataplane/worker/policy.h"

namespace swarmdns::app {

class LiveSwap final : public control::LiveTarget {
 public:
  explicit LiveSwap(control::LiveParts first);
  ~LiveSwap() override;  // after the last reader has ended
  LiveSwap(const LiveSwap&) = delete;
  LiveSwap& operator=(const LiveSwap&) = delete;

  // Told of changes from now on; must outlive the last swap().
  void attach(cache::Writer& writer) noexcept { writer_ = &writer; }

  // The caller is no RCU reader; returns when nobody sees the old policy any more (100 ms at worst).
  void swap(control::LiveParts parts) override;

  [[nodiscard]] const worker::PolicySlot& policy() const noexcept { return policy_; }
  [[nodiscard]] const miss::OptionsSlot& miss() const noexcept { return miss_; }
  [[nodiscard]] const stream::OptionsSlot& stream() const noexcept { return stream_; }

 private:
  worker::PolicySlot policy_;
  miss::OptionsSlot miss_;
  stream::OptionsSlot stream_;
  cache::Writer* writer_ = nullptr;
};

}  // namespace swarmdns::app
