// The few requests to the kernel's routing socket (rtnetlink) that a TAP needs: addresses and routes. At
// start, main thread, as root.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "dataplane/net/address.h"

namespace swarmdns::exception {

// An address with the length of its network: "10.53.1.1/24", "fd53:1::1/64"; a bare address is a network of
// its own.
struct InterfaceAddress {
  net::Address address;
  std::uint8_t length = 0;  // as written: 0-32 for IPv4, 0-128 for IPv6
  [[nodiscard]] static std::expected<InterfaceAddress, std::string> parse(std::string_view text);
};

// "10.0.0.0/8 via 10.53.1.254", "default via fe80::1".
struct Route {
  net::Address network;
  std::uint8_t length = 0;  // as written
  net::Address gateway;
  [[nodiscard]] static std::expected<Route, std::string> parse(std::string_view text);
};

class Rtnl {
 public:
  Rtnl();
  ~Rtnl();
  Rtnl(const Rtnl&) = delete;
  Rtnl& operator=(const Rtnl&) = delete;

  // Each returns 0 or an errno. An address is usable at once: IPv6 without duplicate address detection.
  [[nodiscard]] int add_address(unsigned interface, const InterfaceAddress& address);
  [[nodiscard]] int add_route(unsigned interface, const Route& route);

 private:
  struct Request;
  [[nodiscard]] int exchange(Request& request);
  int fd_;
  std::uint32_t sequence_ = 0;
};

}  // namespace swarmdns::exception
