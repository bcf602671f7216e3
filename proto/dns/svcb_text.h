// Presentation form of SvcParams (RFC 9460 2.1, appendix A). Used by rdata_text.cc.
#pragma once

#include <optional>
#include <string>

#include "proto/dns/bytes.h"

namespace swarmdns::dns {

// Every parameter preceded by a space, or empty when `params` breaks the wire format (RFC 9460 2.2: keys
// ascending, values inside their lengths, known values well-formed).
std::optional<std::string> svc_params_to_text(Bytes params);

}  // namespace swarmdns::dns
