// The encodings that presentation formats use for octets. Allocates: for text forms only.
#pragma once

#include <string>

#include "proto/dns/bytes.h"

namespace swarmdns::dns {

std::string to_hex(Bytes octets);        // upper case, no spaces
std::string to_base64(Bytes octets);     // RFC 4648 4, padded
std::string to_base32hex(Bytes octets);  // RFC 4648 7, upper case, no padding (RFC 5155 3.3)
// A <character-string> in quotes: " and \ escaped, octets outside 0x20–0x7e as \DDD (RFC 1035 5.1).
std::string to_quoted(Bytes octets);
// `\DDD`, always three digits.
void append_ddd(std::string& out, std::byte octet);

}  // namespace swarmdns::dns
