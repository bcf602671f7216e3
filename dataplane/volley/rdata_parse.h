// RDATA from its presentation form, for expectation files. Allocates: at start only.
#pragma once

#include <cstddef>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proto/dns/types.h"

namespace swarmdns::volley {

// The wire form, without compression. Known by their fields: A AAAA NS CNAME PTR DNAME MX SRV TXT SPF SOA
// CAA; any other type as RFC 3597 5 has it: \# LENGTH HEX... The error says what is wrong.
[[nodiscard]] std::expected<std::vector<std::byte>, std::string> parse_rdata(
    dns::Type type, std::span<const std::string_view> words);

}  // namespace swarmdns::volley
