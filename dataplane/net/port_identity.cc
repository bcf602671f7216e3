#include "dataplane/net/port_identity.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace swarmdns::net {

AddressSet::AddressSet(std::span<const Address> addresses) {
  const std::size_t slots = std::bit_ceil(std::max<std::size_t>(4 * addresses.size() + 1, 8));
  slots_.resize(slots);
  mask_ = slots - 1;
  for (const Address& address : addresses) {
    if (address == kEmpty || contains(address)) continue;
    const std::uint64_t mixed = mix(address);
    some_ |= std::uint64_t{1} << (mixed >> 58);
    std::size_t at = slot(mixed);
    while (!(slots_[at] == kEmpty)) at = (at + 1) & mask_;
    slots_[at] = address;
    ++size_;
  }
}

PortIdentity::PortIdentity(const Options& options)
    : mac_(options.mac), service_(options.service), martians_(options.martians) {
  std::memcpy(&mac_word_, mac_.data(), mac_.size());
  std::vector<Address> own = options.service;
  own.insert(own.end(), options.local.begin(), options.local.end());
  own_ = AddressSet(own);
}

bool PortIdentity::is_for_us(const Address& destination) const noexcept {
  if (own_.contains(destination)) return true;
  return destination.bytes[0] == 0xfe && (destination.bytes[1] & 0xc0) == 0x80;  // fe80::/10
}

bool PortIdentity::in_martians(const Address& source) const noexcept {
  return std::any_of(martians_.begin(), martians_.end(), [&](const Prefix& p) { return p.contains(source); });
}

}  // namespace swarmdns::net
