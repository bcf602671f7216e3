// Crockford's base32, as people read it from paper: 0-9 a-z without i, l, o, u; on reading capitals are
// taken, i and l for 1, o for 0. Bits from the most significant, the last digit filled with zeros. And the
// recovery form of 32 secret octets: nine groups of eight digits, six of them contents and two checks, so
// that a mistyped digit is told by the number of its group. Pure; any thread.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "controlplane/certs/secret.h"
#include "controlplane/ledger/octets.h"

namespace swarmdns::controlplane {

inline constexpr std::string_view kBase32Digits = "0123456789abcdefghjkmnpqrstvwxyz";

std::string to_base32(Bytes octets);
// Exactly the digits of `bytes` octets. The error is the end of a sentence that begins with what was read:
// "has the character 'u', which is none of …".
std::expected<std::string, std::string> from_base32(std::string_view digits, std::size_t bytes);

// The groups: 256 bits of the secret and the first 14 bits of BLAKE2b-256("swarmdns backup recovery v1" 0x00
// ‖ secret) are 54 digits, six to a group. Digits s0 … s7 of group g (from 1), as elements of GF(32) with x^5
// + x^2 + 1 and α = x, fulfil  s0 + … + s7 = g  and  s0 + α s1 + … + α^7 s7 = 0 : any one or two wrong digits
// of a group, and groups in another order, are seen. Five groups in the first line, four in the second.
Secret recovery_form(const Secret& secret);
std::expected<Secret, std::string> from_recovery_form(std::string_view text);

}  // namespace swarmdns::controlplane
