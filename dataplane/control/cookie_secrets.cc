#include "dataplane/control/cookie_secrets.h"

#include <sodium.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "proto/config/store.h"

namespace swarmdns::control {
namespace {

constexpr std::size_t kMaxSecretsBytes = 65536;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::expected<guard::CookieSecret, std::string> parse_secret(std::string_view hex) {
  guard::CookieSecret secret{};
  if (hex.size() != 2 * secret.size()) {
    return std::unexpected("has " + std::to_string(hex.size()) + " characters; 32 hex digits are needed");
  }
  for (std::size_t i = 0; i < secret.size(); ++i) {
    const int high = hex_digit(hex[2 * i]);
    const int low = hex_digit(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::unexpected("is not hexadecimal; 32 hex digits are needed");
    secret[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return secret;
}

bool roll_over(std::vector<DatedSecret>& secrets, std::int64_t now) {
  bool changed = false;
  if (secrets.empty() || now - secrets.front().made >= kRollEvery) {
    DatedSecret fresh;
    randombytes_buf(fresh.secret.data(), fresh.secret.size());
    fresh.made = now;
    secrets.insert(secrets.begin(), fresh);
    changed = true;
  }
  // An older secret verifies until kVerifyFor after its successor was made.
  for (std::size_t i = 1; i < secrets.size(); ++i) {
    if (now - secrets[i - 1].made >= kVerifyFor) {
      secrets.resize(i);
      changed = true;
      break;
    }
  }
  return changed;
}

std::string cookie_secrets_path(const std::string& state_dir) {
  return state_dir + "/cookie-secrets";
}

std::expected<std::vector<DatedSecret>, std::string> parse_secrets(std::string_view text,
                                                                   const std::string& source) {
  std::vector<DatedSecret> secrets;
  for (int line_number = 1; !text.empty(); ++line_number) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    const auto space = line.find(' ');
    const auto secret = parse_secret(line.substr(0, space));
    DatedSecret dated;
    bool good = secret.has_value() && space != std::string_view::npos;
    if (good) {
      dated.secret = *secret;
      const char* last = line.data() + line.size();
      const auto [stop, error] = std::from_chars(line.data() + space + 1, last, dated.made);
      good = error == std::errc{} && stop == last;
    }
    if (!good) {
      return std::unexpected(source + ":" + std::to_string(line_number) +
                             ": not \"HEX UNIXSECONDS\"; remove the file and a new secret is made");
    }
    secrets.push_back(dated);
  }
  return secrets;
}

std::string to_text(std::span<const DatedSecret> secrets) {
  std::string text;
  for (const DatedSecret& dated : secrets) {
    constexpr char kDigits[] = "0123456789abcdef";
    for (const std::uint8_t byte : dated.secret) {
      text += kDigits[byte >> 4];
      text += kDigits[byte & 15];
    }
    text += ' ';
    text += std::to_string(dated.made);
    text += '\n';
  }
  return text;
}

std::expected<std::vector<guard::CookieSecret>, std::string> kept_secrets(const std::string& state_dir,
                                                                          std::int64_t now) {
  const std::string path = cookie_secrets_path(state_dir);
  std::vector<DatedSecret> secrets;
  if (std::error_code error; std::filesystem::exists(path, error)) {
    const auto text = config::read_file(path, kMaxSecretsBytes);
    if (!text) return std::unexpected(text.error());
    auto parsed = parse_secrets(*text, path);
    if (!parsed) return std::unexpected(parsed.error());
    secrets = std::move(*parsed);
  } else if (error) {
    return std::unexpected("cannot look at " + path + ": " + error.message());
  }
  if (roll_over(secrets, now)) {
    if (auto stored = config::write_file_atomically(path, to_text(secrets), 0600); !stored) {
      return std::unexpected(stored.error());
    }
  }
  std::vector<guard::CookieSecret> result;
  result.reserve(secrets.size());
  for (const DatedSecret& dated : secrets) result.push_back(dated.secret);
  return result;
}

}  // namespace swarmdns::control
