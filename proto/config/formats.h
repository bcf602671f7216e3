// The formats a string of the configuration may have. Pure functions; any thread.
#pragma once

#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "swarmdns/v1/options.pb.h"

namespace swarmdns::config {

struct Address {
  int family = 0;                   // AF_INET or AF_INET6
  std::array<uint8_t, 16> bytes{};  // network order; the first 4 for IPv4
};
struct Prefix {
  Address address;
  unsigned length = 0;  // 0-32, 0-128
};
struct Endpoint {
  Address address;
  uint16_t port = 0;  // 1-65535
};

std::optional<Address> parse_address(std::string_view text);
std::string to_text(const Address& address);
bool is_loopback(const Address& address);
// "ADDRESS/LENGTH"; host bits are kept.
std::optional<Prefix> parse_prefix(std::string_view text);
// The prefix with the bits behind its length cleared.
Prefix network_of(Prefix prefix);
std::string to_text(const Prefix& prefix);
// "ADDRESS" or "ADDRESS@PORT".
std::optional<Endpoint> parse_endpoint(std::string_view text, uint16_t default_port);
bool is_pci_address(std::string_view text);

// What a value of the format is: "an IP prefix such as 192.0.2.0/24 or 2001:db8::/32".
std::string_view format_text(v1::Format format);

// nullopt: the text is of the format. Otherwise what is wrong, with the mend where there is one: "has bits
// set behind its length; write 10.53.1.0/24".
std::optional<std::string> format_problem(v1::Format format, std::string_view text);

}  // namespace swarmdns::config
