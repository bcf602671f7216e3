#include "controlplane/targets/throttled.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace swarmdns::controlplane {

TokenBucket::TokenBucket(std::uint64_t bytes_per_s, WaitClock& clock)
    : bytes_per_us_(static_cast<double>(bytes_per_s) / 1e6),
      most_(static_cast<double>(bytes_per_s)),
      clock_(clock),
      level_(most_),
      filled_us_(clock.now_us()) {}

void TokenBucket::fill() {
  const std::int64_t now_us = clock_.now_us();
  level_ = std::min(most_, level_ + static_cast<double>(now_us - filled_us_) * bytes_per_us_);
  filled_us_ = now_us;
}

bool TokenBucket::take(std::uint64_t bytes, const std::stop_token& stop) {
  for (fill(); level_ < 0; fill()) {
    if (!clock_.sleep_us(static_cast<std::int64_t>(std::ceil(-level_ / bytes_per_us_)), stop)) return false;
  }
  level_ -= static_cast<double>(bytes);
  return true;
}

void TokenBucket::give_back(std::uint64_t bytes) {
  level_ = std::min(most_, level_ + static_cast<double>(bytes));
}

ThrottledTarget::ThrottledTarget(std::unique_ptr<Target> inner, std::uint64_t bytes_per_s,
                                 std::stop_token stop, WaitClock& clock)
    : inner_(std::move(inner)), stop_(std::move(stop)), up_(bytes_per_s, clock), down_(bytes_per_s, clock) {}

std::unexpected<TargetError> ThrottledTarget::cancelled(const std::string& name) const {
  return std::unexpected(
      TargetError{TargetError::Kind::kCancelled, description() + ": " + name + " was cancelled"});
}

TargetResult<void> ThrottledTarget::put(const std::string& name, std::span<const std::byte> octets,
                                        const PutOptions& options) {
  if (!up_.take(octets.size(), stop_)) return cancelled("put " + name);
  return inner_->put(name, octets, options);
}

TargetResult<std::vector<std::byte>> ThrottledTarget::get(const std::string& name, std::uint64_t offset,
                                                          std::uint64_t bytes) {
  if (!down_.take(bytes, stop_)) return cancelled("get " + name);
  auto got = inner_->get(name, offset, bytes);
  // An object that is not there has not used the line.
  if (!got && got.error().kind == TargetError::Kind::kNotFound) down_.give_back(bytes);
  return got;
}

TargetResult<ObjectInfo> ThrottledTarget::head(const std::string& name) {
  return inner_->head(name);
}

TargetResult<void> ThrottledTarget::list(const std::string& prefix,
                                         const std::function<bool(const ObjectInfo&)>& each) {
  return inner_->list(prefix, each);
}

TargetResult<void> ThrottledTarget::remove(const std::string& name) {
  return inner_->remove(name);
}

TargetResult<std::uint64_t> ThrottledTarget::sweep(std::int64_t age_ms) {
  return inner_->sweep(age_ms);
}

}  // namespace swarmdns::controlplane
