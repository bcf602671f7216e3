// The 12-octet message header (RFC 1035 4.1.1; AD and CD: RFC 4035 3). Everything is inline and branch-free;
// the views do not own the octets.
#pragma once

#include <cstddef>
#include <cstdint>

#include "proto/dns/bytes.h"
#include "proto/dns/error.h"
#include "proto/dns/types.h"

namespace swarmdns::dns {

inline constexpr std::size_t kHeaderSize = 12;

// The second 16-bit word of the header, in host order.
class Flags {
 public:
  static constexpr std::uint16_t kQr = 0x8000;
  static constexpr std::uint16_t kOpcodeMask = 0x7800;
  static constexpr std::uint16_t kAa = 0x0400;
  static constexpr std::uint16_t kTc = 0x0200;
  static constexpr std::uint16_t kRd = 0x0100;
  static constexpr std::uint16_t kRa = 0x0080;
  static constexpr std::uint16_t kZ = 0x0040;
  static constexpr std::uint16_t kAd = 0x0020;
  static constexpr std::uint16_t kCd = 0x0010;
  static constexpr std::uint16_t kRcodeMask = 0x000f;

  constexpr Flags() = default;
  constexpr explicit Flags(std::uint16_t bits) : bits_(bits) {}

  constexpr std::uint16_t bits() const { return bits_; }

  constexpr bool qr() const { return get(kQr); }  // this is a response
  constexpr bool aa() const { return get(kAa); }
  constexpr bool tc() const { return get(kTc); }
  constexpr bool rd() const { return get(kRd); }
  constexpr bool ra() const { return get(kRa); }
  constexpr bool z() const { return get(kZ); }
  constexpr bool ad() const { return get(kAd); }
  constexpr bool cd() const { return get(kCd); }
  constexpr Opcode opcode() const { return static_cast<Opcode>((bits_ & kOpcodeMask) >> 11); }
  // The low four bits of the rcode; the upper eight are in OPT (edns.h).
  constexpr Rcode rcode() const { return static_cast<Rcode>(bits_ & kRcodeMask); }

  constexpr Flags& set_qr(bool on) { return put(kQr, on); }
  constexpr Flags& set_aa(bool on) { return put(kAa, on); }
  constexpr Flags& set_tc(bool on) { return put(kTc, on); }
  constexpr Flags& set_rd(bool on) { return put(kRd, on); }
  constexpr Flags& set_ra(bool on) { return put(kRa, on); }
  constexpr Flags& set_z(bool on) { return put(kZ, on); }
  constexpr Flags& set_ad(bool on) { return put(kAd, on); }
  constexpr Flags& set_cd(bool on) { return put(kCd, on); }
  constexpr Flags& set_opcode(Opcode opcode) {
    bits_ =
        static_cast<std::uint16_t>((bits_ & ~kOpcodeMask) | ((static_cast<unsigned>(opcode) & 0xfU) << 11));
    return *this;
  }
  // Stores the low four bits of `rcode`.
  constexpr Flags& set_rcode(Rcode rcode) {
    bits_ = static_cast<std::uint16_t>((bits_ & ~kRcodeMask) | (to_u16(rcode) & kRcodeMask));
    return *this;
  }

  constexpr bool operator==(const Flags&) const = default;

 private:
  constexpr bool get(std::uint16_t mask) const { return (bits_ & mask) != 0; }
  constexpr Flags& put(std::uint16_t mask, bool on) {
    bits_ = static_cast<std::uint16_t>(on ? bits_ | mask : bits_ & ~mask);
    return *this;
  }

  std::uint16_t bits_ = 0;
};

// Read access to a header. Made by parse(), or from a pointer to 12 readable octets.
class HeaderView {
 public:
  explicit HeaderView(const std::byte* at) : at_(at) {}
  // Errors: Truncated.
  static Expected<HeaderView> parse(Bytes message) {
    if (message.size() < kHeaderSize) return fail(Error::Truncated);
    return HeaderView(message.data());
  }

  std::uint16_t id() const { return load_be16(at_); }
  Flags flags() const { return Flags(load_be16(at_ + 2)); }
  std::uint16_t qdcount() const { return load_be16(at_ + 4); }
  std::uint16_t ancount() const { return load_be16(at_ + 6); }
  std::uint16_t nscount() const { return load_be16(at_ + 8); }
  std::uint16_t arcount() const { return load_be16(at_ + 10); }

 private:
  const std::byte* at_;
};

// Write access to a header in place.
class HeaderEdit {
 public:
  explicit HeaderEdit(std::byte* at) : at_(at) {}
  // Errors: Truncated.
  static Expected<HeaderEdit> parse(MutableBytes message) {
    if (message.size() < kHeaderSize) return fail(Error::Truncated);
    return HeaderEdit(message.data());
  }

  HeaderView view() const { return HeaderView(at_); }
  void set_id(std::uint16_t id) { store_be16(at_, id); }
  void set_flags(Flags flags) { store_be16(at_ + 2, flags.bits()); }
  void set_qdcount(std::uint16_t n) { store_be16(at_ + 4, n); }
  void set_ancount(std::uint16_t n) { store_be16(at_ + 6, n); }
  void set_nscount(std::uint16_t n) { store_be16(at_ + 8, n); }
  void set_arcount(std::uint16_t n) { store_be16(at_ + 10, n); }
  void set_counts(std::uint16_t qd, std::uint16_t an, std::uint16_t ns, std::uint16_t ar) {
    set_qdcount(qd);
    set_ancount(an);
    set_nscount(ns);
    set_arcount(ar);
  }

 private:
  std::byte* at_;
};

}  // namespace swarmdns::dns
