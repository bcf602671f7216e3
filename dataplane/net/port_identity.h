// What a port answers to. Immutable once built (by control), shared by all workers; a change is a new object.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/net/address.h"

namespace swarmdns::net {

// A small exact-match set: one or two probes for a hit, none for most misses. Built once, then read by any
// thread.
class AddressSet {
 public:
  explicit AddressSet(std::span<const Address> addresses = {});

  [[nodiscard, gnu::always_inline]] bool contains(const Address& address) const noexcept {
    const std::uint64_t mixed = mix(address);
    if ((some_ >> (mixed >> 58) & 1) == 0) return false;
    for (std::size_t at = slot(mixed);; at = (at + 1) & mask_) {  // at most a quarter full: always ends
      if (slots_[at] == kEmpty) return false;
      if (slots_[at] == address) return true;
    }
  }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  static constexpr Address kEmpty{};  // the unspecified address is never a member

  [[gnu::always_inline]] static std::uint64_t mix(const Address& address) noexcept {
    return (address.high() ^ address.low()) * 0x9e3779b97f4a7c15;
  }
  [[nodiscard, gnu::always_inline]] std::size_t slot(std::uint64_t mixed) const noexcept {
    return static_cast<std::size_t>(mixed >> 32) & mask_;
  }

  std::vector<Address> slots_;
  std::size_t mask_ = 0;
  std::uint64_t some_ = 0;  // a bit for the top six bits of each member's mix()
  std::size_t size_ = 0;
};

class PortIdentity {
 public:
  struct Options {
    MacAddress mac{};
    std::vector<Address> service;  // queries to these are answered
    std::vector<Address>
        local;  // the node's other addresses on this port: only for the kernel, never a source
    std::vector<Prefix> martians;  // never a source, beside those no network has
  };
  explicit PortIdentity(const Options& options);

  [[nodiscard]] const MacAddress& mac() const noexcept { return mac_; }
  // The MAC as the low six octets of a 64-bit load.
  [[nodiscard]] std::uint64_t mac_word() const noexcept { return mac_word_; }
  [[nodiscard]] const AddressSet& service() const noexcept { return service_; }
  // For the kernel: service addresses, `local`, and link-local addresses (with our MAC they can only be
  // ours).
  [[nodiscard]] bool is_for_us(const Address& destination) const noexcept;
  // True for a source that no honest datagram has: own, unspecified, loopback, multicast, broadcast, IPv4 in
  // IPv6 clothes.
  [[nodiscard, gnu::always_inline]] bool is_martian(const Address& source) const noexcept {
    const std::uint8_t v4 = source.bytes[12];
    // RFC 1122 3.2.1.3: this network, loopback; multicast, reserved and broadcast. RFC 4291 2.5, 2.7: ::,
    // ::1, the deprecated ::/96; multicast. (IPv4-mapped sources never get here from IPv6: see headers.cc.)
    if (source.is_v4() ? v4 == 0 || v4 == 127 || v4 >= 224 : source.high() == 0 || source.bytes[0] == 0xff) {
      return true;
    }
    return own_.contains(source) || (!martians_.empty() && in_martians(source));
  }

 private:
  [[nodiscard]] bool in_martians(const Address& source) const noexcept;

  MacAddress mac_;
  std::uint64_t mac_word_ = 0;
  AddressSet service_;
  AddressSet own_;  // service and local
  std::vector<Prefix> martians_;
};

}  // namespace swarmdns::net
