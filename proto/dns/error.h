// The errors of the DNS wire library. Every function that can refuse its input returns Expected<T>; nothing
// throws.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

namespace swarmdns::dns {

enum class Error : std::uint8_t {
  Truncated,             // the input ends inside a field
  BadLabelType,          // a label starts with 0b01 or 0b10 (RFC 1035 4.1.4, RFC 6891 5)
  PointerLoop,           // a compression pointer re-enters the name being read, or the chain is too long
  ForwardPointer,        // a compression pointer to something behind it
  PointerIntoHeader,     // a compression pointer into the 12 octets of the header
  CompressionForbidden,  // a compression pointer where the format allows none
  NameTooLong,           // more than 255 octets (RFC 1035 2.3.4)
  LabelTooLong,          // text: a label of more than 63 octets
  EmptyLabel,            // text: two dots in a row, or a dot first
  BadEscape,             // text: \ at the end, \DDD above 255 or cut short
  BadAddress,            // text: neither an IPv4 nor an IPv6 address
  TrailingBytes,         // octets left behind the last record, or behind a field that must fill its space
  BadOpt,         // OPT whose owner is not the root, or outside the additional section (RFC 6891 6.1.1)
  DuplicateOpt,   // a second OPT (RFC 6891 6.1.1)
  BadOption,      // an EDNS option that runs past RDATA, or whose contents break its RFC
  BadRdata,       // RDATA that does not fit its type
  NoSpace,        // the writer's buffer or limit is reached; what was written before still stands
  WrongSection,   // the writer was asked to go back to an earlier section
  CountOverflow,  // more than 65,535 records in a section
};

template <class T>
using Expected = std::expected<T, Error>;

// Shorthand for `return std::unexpected(...)`.
inline std::unexpected<Error> fail(Error error) {
  return std::unexpected<Error>(error);
}

// The enumerator's name, for logs and counters. Never allocates.
std::string_view to_text(Error error);

}  // namespace swarmdns::dns
