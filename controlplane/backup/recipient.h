// Who can read a snapshot: the public half (X25519, RFC 7748) of an operator's key. Written as
// `swarmdns-recipient-1` and 58 digits of Crockford's base32, lower case, of
//   public key (32) ‖ the first 4 octets of BLAKE2b-256("swarmdns backup recipient v1" 0x00 ‖ public key)
// The id, the first 8 octets of BLAKE2b-256("swarmdns backup recipient id v1" 0x00 ‖ public key), stands in
// snapshots. Pure; any thread.
#pragma once

#include <array>
#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "controlplane/ledger/octets.h"

namespace swarmdns::controlplane {

using RecipientId = std::array<std::byte, 8>;

struct Recipient {
  std::array<std::byte, 32> key{};

  RecipientId id() const;
  std::string text() const;
  auto operator<=>(const Recipient&) const = default;
};

// White space around it is forgiven. A key that no secret key can fit (of small order) is refused.
std::expected<Recipient, std::string> parse_recipient(std::string_view text);

// "1f2e…, 77ab…" for messages; "none" when there are none.
std::string recipient_ids_text(std::span<const RecipientId> ids);

}  // namespace swarmdns::controlplane
