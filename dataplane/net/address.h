// IP addresses and prefixes as the data plane knows them: IPv4 stands as IPv4-mapped IPv6, so that everything
// above net/ has one kind. Plain values; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace swarmdns::net {

using MacAddress = std::array<std::uint8_t, 6>;

struct alignas(16) Address {
  std::array<std::uint8_t, 16> bytes{};

  friend bool operator==(const Address& a, const Address& b) noexcept {
    return a.high() == b.high() && a.low() == b.low();
  }

  // The halves as they lie in memory: for comparing and hashing, not for order.
  [[nodiscard]] std::uint64_t high() const noexcept { return load(0); }
  [[nodiscard]] std::uint64_t low() const noexcept { return load(8); }

  [[nodiscard]] bool is_v4() const noexcept {
    return high() == 0 && std::memcmp(bytes.data() + 8, "\0\0\xff\xff", 4) == 0;
  }
  // The 4 octets of an IPv4 address, or all 16.
  [[nodiscard]] std::span<const std::uint8_t> octets() const noexcept {
    return is_v4() ? std::span(bytes).subspan(12) : std::span<const std::uint8_t>(bytes);
  }

  [[nodiscard]] static Address v4(std::span<const std::uint8_t, 4> octets) noexcept;
  [[nodiscard]] static Address v6(std::span<const std::uint8_t, 16> octets) noexcept;
  // "192.0.2.1" or "2001:db8::1".
  [[nodiscard]] static std::optional<Address> parse(std::string_view text);
  [[nodiscard]] std::string to_text() const;

 private:
  [[nodiscard]] std::uint64_t load(std::size_t at) const noexcept {
    std::uint64_t word;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    return word;
  }
};

// An address block. `length` counts within the IPv4-mapped form: 96-128 for IPv4 (and 0-95 for IPv6 only when
// the block is one of IPv6 proper).
struct Prefix {
  Address address;
  std::uint8_t length = 0;  // 0-128

  // "10.0.0.0/8", "2001:db8::/32" or a bare address. Bits set behind the length are an error, as in most
  // routers: they are usually a slip. The error names what is wrong and what would be right.
  [[nodiscard]] static std::expected<Prefix, std::string> parse(std::string_view text);
  [[nodiscard]] std::string to_text() const;
  [[nodiscard]] bool is_v4() const noexcept { return length >= 96 && address.is_v4(); }

  // A block of IPv6 never contains an IPv4 address, not even ::/0: "any IPv6" is not "any".
  [[nodiscard]] bool contains(const Address& candidate) const noexcept;

  friend bool operator==(const Prefix&, const Prefix&) = default;
};

// "02:00:00:00:00:01".
[[nodiscard]] std::optional<MacAddress> parse_mac(std::string_view text);

}  // namespace swarmdns::net
