#include "controlplane/certs/join_token.h"

#include <sodium.h>

#include <cstdint>

namespace swarmdns::controlplane {
namespace {

constexpr std::string_view kPrefix = "swj1.";
constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::string_view kSpaces = " \t\r\n";
constexpr std::size_t kIdSize = 16;
constexpr std::size_t kFingerprintSize = 32;
constexpr std::size_t kSecretSize = 16;
constexpr std::size_t kChecksumSize = 4;
constexpr std::size_t kSize = kIdSize + kFingerprintSize + kSecretSize + kChecksumSize;
constexpr std::size_t kTextSize = (kSize * 8 + 4) / 5;  // without the prefix

std::string sha256(std::string_view label, std::string_view octets) {
  std::string input(label);
  input += '\0';
  input += octets;
  std::string digest(crypto_hash_sha256_BYTES, '\0');
  crypto_hash_sha256(reinterpret_cast<unsigned char*>(digest.data()),
                     reinterpret_cast<const unsigned char*>(input.data()), input.size());
  return digest;
}

std::string checksum(std::string_view octets) {
  return sha256("swarmdns join token v1", octets).substr(0, kChecksumSize);
}

std::string contents(const JoinToken& token) {
  return token.swarm_id + token.root_fingerprint + token.secret;
}

std::string to_base32(std::string_view octets) {
  std::string text;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : octets) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    for (count += 8; count >= 5; count -= 5) text += kAlphabet[bits >> (count - 5) & 31];
  }
  if (count > 0) text += kAlphabet[bits << (5 - count) & 31];
  return text;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

JoinToken make_join_token(std::string_view swarm_id, std::string_view root_fingerprint) {
  JoinToken token{std::string(swarm_id), std::string(root_fingerprint), std::string(kSecretSize, '\0')};
  randombytes_buf(token.secret.data(), token.secret.size());
  return token;
}

std::string join_token_text(const JoinToken& token) {
  const std::string octets = contents(token);
  return std::string(kPrefix) + to_base32(octets + checksum(octets));
}

std::expected<JoinToken, std::string> parse_join_token(std::string_view text) {
  const std::string again = "; copy the whole line that `swarmctl swarm token` printed";
  const std::size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return std::unexpected("the token is empty" + again);
  text = text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
  std::string low;
  for (const char c : text) low += lower(c);
  if (!low.starts_with(kPrefix)) {
    return std::unexpected("a token begins with \"" + std::string(kPrefix) + "\"" + again);
  }
  const std::string_view digits = std::string_view(low).substr(kPrefix.size());
  if (const std::size_t at = digits.find_first_not_of(kAlphabet); at != std::string_view::npos) {
    return std::unexpected("character " + std::to_string(kPrefix.size() + at + 1) +
                           " of the token is none of a to z and 2 to 7" + again);
  }
  if (digits.size() != kTextSize) {
    return std::unexpected("the token has " + std::to_string(low.size()) + " characters instead of " +
                           std::to_string(kPrefix.size() + kTextSize) + ": it is " +
                           (digits.size() < kTextSize ? "cut" : "too long") + again);
  }
  std::string octets;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : digits) {
    bits = bits << 5 | static_cast<std::uint32_t>(kAlphabet.find(c));
    count += 5;
    if (count >= 8) {
      count -= 8;
      octets += static_cast<char>(bits >> count & 255);
    }
  }
  const std::string_view body = std::string_view(octets).substr(0, kSize - kChecksumSize);
  // Written again it must be the same: the last character has a bit that stands for nothing.
  if (octets.substr(body.size()) != checksum(body) || to_base32(octets) != digits) {
    return std::unexpected("the token is mistyped: its checksum does not fit" + again);
  }
  return JoinToken{octets.substr(0, kIdSize), octets.substr(kIdSize, kFingerprintSize),
                   octets.substr(kIdSize + kFingerprintSize, kSecretSize)};
}

std::string join_token_hash(const JoinToken& token) {
  return sha256("swarmdns join token hash v1", contents(token));
}

}  // namespace swarmdns::controlplane
