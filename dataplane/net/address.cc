#include "dataplane/net/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace swarmdns::net {
namespace {

// The first `length` bits kept, the rest zero.
Address masked(const Address& address, unsigned length) noexcept {
  Address out;
  for (unsigned i = 0; i < 16; ++i) {
    const unsigned bits = std::min(8U, length > 8 * i ? length - 8 * i : 0U);
    out.bytes[i] = static_cast<std::uint8_t>(address.bytes[i] & (0xff00U >> bits));
  }
  return out;
}

}  // namespace

Address Address::v4(std::span<const std::uint8_t, 4> octets) noexcept {
  Address out;
  out.bytes[10] = out.bytes[11] = 0xff;
  std::copy(octets.begin(), octets.end(), out.bytes.begin() + 12);
  return out;
}

Address Address::v6(std::span<const std::uint8_t, 16> octets) noexcept {
  Address out;
  std::copy(octets.begin(), octets.end(), out.bytes.begin());
  return out;
}

std::optional<Address> Address::parse(std::string_view text) {
  char buffer[INET6_ADDRSTRLEN + 1] = {};
  if (text.empty() || text.size() >= sizeof buffer) return std::nullopt;
  std::copy(text.begin(), text.end(), buffer);
  std::array<std::uint8_t, 4> four{};
  if (inet_pton(AF_INET, buffer, four.data()) == 1) return v4(four);
  std::array<std::uint8_t, 16> sixteen{};
  if (inet_pton(AF_INET6, buffer, sixteen.data()) == 1) return v6(sixteen);
  return std::nullopt;
}

std::string Address::to_text() const {
  char buffer[INET6_ADDRSTRLEN] = {};
  const auto wire = octets();
  inet_ntop(wire.size() == 4 ? AF_INET : AF_INET6, wire.data(), buffer, sizeof buffer);
  return buffer;
}

std::expected<Prefix, std::string> Prefix::parse(std::string_view text) {
  std::string problem = "\"";
  problem.append(text).append("\" ");
  const std::size_t slash = text.find('/');
  const auto address = Address::parse(text.substr(0, slash));
  if (!address) {
    return std::unexpected(
        problem.append("is not an address or prefix; write 192.0.2.0/24 or 2001:db8::/32"));
  }
  const bool v4 = text.substr(0, slash).find(':') == std::string_view::npos;
  const unsigned bits = v4 ? 32 : 128;
  unsigned length = bits;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (error != std::errc() || digits.empty() || end != digits.data() + digits.size() || length > bits) {
      problem.append("has a bad prefix length; it is a number from 0 to ").append(std::to_string(bits));
      return std::unexpected(problem);
    }
  }
  Prefix prefix{*address, static_cast<std::uint8_t>(v4 ? 96 + length : length)};
  const Address network = masked(*address, prefix.length);
  if (!(network == *address)) {
    prefix.address = network;
    problem.append("has bits set behind the prefix length; did you mean ")
        .append(prefix.to_text())
        .append("?");
    return std::unexpected(problem);
  }
  return prefix;
}

std::string Prefix::to_text() const {
  if (is_v4()) return address.to_text() + "/" + std::to_string(length - 96);
  return address.to_text() + "/" + std::to_string(length);
}

bool Prefix::contains(const Address& candidate) const noexcept {
  // Masks as they lie in memory: bits count from the first octet on.
  const auto mask = [](unsigned bits) {
    return bits == 0 ? 0 : __builtin_bswap64(~std::uint64_t{0} << (64 - std::min(bits, 64U)));
  };
  const std::uint64_t differ = ((candidate.high() ^ address.high()) & mask(length)) |
                               ((candidate.low() ^ address.low()) & mask(length > 64 ? length - 64U : 0U));
  return differ == 0 && (length >= 96 || !candidate.is_v4());
}

std::optional<MacAddress> parse_mac(std::string_view text) {
  MacAddress mac{};
  if (text.size() != 17) return std::nullopt;
  for (std::size_t i = 0; i < mac.size(); ++i) {
    const char* at = text.data() + 3 * i;
    if (i > 0 && at[-1] != ':') return std::nullopt;
    const auto [end, error] = std::from_chars(at, at + 2, mac[i], 16);
    if (error != std::errc() || end != at + 2) return std::nullopt;
  }
  return mac;
}

}  // namespace swarmdns::net
