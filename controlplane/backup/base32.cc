#include "controlplane/backup/base32.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "controlplane/backup/blake.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::size_t kGroups = 9;
constexpr std::size_t kGroupDigits = 8;
constexpr std::size_t kContents = 6;  // digits of a group that carry something
constexpr std::size_t kSecretBytes = 32;

// -1: no digit.
int value_of(char c) {
  if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (c == 'i' || c == 'l') c = '1';
  if (c == 'o') c = '0';
  const std::size_t at = kBase32Digits.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

unsigned times_x(unsigned value) {
  value <<= 1;
  return (value & 32) != 0 ? value ^ 0b100101 : value;
}

unsigned times_power(unsigned value, std::size_t power) {
  for (; power > 0; --power) value = times_x(value);
  return value;
}

// The element whose product with (α^6 + α^7) is `value`.
unsigned divided(unsigned value) {
  for (unsigned candidate = 0; candidate < 32; ++candidate)
    if ((times_power(candidate, 6) ^ times_power(candidate, 7)) == value) return candidate;
  return 0;
}

struct Sums {
  unsigned plain = 0;
  unsigned weighted = 0;
};
Sums sums(std::span<const unsigned> digits) {
  Sums of;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    of.plain ^= digits[i];
    of.weighted ^= times_power(digits[i], i);
  }
  return of;
}

// 256 bits and 14 of their hash.
std::string contents_of(std::string_view secret) {
  std::string octets(secret);
  const Digest check = blake("swarmdns backup recovery v1", {as_octets(secret)});
  octets += static_cast<char>(check[0]);
  octets += static_cast<char>(check[1] & std::byte{0xfc});
  return octets;
}

std::string group_name(std::size_t number, std::string_view group) {
  return "group " + std::to_string(number) + " of the recovery form (\"" + std::string(group) + "\")";
}

std::vector<std::string_view> split(std::string_view text) {
  constexpr std::string_view kBetween = " \t\r\n-";
  std::vector<std::string_view> words;
  for (std::size_t at = text.find_first_not_of(kBetween); at != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(kBetween, at), text.size());
    words.push_back(text.substr(at, end - at));
    at = text.find_first_not_of(kBetween, end);
  }
  return words;
}

}  // namespace

std::string to_base32(Bytes octets) {
  std::string text;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const std::byte octet : octets) {
    bits = bits << 8 | std::to_integer<std::uint32_t>(octet);
    for (count += 8; count >= 5; count -= 5) text += kBase32Digits[bits >> (count - 5) & 31];
  }
  if (count > 0) text += kBase32Digits[bits << (5 - count) & 31];
  return text;
}

std::expected<std::string, std::string> from_base32(std::string_view digits, std::size_t bytes) {
  const std::size_t wanted = (bytes * 8 + 4) / 5;
  std::string octets;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : digits) {
    const int value = value_of(c);
    if (value < 0) {
      return std::unexpected("has the character '" + std::string(1, c) +
                             "', which is none of 0 to 9 and a to z without u");
    }
    bits = bits << 5 | static_cast<std::uint32_t>(value);
    count += 5;
    if (count >= 8) {
      count -= 8;
      octets += static_cast<char>(bits >> count & 255);
    }
  }
  if (digits.size() != wanted) {
    return std::unexpected("has " + std::to_string(digits.size()) + " characters where " +
                           std::to_string(wanted) + " belong");
  }
  if ((bits & ((1u << count) - 1)) != 0) return std::unexpected("is mistyped at its end");
  return octets;
}

Secret recovery_form(const Secret& secret) {
  std::string contents = contents_of(secret.view());
  std::string digits = to_base32(as_octets(contents));
  std::string text;
  text.reserve(kGroups * (kGroupDigits + 1));  // no copy stays behind
  for (std::size_t g = 0; g < kGroups; ++g) {
    std::array<unsigned, kContents> values;
    for (std::size_t i = 0; i < kContents; ++i)
      values[i] = static_cast<unsigned>(value_of(digits[g * kContents + i]));
    const Sums of = sums(values);
    const unsigned both = of.plain ^ static_cast<unsigned>(g + 1);  // s6 + s7
    const unsigned last = divided(of.weighted ^ times_power(both, 6));
    text.append(digits, g * kContents, kContents);
    text += kBase32Digits[both ^ last];
    text += kBase32Digits[last];
    text += g == 4 || g + 1 == kGroups ? '\n' : ' ';
  }
  sodium_memzero(contents.data(), contents.size());
  sodium_memzero(digits.data(), digits.size());
  return Secret::taken_from(text);
}

std::expected<Secret, std::string> from_recovery_form(std::string_view text) {
  const std::string mend = "; compare it with the paper";
  const auto groups = split(text);
  for (std::size_t g = 0; g < std::min(groups.size(), kGroups); ++g) {
    std::array<unsigned, kGroupDigits> values{};
    for (std::size_t i = 0; i < groups[g].size(); ++i) {
      const int value = value_of(groups[g][i]);
      if (value < 0) {
        return std::unexpected(group_name(g + 1, groups[g]) + " has the character '" + groups[g][i] +
                               "', which is none of 0 to 9 and a to z without u" + mend);
      }
      if (i < kGroupDigits) values[i] = static_cast<unsigned>(value);
    }
    if (groups[g].size() != kGroupDigits) {
      return std::unexpected(group_name(g + 1, groups[g]) + " has " + std::to_string(groups[g].size()) +
                             " characters instead of " + std::to_string(kGroupDigits) + mend);
    }
    const Sums of = sums(values);
    if (of.weighted == 0 && of.plain != g + 1 && of.plain >= 1 && of.plain <= kGroups) {
      return std::unexpected(group_name(g + 1, groups[g]) + " is group " + std::to_string(of.plain) +
                             ": the groups are in another order, or one is missing" + mend);
    }
    if (of.weighted != 0 || of.plain != g + 1)
      return std::unexpected(group_name(g + 1, groups[g]) + " is mistyped" + mend);
  }
  if (groups.size() != kGroups) {
    return std::unexpected("the recovery form has " + std::to_string(groups.size()) + " groups instead of " +
                           std::to_string(kGroups) + mend);
  }
  std::string digits;
  digits.reserve(kGroups * kContents + 1);
  for (const auto& group : groups) digits.append(group.substr(0, kContents));
  digits += kBase32Digits[0];  // 272 bits are 54 digits and two zero bits
  auto octets = from_base32(digits, kSecretBytes + 2);
  sodium_memzero(digits.data(), digits.size());
  if (!octets) return std::unexpected("the recovery form " + octets.error() + mend);
  std::string again = contents_of(std::string_view(*octets).substr(0, kSecretBytes));
  const bool whole = again == *octets;
  sodium_memzero(again.data(), again.size());
  Secret secret(std::string_view(*octets).substr(0, kSecretBytes));
  sodium_memzero(octets->data(), octets->size());
  if (!whole) {
    return std::unexpected(
        "the recovery form does not fit together: some group is of another key, or mistyped in more than two "
        "places" +
        mend);
  }
  return secret;
}

}  // namespace swarmdns::controlplane
