// Octet strings as the ledger's formats write them: big-endian integers, fixed fields, and the three text
// forms (base64 of RFC 4648 section 4, lowercase hex, decimals). Reading is strict: one value has one
// spelling.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace swarmdns::controlplane {

using Bytes = std::span<const std::byte>;

inline Bytes as_octets(std::string_view text) {
  return std::as_bytes(std::span(text));
}
inline std::string_view as_text(Bytes octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

inline void append(std::string& out, Bytes octets) {
  out.append(as_text(octets));
}
// A copy, as Protobuf and RocksDB take it.
inline std::string as_string(Bytes octets) {
  return std::string(as_text(octets));
}

void append_be32(std::string& out, std::uint32_t value);
void append_be64(std::string& out, std::uint64_t value);

// Takes fields from the front. After the first field that is not there, ok() is false and all are zero.
class OctetReader {
 public:
  explicit OctetReader(Bytes octets) : left_(octets) {}

  std::uint32_t be32();
  std::uint64_t be64();
  Bytes take(std::size_t count);
  template <std::size_t N>
  std::array<std::byte, N> array() {
    std::array<std::byte, N> value{};
    const Bytes octets = take(N);
    for (std::size_t i = 0; i < octets.size(); ++i) value[i] = octets[i];
    return value;
  }

  bool ok() const { return ok_; }
  std::size_t left() const { return left_.size(); }
  // All was there, and nothing more.
  bool complete() const { return ok_ && left_.empty(); }

 private:
  Bytes left_;
  bool ok_ = true;
};

std::string to_base64(Bytes octets);
std::string to_hex(Bytes octets);
// nullopt: another alphabet, missing or superfluous padding, bits behind the end that are not zero.
std::optional<std::string> from_base64(std::string_view text);
// nullopt: capitals, an odd length, anything else than hex digits.
std::optional<std::string> from_hex(std::string_view text);
// nullopt: empty, a sign, a leading zero, beyond `most`.
std::optional<std::uint64_t> from_decimal(std::string_view text, std::uint64_t most = UINT64_MAX);

// Octets of exactly N.
template <std::size_t N>
std::optional<std::array<std::byte, N>> array_from(std::string_view octets) {
  if (octets.size() != N) return std::nullopt;
  return OctetReader(as_octets(octets)).array<N>();
}

}  // namespace swarmdns::controlplane
