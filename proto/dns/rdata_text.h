// Presentation form of RDATA (RFC 1035 5, RFC 3597 5, RFC 4034, RFC 5155, RFC 8659, RFC 9460). Allocates: for
// tools, never for the packet path.
#pragma once

#include <string>

#include "proto/dns/record.h"

namespace swarmdns::dns {

// The RDATA of `record` as a zone file has it. A type whose form is not known here, and RDATA that does not
// fit its type, come as `\# LENGTH HEX` (RFC 3597 5): there is always a text, and it never lies.
std::string rdata_to_text(const RecordView& record);

}  // namespace swarmdns::dns
