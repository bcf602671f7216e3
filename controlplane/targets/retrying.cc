#include "controlplane/targets/retrying.h"

#include <sodium.h>

#include <algorithm>
#include <utility>

namespace swarmdns::controlplane {
namespace {

using Kind = TargetError::Kind;

std::int64_t between_half_and_all(std::int64_t ms) {
  const auto half = static_cast<std::uint32_t>(ms / 2);
  return ms - randombytes_uniform(half + 1);
}

}  // namespace

RetryingTarget::RetryingTarget(std::unique_ptr<Target> inner, RetryPolicy policy, std::stop_token stop,
                               WaitClock& clock)
    : inner_(std::move(inner)), policy_(policy), stop_(std::move(stop)), clock_(clock) {}

template <typename Result>
Result RetryingTarget::tried(const std::function<Result()>& once) {
  const std::int64_t begun_us = clock_.now_us();
  std::int64_t wait_ms = policy_.first_wait_ms;
  int broken = 0;
  for (int tries = 1;; ++tries) {
    Result result = once();
    if (result) return result;
    TargetError& error = result.error();
    const bool may_help = error.kind == Kind::kUnavailable || (error.kind == Kind::kBroken && ++broken == 1);
    const std::int64_t this_wait_ms = between_half_and_all(wait_ms);
    const std::int64_t passed_ms = (clock_.now_us() - begun_us) / 1000;
    if (!may_help || tries >= policy_.tries || passed_ms + this_wait_ms > policy_.longest_total_ms) {
      if (tries > 1) {
        error.what +=
            " (tried " + std::to_string(tries) + " times in " + std::to_string(passed_ms / 1000) + " s)";
      }
      return result;
    }
    if (!clock_.sleep_us(this_wait_ms * 1000, stop_)) {
      error = {Kind::kCancelled, "cancelled while waiting to try again after: " + error.what};
      return result;
    }
    wait_ms = std::min(wait_ms * 2, policy_.longest_wait_ms);
  }
}

TargetResult<void> RetryingTarget::put(const std::string& name, std::span<const std::byte> octets,
                                       const PutOptions& options) {
  return tried<TargetResult<void>>([&] { return inner_->put(name, octets, options); });
}

TargetResult<std::vector<std::byte>> RetryingTarget::get(const std::string& name, std::uint64_t offset,
                                                         std::uint64_t bytes) {
  return tried<TargetResult<std::vector<std::byte>>>([&] { return inner_->get(name, offset, bytes); });
}

TargetResult<ObjectInfo> RetryingTarget::head(const std::string& name) {
  return tried<TargetResult<ObjectInfo>>([&] { return inner_->head(name); });
}

TargetResult<void> RetryingTarget::list(const std::string& prefix,
                                        const std::function<bool(const ObjectInfo&)>& each) {
  std::string last;
  return tried<TargetResult<void>>([&] {
    return inner_->list(prefix, [&](const ObjectInfo& info) {
      if (info.name <= last) return true;
      last = info.name;
      return each(info);
    });
  });
}

TargetResult<void> RetryingTarget::remove(const std::string& name) {
  return tried<TargetResult<void>>([&] { return inner_->remove(name); });
}

TargetResult<std::uint64_t> RetryingTarget::sweep(std::int64_t age_ms) {
  return tried<TargetResult<std::uint64_t>>([&] { return inner_->sweep(age_ms); });
}

}  // namespace swarmdns::controlplane
