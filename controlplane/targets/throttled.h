// A target that is used no faster than so many octets a second, in each direction, on average over some
// seconds: a token bucket that holds a second's worth. An object passes when the bucket is not in debt, and
// is then taken from it whole; so an object larger than the bucket passes too, and those behind it wait for
// as long as it counts. Requests without octets pass freely. Within an object it is the inner target that
// keeps an even pace, where it can (HttpSettings::bytes_per_s).
#pragma once

#include <memory>
#include <stop_token>

#include "controlplane/targets/target.h"
#include "controlplane/targets/wait_clock.h"

namespace swarmdns::controlplane {

class TokenBucket {
 public:
  // Full at the start.
  TokenBucket(std::uint64_t bytes_per_s, WaitClock& clock);

  // Waits until the bucket is not in debt and takes `bytes`. False: asked to stop; nothing is taken.
  bool take(std::uint64_t bytes, const std::stop_token& stop);
  // Of what was taken and not used.
  void give_back(std::uint64_t bytes);

 private:
  void fill();

  const double bytes_per_us_;
  const double most_;
  WaitClock& clock_;
  double level_;
  std::int64_t filled_us_;
};

class ThrottledTarget final : public Target {
 public:
  ThrottledTarget(std::unique_ptr<Target> inner, std::uint64_t bytes_per_s, std::stop_token stop,
                  WaitClock& clock = real_wait_clock());

  const std::string& description() const override { return inner_->description(); }
  TargetResult<void> put(const std::string& name, std::span<const std::byte> octets,
                         const PutOptions& options = {}) override;
  TargetResult<std::vector<std::byte>> get(const std::string& name, std::uint64_t offset,
                                           std::uint64_t bytes) override;
  TargetResult<ObjectInfo> head(const std::string& name) override;
  TargetResult<void> list(const std::string& prefix,
                          const std::function<bool(const ObjectInfo&)>& each) override;
  TargetResult<void> remove(const std::string& name) override;
  TargetResult<std::uint64_t> sweep(std::int64_t age_ms) override;

 private:
  std::unexpected<TargetError> cancelled(const std::string& name) const;

  const std::unique_ptr<Target> inner_;
  const std::stop_token stop_;
  TokenBucket up_;
  TokenBucket down_;
};

}  // namespace swarmdns::controlplane
