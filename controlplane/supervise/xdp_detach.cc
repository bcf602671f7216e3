#include "controlplane/supervise/xdp_detach.h"

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "controlplane/supervise/unique_fd.h"

namespace swarmdns::controlplane {
namespace {

struct Request {
  nlmsghdr header;
  ifinfomsg link;
  char attributes[64];
};

rtattr* append(Request& request, unsigned short type, const void* data, unsigned short size) {
  auto* attribute =
      reinterpret_cast<rtattr*>(reinterpret_cast<char*>(&request) + NLMSG_ALIGN(request.header.nlmsg_len));
  attribute->rta_type = type;
  attribute->rta_len = static_cast<unsigned short>(RTA_LENGTH(size));
  if (size > 0) std::memcpy(RTA_DATA(attribute), data, size);
  request.header.nlmsg_len = NLMSG_ALIGN(request.header.nlmsg_len) + RTA_ALIGN(attribute->rta_len);
  return attribute;
}

Request request_for(uint16_t type, uint16_t flags, unsigned index) {
  Request request{};
  request.header.nlmsg_len = NLMSG_LENGTH(sizeof(ifinfomsg));
  request.header.nlmsg_type = type;
  request.header.nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
  request.link.ifi_family = AF_UNSPEC;
  request.link.ifi_index = static_cast<int>(index);
  return request;
}

// The mode (XDP_ATTACHED_*) in the reply to RTM_GETLINK.
uint8_t attached_mode(const nlmsghdr* reply) {
  const auto* link = static_cast<const ifinfomsg*>(NLMSG_DATA(reply));
  auto left = static_cast<int>(reply->nlmsg_len - NLMSG_LENGTH(sizeof(ifinfomsg)));
  for (auto* a = IFLA_RTA(link); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
    if ((a->rta_type & NLA_TYPE_MASK) != IFLA_XDP) continue;
    auto inner_left = static_cast<int>(RTA_PAYLOAD(a));
    for (auto* b = static_cast<rtattr*>(RTA_DATA(a)); RTA_OK(b, inner_left); b = RTA_NEXT(b, inner_left)) {
      if (b->rta_type == IFLA_XDP_ATTACHED) return *static_cast<uint8_t*>(RTA_DATA(b));
    }
  }
  return XDP_ATTACHED_NONE;
}

class Netlink {
 public:
  Netlink() : fd_(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)) {}

  // The reply, valid until the next call; an error number otherwise.
  std::expected<const nlmsghdr*, int> ask(const Request& request) {
    if (!fd_) return std::unexpected(errno);
    if (send(fd_.get(), &request, request.header.nlmsg_len, 0) < 0) return std::unexpected(errno);
    const ssize_t n = recv(fd_.get(), buffer_, sizeof(buffer_), 0);
    if (n < 0) return std::unexpected(errno);
    const auto* reply = reinterpret_cast<const nlmsghdr*>(buffer_);
    if (!NLMSG_OK(reply, static_cast<unsigned>(n))) return std::unexpected(EBADMSG);
    if (reply->nlmsg_type == NLMSG_ERROR) {
      const int error = static_cast<const nlmsgerr*>(NLMSG_DATA(reply))->error;
      if (error != 0) return std::unexpected(-error);
    }
    return reply;
  }

 private:
  UniqueFd fd_;
  alignas(nlmsghdr) char buffer_[32768] = {};
};

}  // namespace

std::expected<bool, std::string> detach_xdp(const std::string& interface) {
  const unsigned index = if_nametoindex(interface.c_str());
  if (index == 0) return std::unexpected("there is no interface " + interface);
  Netlink netlink;
  const auto link = netlink.ask(request_for(RTM_GETLINK, 0, index));
  if (!link)
    return std::unexpected("cannot look at interface " + interface + ": " + std::strerror(link.error()));
  const uint8_t mode = attached_mode(*link);
  if (mode == XDP_ATTACHED_NONE) return false;

  Request request = request_for(RTM_SETLINK, NLM_F_ACK, index);
  rtattr* nested = append(request, IFLA_XDP | NLA_F_NESTED, nullptr, 0);
  const int no_program = -1;
  append(request, IFLA_XDP_FD, &no_program, sizeof(no_program));
  const uint32_t flags = mode == XDP_ATTACHED_SKB   ? XDP_FLAGS_SKB_MODE
                         : mode == XDP_ATTACHED_HW  ? XDP_FLAGS_HW_MODE
                         : mode == XDP_ATTACHED_DRV ? XDP_FLAGS_DRV_MODE
                                                    : 0;
  append(request, IFLA_XDP_FLAGS, &flags, sizeof(flags));
  nested->rta_len = static_cast<unsigned short>(reinterpret_cast<char*>(&request) + request.header.nlmsg_len -
                                                reinterpret_cast<char*>(nested));
  if (const auto done = netlink.ask(request); !done) {
    return std::unexpected("cannot take the XDP program off " + interface + ": " +
                           std::strerror(done.error()));
  }
  return true;
}

std::string xdp_interface_of(const std::string& device) {
  if (!device.starts_with("net_af_xdp")) return "";
  const size_t key = device.find(",iface=");
  if (key == std::string::npos) return "";
  const size_t begin = key + std::strlen(",iface=");
  return device.substr(begin, device.find(',', begin) - begin);
}

}  // namespace swarmdns::controlplane
