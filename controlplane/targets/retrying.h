// A target that tries again where that can help: after kUnavailable as often as the policy says, after
// kBroken (an answer damaged on its way) once. Before each try it waits, twice as long each time, by chance
// between half and all of it, so that many nodes do not come back at once.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>

#include "controlplane/targets/target.h"
#include "controlplane/targets/wait_clock.h"

namespace swarmdns::controlplane {

struct RetryPolicy {
  int tries = 6;  // at least 1
  std::int64_t first_wait_ms = 500;
  std::int64_t longest_wait_ms = 30'000;
  std::int64_t longest_total_ms = 300'000;  // no try begins later than this after the first
};

class RetryingTarget final : public Target {
 public:
  RetryingTarget(std::unique_ptr<Target> inner, RetryPolicy policy, std::stop_token stop,
                 WaitClock& clock = real_wait_clock());

  const std::string& description() const override { return inner_->description(); }
  TargetResult<void> put(const std::string& name, std::span<const std::byte> octets,
                         const PutOptions& options = {}) override;
  TargetResult<std::vector<std::byte>> get(const std::string& name, std::uint64_t offset,
                                           std::uint64_t bytes) override;
  TargetResult<ObjectInfo> head(const std::string& name) override;
  // A try after the first goes on behind what `each` has seen, which sees nothing twice.
  TargetResult<void> list(const std::string& prefix,
                          const std::function<bool(const ObjectInfo&)>& each) override;
  TargetResult<void> remove(const std::string& name) override;
  TargetResult<std::uint64_t> sweep(std::int64_t age_ms) override;

 private:
  template <typename Result>
  Result tried(const std::function<Result()>& once);

  const std::unique_ptr<Target> inner_;
  const RetryPolicy policy_;
  const std::stop_token stop_;
  WaitClock& clock_;
};

}  // namespace swarmdns::controlplane
