// Builds the queries that go to an upstream, and says whether a reply belongs to one. No allocation.
#pragma once

#include <cstddef>
#include <cstdint>

#include "proto/dns/edns.h"
#include "proto/dns/message.h"
#include "proto/dns/name.h"

namespace swarmdns::dns {

// Header, the longest name, type and class, and an OPT without options.
inline constexpr std::size_t kMaxQuerySize = kHeaderSize + kMaxNameSize + 4 + kOptFixedSize;

struct QuerySpec {
  std::uint16_t id = 0;
  NameView name;
  Type type = Type::A;
  Class klass = Class::IN;
  bool recursion_desired = true;
  bool checking_disabled = false;
  bool authentic_data = false;                      // AD in a query: "tell me AD" (RFC 6840 5.7)
  bool dnssec_ok = false;                           // needs EDNS: ignored when payload_size is 0
  std::uint16_t payload_size = kDefaultUdpPayload;  // 0: no OPT at all
};

// Writes the query to `out` and returns its octets. kMaxQuerySize octets always suffice. Errors: NoSpace.
Expected<std::size_t> write_query(const QuerySpec& spec, MutableBytes out);

// True when `reply` answers the query (ID, QR, opcode, exactly one question, equal ignoring case). The source
// address and port are the caller's to check.
bool reply_matches(const QuerySpec& spec, const Message& reply);

}  // namespace swarmdns::dns
