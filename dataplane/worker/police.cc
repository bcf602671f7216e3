#include "dataplane/worker/police.h"

#include <algorithm>

namespace swarmdns::worker {

Police::Police(const PoliceRates& rates) noexcept {
  const PoliceRate* const all[kKinds] = {&rates.arp,       &rates.icmp,    &rates.tcp,
                                         &rates.fragments, &rates.options, &rates.other};
  for (std::size_t i = 0; i < kKinds; ++i) {
    const std::uint32_t per_ms = std::clamp<std::uint32_t>(all[i]->per_second / 1000, 1, 16'000);
    buckets_[i] = {all[i]->burst, per_ms, all[i]->burst};
  }
}

void Police::refill(std::uint32_t now_ms) noexcept {
  // A pause of more than a minute fills every bucket, as a shorter one does.
  const std::uint32_t elapsed = std::min<std::uint32_t>(now_ms - last_ms_, 60'000);
  if (elapsed == 0) return;
  last_ms_ = now_ms;
  for (Bucket& bucket : buckets_) {
    bucket.tokens = std::min(bucket.burst, bucket.tokens + elapsed * bucket.per_ms);
  }
}

bool Police::pass(stats::Counter reason) noexcept {
  Bucket& bucket = buckets_[kind(reason)];
  if (bucket.tokens == 0) return false;
  --bucket.tokens;
  return true;
}

std::size_t Police::kind(stats::Counter reason) noexcept {
  switch (reason) {
    case stats::Counter::ToKernelArp:
      return 0;
    case stats::Counter::ToKernelIcmp:
      return 1;
    case stats::Counter::ToKernelTcp:
      return 2;
    case stats::Counter::ToKernelFragment:
      return 3;
    case stats::Counter::ToKernelOptions:
      return 4;
    default:
      return 5;
  }
}

}  // namespace swarmdns::worker
