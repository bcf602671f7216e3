// The secrets of DNS cookies (RFC 9018): given by configuration, or made here, kept in
// STATE_DIR/cookie-secrets (0600) and rolled over. The newest signs; the one before it still verifies for
// kVerifyFor after the change, longer than any cookie lives, so that no client notices a rollover. Slow
// threads only.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "dataplane/guard/cookies.h"

namespace swarmdns::control {

// RFC 9018 5: a new secret at least every 36 days; a cookie is at most an hour old.
inline constexpr std::int64_t kRollEvery = std::int64_t{26} * 86400;  // seconds
inline constexpr std::int64_t kVerifyFor = std::int64_t{2} * 3600;    // seconds

struct DatedSecret {
  guard::CookieSecret secret{};
  std::int64_t made = 0;  // Unix seconds; a clock set back makes a secret live longer, never shorter
  friend bool operator==(const DatedSecret&, const DatedSecret&) = default;
};

// Newest first. Makes the first secret, rolls over what is due at `now` (Unix seconds) and forgets what no
// longer verifies. True when something changed.
bool roll_over(std::vector<DatedSecret>& secrets, std::int64_t now);

// The file: a line a secret, newest first, "HEX UNIXSECONDS".
[[nodiscard]] std::string cookie_secrets_path(const std::string& state_dir);
[[nodiscard]] std::expected<std::vector<DatedSecret>, std::string> parse_secrets(std::string_view text,
                                                                                 const std::string& source);
[[nodiscard]] std::string to_text(std::span<const DatedSecret> secrets);

// Loads the file (none: starts one), advances to `now`, stores it when that changed anything.
[[nodiscard]] std::expected<std::vector<guard::CookieSecret>, std::string> kept_secrets(
    const std::string& state_dir, std::int64_t now);

// 32 hex digits.
[[nodiscard]] std::expected<guard::CookieSecret, std::string> parse_secret(std::string_view hex);

}  // namespace swarmdns::control
