#include "dataplane/exception/rtnl.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

namespace swarmdns::exception {
namespace {

struct Network {
  net::Address address;
  std::uint8_t length = 0;
};

std::expected<Network, std::string> parse_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = net::Address::parse(text.substr(0, slash));
  if (!address) return std::unexpected("\"" + std::string(text) + "\" is no address");
  const unsigned most = address->is_v4() ? 32 : 128;
  unsigned length = most;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (error != std::errc{} || end != digits.data() + digits.size() || length > most) {
      return std::unexpected("the length of \"" + std::string(text) + "\" is not a number from 0 to " +
                             std::to_string(most));
    }
  }
  return Network{*address, static_cast<std::uint8_t>(length)};
}

std::uint8_t family(const net::Address& address) {
  return address.is_v4() ? AF_INET : AF_INET6;
}

}  // namespace

std::expected<InterfaceAddress, std::string> InterfaceAddress::parse(std::string_view text) {
  const auto network = parse_network(text);
  if (!network) return std::unexpected(network.error());
  return InterfaceAddress{network->address, network->length};
}

std::expected<Route, std::string> Route::parse(std::string_view text) {
  constexpr std::string_view kVia = " via ";
  const std::size_t via = text.find(kVia);
  if (via == std::string_view::npos) {
    return std::unexpected("\"" + std::string(text) + "\" is not of the form PREFIX via GATEWAY");
  }
  const std::string_view gateway_text = text.substr(via + kVia.size());
  const auto gateway = net::Address::parse(gateway_text);
  if (!gateway) return std::unexpected("the gateway \"" + std::string(gateway_text) + "\" is no address");
  const std::string_view network_text = text.substr(0, via);
  if (network_text == "default") {
    const net::Address any = gateway->is_v4() ? *net::Address::parse("0.0.0.0") : net::Address{};
    return Route{any, 0, *gateway};
  }
  const auto network = parse_network(network_text);
  if (!network) return std::unexpected(network.error());
  if (network->address.is_v4() != gateway->is_v4()) {
    return std::unexpected("\"" + std::string(text) + "\" mixes IPv4 and IPv6");
  }
  return Route{network->address, network->length, *gateway};
}

// A request of at most a header, a body and a few attributes.
struct Rtnl::Request {
  alignas(nlmsghdr) std::byte bytes[256] = {};

  nlmsghdr& header() { return *reinterpret_cast<nlmsghdr*>(bytes); }
  template <class Body>
  Body& begin(std::uint16_t type, std::uint16_t flags) {
    header().nlmsg_len = NLMSG_LENGTH(sizeof(Body));
    header().nlmsg_type = type;
    header().nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
    return *reinterpret_cast<Body*>(bytes + NLMSG_HDRLEN);
  }
  void attribute(std::uint16_t type, const void* data, std::size_t length) {
    auto& attribute = *reinterpret_cast<rtattr*>(bytes + NLMSG_ALIGN(header().nlmsg_len));
    attribute.rta_type = type;
    attribute.rta_len = static_cast<std::uint16_t>(RTA_LENGTH(length));
    std::memcpy(RTA_DATA(&attribute), data, length);
    header().nlmsg_len =
        static_cast<std::uint32_t>(NLMSG_ALIGN(header().nlmsg_len) + RTA_ALIGN(attribute.rta_len));
  }
  void attribute(std::uint16_t type, const net::Address& address) {
    const auto octets = address.octets();
    attribute(type, octets.data(), octets.size());
  }
};

Rtnl::Rtnl() : fd_(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)) {}

Rtnl::~Rtnl() {
  if (fd_ >= 0) close(fd_);
}

int Rtnl::exchange(Request& request) {
  if (fd_ < 0) return EBADF;
  request.header().nlmsg_seq = ++sequence_;
  if (send(fd_, request.bytes, request.header().nlmsg_len, 0) < 0) return errno;
  alignas(nlmsghdr) std::byte answer[4096];
  for (;;) {
    const ssize_t length = recv(fd_, answer, sizeof answer, 0);
    if (length < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    if (static_cast<std::size_t>(length) < NLMSG_LENGTH(sizeof(nlmsgerr))) return EPROTO;
    nlmsghdr header{};
    std::memcpy(&header, answer, sizeof header);
    if (header.nlmsg_type != NLMSG_ERROR || header.nlmsg_seq != sequence_) continue;
    nlmsgerr error{};
    std::memcpy(&error, answer + NLMSG_HDRLEN, sizeof error);
    return -error.error;
  }
}

int Rtnl::add_address(unsigned interface, const InterfaceAddress& address) {
  Request request;
  auto& body = request.begin<ifaddrmsg>(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE);
  body.ifa_family = family(address.address);
  body.ifa_prefixlen = address.length;
  body.ifa_index = interface;
  request.attribute(IFA_LOCAL, address.address);
  request.attribute(IFA_ADDRESS, address.address);
  if (!address.address.is_v4()) {
    const std::uint32_t flags = IFA_F_NODAD;
    request.attribute(IFA_FLAGS, &flags, sizeof flags);
  }
  return exchange(request);
}

int Rtnl::add_route(unsigned interface, const Route& route) {
  Request request;
  auto& body = request.begin<rtmsg>(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
  body.rtm_family = family(route.gateway);
  body.rtm_dst_len = route.length;
  body.rtm_table = RT_TABLE_MAIN;
  body.rtm_protocol = RTPROT_STATIC;
  body.rtm_scope = RT_SCOPE_UNIVERSE;
  body.rtm_type = RTN_UNICAST;
  if (route.length != 0) request.attribute(RTA_DST, route.network);
  request.attribute(RTA_GATEWAY, route.gateway);
  request.attribute(RTA_OIF, &interface, sizeof interface);
  return exchange(request);
}

}  // namespace swarmdns::exception
