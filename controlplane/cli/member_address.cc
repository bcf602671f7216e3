#include "controlplane/cli/member_address.h"

#include <algorithm>

#include "proto/config/formats.h"

namespace swarmdns::controlplane {

std::expected<std::string, std::string> member_address(const std::string& text) {
  std::string host = text;
  std::string port = "8453";
  if (text.starts_with("[")) {
    // What is not of that form stays as it is, and is no address.
    const size_t close = text.find(']');
    const bool port_follows = close != std::string::npos && text.substr(close).starts_with("]:");
    if (close + 1 == text.size() || port_follows) host = text.substr(1, close - 1);
    if (port_follows) port = text.substr(close + 2);
  } else if (const size_t at = text.find('@'); at != std::string::npos) {
    host = text.substr(0, at);
    port = text.substr(at + 1);
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    host = text.substr(0, text.find(':'));
    port = text.substr(text.find(':') + 1);
  }
  if (const auto problem = config::format_problem(v1::HOST_PORT, host + "@" + port)) {
    return std::unexpected("\"" + text +
                           "\" is not the address of a member; 10.54.0.1:8453, ns1.example.net:8453 and "
                           "[2001:db8::1]:8453 are");
  }
  const auto address = config::parse_address(host);
  const bool six = address && address->family == AF_INET6;
  return (six ? "[" + host + "]" : host) + ":" + port;
}

}  // namespace swarmdns::controlplane
