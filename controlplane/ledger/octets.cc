#include "controlplane/ledger/octets.h"

#include <sodium.h>

#include <algorithm>
#include <charconv>

namespace swarmdns::controlplane {
namespace {

const unsigned char* raw(Bytes octets) {
  return reinterpret_cast<const unsigned char*>(octets.data());
}

}  // namespace

void append_be32(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

void append_be64(std::string& out, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

Bytes OctetReader::take(std::size_t count) {
  if (!ok_ || count > left_.size()) {
    ok_ = false;
    return {};
  }
  const Bytes octets = left_.first(count);
  left_ = left_.subspan(count);
  return octets;
}

std::uint32_t OctetReader::be32() {
  std::uint32_t value = 0;
  for (const std::byte octet : take(4)) value = value << 8 | std::to_integer<std::uint32_t>(octet);
  return value;
}

std::uint64_t OctetReader::be64() {
  std::uint64_t value = 0;
  for (const std::byte octet : take(8)) value = value << 8 | std::to_integer<std::uint64_t>(octet);
  return value;
}

std::string to_base64(Bytes octets) {
  std::string text(sodium_base64_ENCODED_LEN(octets.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(text.data(), text.size(), raw(octets), octets.size(), sodium_base64_VARIANT_ORIGINAL);
  text.pop_back();  // the zero behind the text
  return text;
}

std::string to_hex(Bytes octets) {
  std::string text(octets.size() * 2 + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), raw(octets), octets.size());
  text.pop_back();
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string octets(text.size() / 4 * 3, '\0');
  std::size_t length = 0;
  const char* end = nullptr;
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(octets.data()), octets.size(), text.data(),
                        text.size(), nullptr, &length, &end, sodium_base64_VARIANT_ORIGINAL) != 0 ||
      end != text.data() + text.size()) {
    return std::nullopt;
  }
  octets.resize(length);
  // libsodium 1.0.18 takes some octets above 0x7F for '+' and '/'.
  if (to_base64(as_octets(octets)) != text) return std::nullopt;
  return octets;
}

std::optional<std::string> from_hex(std::string_view text) {
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (text.size() % 2 != 0 || !std::ranges::all_of(text, is_digit)) return std::nullopt;
  std::string octets(text.size() / 2, '\0');
  sodium_hex2bin(reinterpret_cast<unsigned char*>(octets.data()), octets.size(), text.data(), text.size(),
                 nullptr, nullptr, nullptr);
  return octets;
}

std::optional<std::uint64_t> from_decimal(std::string_view text, std::uint64_t most) {
  if (text.empty() || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > most) return std::nullopt;
  return value;
}

}  // namespace swarmdns::controlplane
