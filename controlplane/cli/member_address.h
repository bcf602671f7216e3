// Addresses of members as they are typed. Pure.
#pragma once

#include <expected>
#include <string>

namespace swarmdns::controlplane {

// "10.54.0.1", "ns1.example.net:8453", "2001:db8::1@8453", "[2001:db8::1]:8453" -> HOST:PORT as gRPC and
// SwarmDNS take it; without a port 8453. The error is a sentence.
std::expected<std::string, std::string> member_address(const std::string& text);

}  // namespace swarmdns::controlplane
