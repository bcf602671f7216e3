// Stage 1: Ethernet, VLAN, IP and UDP headers.
#include "dataplane/worker/stages.h"

#include <cstring>

#include "dataplane/simd/branchless.h"

namespace swarmdns::worker {
namespace {

constexpr std::size_t kKinds = 4;

// The kind of a frame, guessed from a byte or two: IPv6 or not, an additional record (OPT) in its query or
// not. A wrong guess (a VLAN tag, IPv4 options) costs a mispredicted branch and no more.
std::size_t kind_of(const Frame& frame) noexcept {
  // The low octet of ARCOUNT (RFC 1035 4.1.1) behind plain IPv4 and IPv6 headers.
  constexpr std::size_t kCountV4 = net::kEthernetHeader + net::kIpv4Header + net::kUdpHeader + 11;
  constexpr std::size_t kCountV6 = net::kEthernetHeader + net::kIpv6Header + net::kUdpHeader + 11;
  if (frame.length <= kCountV4) [[unlikely]]
    return 0;
  std::uint16_t type;
  std::memcpy(&type, frame.data + 12, sizeof type);
  const std::size_t is_v6 = simd::opaque(type == 0xdd86);  // 0x86dd as it lies in memory
  const std::size_t at = simd::least(kCountV4 + is_v6 * (kCountV6 - kCountV4), frame.length - 1U);
  return is_v6 * 2 + (std::to_integer<std::size_t>(frame.data[at]) & 1);
}

// The places of a burst's frames, kind by kind. The stages branch on family and OPT again and again: where
// those come by chance, a good part of the branches is mispredicted; in four runs a burst, next to none. The
// frames of one flow are of one family, and near enough in order.
class ByKind {
 public:
  explicit ByKind(const Batch& batch) noexcept {
    std::array<std::uint8_t, kMaxBurst> kinds;
    std::array<std::size_t, kKinds + 1> next{};
    for (std::size_t i = 0; i < batch.count; ++i) {
      const std::size_t kind = kind_of(batch.frames[i]);
      kinds[i] = static_cast<std::uint8_t>(kind);
      ++next[kind + 1];
    }
    for (std::size_t kind = 1; kind < kKinds; ++kind) next[kind] += next[kind - 1];
    for (std::size_t i = 0; i < batch.count; ++i) order_[next[kinds[i]]++] = static_cast<std::uint8_t>(i);
  }
  [[nodiscard]] std::size_t operator[](std::size_t n) const noexcept { return order_[n]; }

 private:
  std::array<std::uint8_t, kMaxBurst> order_;
};

}  // namespace

void headers_stage(Batch& batch, const Context& context) noexcept {
  batch.live.clear();
  batch.to_kernel.clear();
  const ByKind order(batch);
  for (std::size_t n = 0; n < batch.count; ++n) {
    const std::size_t i = order[n];
    const Frame& frame = batch.frames[i];
    prefetch_line(batch.ahead[n], 0);
    net::FrameInfo& info = batch.infos[i];
    switch (net::parse_frame({frame.data, frame.length}, context.identity, frame.checksum_good, info)) {
      case net::Verdict::FastPath:
        batch.fates[i] = Fate::Pending;
        batch.live.push(i);
        break;
      case net::Verdict::Exception:
        batch.fates[i] = Fate::ToKernel;
        batch.to_kernel.push(i);
        break;
      case net::Verdict::Drop:
        batch.fates[i] = Fate::Gone;
        context.counters.add(info.reason);
        break;
    }
  }
  context.counters.add(stats::Counter::RxFrames, batch.count);
}

}  // namespace swarmdns::worker
