// A query frame becomes its reply: the same octets with the ends exchanged, new lengths and new checksums.
#include <cstring>

#include "dataplane/net/frame.h"

namespace swarmdns::net {
namespace {

constexpr std::uint8_t kHopLimit = 64;

void store_be16(std::byte* at, std::size_t value) noexcept {
  const auto swapped = __builtin_bswap16(static_cast<std::uint16_t>(value));
  std::memcpy(at, &swapped, sizeof swapped);
}

void swap_macs(std::byte* frame) noexcept {
  std::byte destination[6];
  std::memcpy(destination, frame, 6);
  std::memcpy(frame, frame + 6, 6);
  std::memcpy(frame + 6, destination, 6);
}

// Identification 0 and DF: a datagram that is never fragmented needs no identification (RFC 6864 4.1), and an
// answer that would be is better asked for again by TCP (RFC 9715 3.1).
void turn_ipv4(std::byte* ip, std::size_t udp_len, std::uint16_t address_sum) noexcept {
  const std::uint16_t total = __builtin_bswap16(static_cast<std::uint16_t>(kIpv4Header + udp_len));
  constexpr std::uint64_t kVersionIhl = 0x45;      // type of service 0 behind it
  constexpr std::uint64_t kDontFragment = 0x0040;  // 0x4000 as it lies in memory
  constexpr std::uint64_t kTtlProtocol = kHopLimit | (std::uint64_t{kProtoUdp} << 8);
  const std::uint64_t words = kVersionIhl | (std::uint64_t{total} << 16) | (kDontFragment << 48);
  const std::uint16_t sum = fold_sum(kVersionIhl + total + kDontFragment + kTtlProtocol + address_sum);
  const std::uint32_t middle =
      static_cast<std::uint32_t>(kTtlProtocol) | (std::uint32_t{static_cast<std::uint16_t>(~sum)} << 16);
  std::uint64_t addresses;
  std::memcpy(&addresses, ip + 12, sizeof addresses);
  addresses = (addresses >> 32) | (addresses << 32);
  std::memcpy(ip, &words, sizeof words);
  std::memcpy(ip + 8, &middle, sizeof middle);
  std::memcpy(ip + 12, &addresses, sizeof addresses);
}

void turn_ipv6(std::byte* ip, std::size_t udp_len) noexcept {
  std::byte source[16];
  std::memcpy(source, ip + 8, 16);
  std::memcpy(ip + 8, ip + 24, 16);
  std::memcpy(ip + 24, source, 16);
  const std::uint32_t version = 0x60;  // traffic class and flow label 0
  std::memcpy(ip, &version, sizeof version);
  store_be16(ip + 4, udp_len);
  ip[6] = std::byte{kProtoUdp};
  ip[7] = std::byte{kHopLimit};
}

}  // namespace

std::size_t finish_reply(std::span<std::byte> frame, const FrameInfo& info, std::size_t message_len,
                         std::uint32_t message_sum) noexcept {
  std::byte* const udp = frame.data() + info.l4;
  const std::size_t udp_len = kUdpHeader + message_len;
  if (message_sum == kUnknownSum) message_sum = sum_bytes(udp + kUdpHeader, message_len);

  swap_macs(frame.data());
  if (info.ipv6) {
    turn_ipv6(frame.data() + info.l3, udp_len);
  } else {
    turn_ipv4(frame.data() + info.l3, udp_len, info.address_sum);
  }

  // Ports exchanged; the length counts twice, in the pseudo-header and in the header (RFC 768).
  const std::uint16_t client = __builtin_bswap16(info.source_port);
  const std::uint16_t service = __builtin_bswap16(kDnsPort);
  const std::uint16_t length = __builtin_bswap16(static_cast<std::uint16_t>(udp_len));
  const std::uint64_t sum = std::uint64_t{info.address_sum} + __builtin_bswap16(std::uint16_t{kProtoUdp}) +
                            client + service + 2 * std::uint64_t{length} + message_sum;
  std::uint16_t checksum = static_cast<std::uint16_t>(~fold_sum(sum));
  if (checksum == 0) checksum = 0xffff;  // 0 would say that there is none
  const std::uint64_t header = std::uint64_t{service} | (std::uint64_t{client} << 16) |
                               (std::uint64_t{length} << 32) | (std::uint64_t{checksum} << 48);
  std::memcpy(udp, &header, sizeof header);
  return info.payload + message_len;
}

std::size_t save_headers(std::span<const std::byte> frame, const FrameInfo& info,
                         std::span<std::byte> out) noexcept {
  if (out.size() < info.payload) return 0;
  std::memcpy(out.data(), frame.data(), info.payload);
  return info.payload;
}

bool restore_headers(std::span<const std::byte> headers, std::span<std::byte> frame) noexcept {
  if (frame.size() < headers.size()) return false;
  std::memcpy(frame.data(), headers.data(), headers.size());
  return true;
}

}  // namespace swarmdns::net
