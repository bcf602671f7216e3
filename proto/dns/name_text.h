// Presentation form of names (RFC 1035 5.1, RFC 4343 2.1) and the names of reverse lookups. Allocates: not
// for the packet path.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "proto/dns/name.h"

namespace swarmdns::dns {

// Always absolute ("example.com.", "." for the root). Dots, backslashes and the characters that zone files
// treat specially ( " ( ) ; @ $ ) get a backslash; octets outside 0x21–0x7e become \DDD.
std::string to_text(NameView name);

// The label only, escaped as above.
std::string label_to_text(Bytes label);

// The final dot is optional: the text is always taken as absolute. "." is the root; an empty text is an
// error. Errors: EmptyLabel, LabelTooLong, NameTooLong, BadEscape.
Expected<Name> name_from_text(std::string_view text);

// 192.0.2.1 → 1.2.0.192.in-addr.arpa.; 16 octets → nibbles under ip6.arpa.
Name reverse_name(std::span<const std::byte, 4> ipv4);
Name reverse_name(std::span<const std::byte, 16> ipv6);
// From the text of an address of either family. Errors: BadAddress.
Expected<Name> reverse_name_from_text(std::string_view address);

}  // namespace swarmdns::dns
