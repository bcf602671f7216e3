#include "dataplane/eal/carrier.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

namespace swarmdns::eal {
namespace {

// A datagram socket to send interface ioctls by.
class Control {
 public:
  Control() : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}
  ~Control() {
    if (fd_ >= 0) close(fd_);
  }
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;
  [[nodiscard]] bool operator()(unsigned long request, ifreq& argument) const {
    return fd_ >= 0 && ioctl(fd_, request, &argument) == 0;
  }

 private:
  int fd_;
};

ifreq request_for(const std::string& name) {
  ifreq request{};
  name.copy(request.ifr_name, sizeof request.ifr_name - 1);
  return request;
}

// An address that the interface is used by. The kernel's own IPv6 link-local address is none.
std::optional<std::string> address_on(const std::string& name) {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return std::nullopt;
  std::optional<std::string> found;
  for (const ifaddrs* entry = list; entry != nullptr && !found; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || name != entry->ifa_name) continue;
    char text[INET6_ADDRSTRLEN] = {};
    if (entry->ifa_addr->sa_family == AF_INET) {
      sockaddr_in address{};
      std::memcpy(&address, entry->ifa_addr, sizeof address);
      found = inet_ntop(AF_INET, &address.sin_addr, text, sizeof text);
    } else if (entry->ifa_addr->sa_family == AF_INET6) {
      sockaddr_in6 address{};
      std::memcpy(&address, entry->ifa_addr, sizeof address);
      if (!IN6_IS_ADDR_LINKLOCAL(&address.sin6_addr)) {
        found = inet_ntop(AF_INET6, &address.sin6_addr, text, sizeof text);
      }
    }
  }
  freeifaddrs(list);
  return found;
}

// A switch under /proc/sys/net that this kernel may lack: then there is nothing to switch.
void set_sysctl(const std::string& path, const char* value) {
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  [[maybe_unused]] const ssize_t written = write(fd, value, std::strlen(value));
  close(fd);
}

// Frames on a queue no worker polls would go to the kernel, so there are exactly as many queues as workers.
std::expected<void, Error> fit_queues(const Control& control, const std::string& name,
                                      const std::string& field, unsigned queues) {
  ethtool_channels channels{};
  channels.cmd = ETHTOOL_GCHANNELS;
  ifreq request = request_for(name);
  request.ifr_data = reinterpret_cast<char*>(&channels);
  if (!control(SIOCETHTOOL, request)) {
    if (queues == 1) return {};  // a driver that knows no channels has one queue
    return std::unexpected(
        Error{field, name + " has one queue, " + std::to_string(queues) + " workers need one each",
              "give eal.worker_cpus one CPU, or use another interface"});
  }
  const unsigned now = channels.combined_count != 0 ? channels.combined_count : channels.rx_count;
  if (now == queues) return {};
  ethtool_channels wanted = channels;
  wanted.cmd = ETHTOOL_SCHANNELS;
  if (channels.max_combined != 0) {
    wanted.combined_count = queues;
  } else {
    wanted.rx_count = wanted.tx_count = queues;  // a veth
  }
  request.ifr_data = reinterpret_cast<char*>(&wanted);
  if (control(SIOCETHTOOL, request)) return {};
  const std::string kind = channels.max_combined != 0 ? "combined " : "rx ";
  const unsigned most = channels.max_combined != 0 ? channels.max_combined : channels.max_rx;
  return std::unexpected(Error{field,
                               name + " has " + std::to_string(now) + " queues, " + std::to_string(queues) +
                                   " workers need one each, and it could not be changed (" +
                                   std::strerror(errno) + ", " + std::to_string(most) + " at most)",
                               "run `ethtool -L " + name + " " + kind + std::to_string(queues) +
                                   "`, or give eal.worker_cpus that many CPUs"});
}

// A VLAN tag that the NIC takes off, and frames that it joins, would reach an XDP program changed beyond
// repair.
void leave_frames_alone(const Control& control, const std::string& name) {
  ethtool_value flags{};
  flags.cmd = ETHTOOL_GFLAGS;
  ifreq request = request_for(name);
  request.ifr_data = reinterpret_cast<char*>(&flags);
  if (!control(SIOCETHTOOL, request)) return;
  flags.cmd = ETHTOOL_SFLAGS;
  flags.data &= ~static_cast<std::uint32_t>(ETH_FLAG_RXVLAN | ETH_FLAG_LRO);
  (void)control(SIOCETHTOOL, request);  // a driver that cannot switch it has it fixed as it must be
}

std::optional<XdpProgram> program_on(unsigned index) {
  std::uint32_t id = 0;
  if (bpf_xdp_query_id(static_cast<int>(index), 0, &id) != 0 || id == 0) return std::nullopt;
  XdpProgram program{id, {}};
  const int fd = bpf_prog_get_fd_by_id(id);  // CAP_SYS_ADMIN
  if (fd >= 0) {
    bpf_prog_info info{};
    std::uint32_t size = sizeof info;
    if (bpf_obj_get_info_by_fd(fd, &info, &size) == 0) program.name = info.name;
    close(fd);
  }
  return program;
}

// What libxdp, and so DPDK, attaches for AF_XDP sockets.
bool is_socket_program(const XdpProgram& program) {
  return program.name.starts_with("xsk_") || program.name == "xdp_dispatcher";
}

}  // namespace

// An abstract Unix socket: the kernel keeps such names apart by network namespace, as it does interfaces.
std::optional<Claim> Claim::take(std::string_view name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.size() + 1 > sizeof address.sun_path) return std::nullopt;
  name.copy(address.sun_path + 1, name.size());
  Claim claim(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (claim.fd_ < 0 || bind(claim.fd_, reinterpret_cast<const sockaddr*>(&address), size) != 0)
    return std::nullopt;
  return claim;
}

Claim::~Claim() {
  if (fd_ >= 0) close(fd_);
}

bool is_af_xdp(std::string_view device) noexcept {
  return device.starts_with("net_af_xdp");
}

std::optional<std::string> carrier_of(std::string_view device) {
  if (!is_af_xdp(device) && !device.starts_with("net_af_packet")) return std::nullopt;
  for (std::size_t at = device.find(','); at != std::string_view::npos;) {
    const std::size_t next = device.find(',', at + 1);
    const std::string_view argument =
        device.substr(at + 1, next == std::string_view::npos ? next : next - at - 1);
    if (argument.starts_with("iface=")) return std::string(argument.substr(6));
    at = next;
  }
  return std::nullopt;
}

std::expected<Carrier, Error> Carrier::prepare(const std::string& field, std::string_view device,
                                               unsigned queues) {
  const auto name = carrier_of(device);
  if (!name || name->empty() || name->size() >= IFNAMSIZ) {
    return std::unexpected(
        Error{field, "\"" + std::string(device) + "\" names no kernel interface",
              "write it as " + std::string(device.substr(0, device.find(','))) + ",iface=NAME"});
  }
  const Control control;
  ifreq request = request_for(*name);
  if (!control(SIOCGIFINDEX, request)) {
    return std::unexpected(Error{field, "there is no interface " + *name,
                                 "name one of `ip -br link`, in the network namespace of the data plane"});
  }
  // Two data planes on one interface would take each other's XDP program for a dead one's.
  auto claim = Claim::take("swarmdns/carrier/" + *name);
  if (!claim) {
    return std::unexpected(
        Error{field, *name + " is in use by another data plane", "stop that one, or name another interface"});
  }
  Carrier carrier(*name, static_cast<unsigned>(request.ifr_ifindex), std::move(*claim));
  request = request_for(*name);
  if (control(SIOCGIFHWADDR, request) && request.ifr_hwaddr.sa_family != ARPHRD_ETHER) {
    return std::unexpected(Error{field, *name + " is not an Ethernet interface", "name one that is"});
  }
  if (const auto address = address_on(*name)) {
    return std::unexpected(Error{
        field, *name + " carries the address " + *address + ", which would be cut off",
        "name an interface that nothing else uses, or take it off: `ip address flush dev " + *name + "`"});
  }
  if (is_af_xdp(device)) {
    if (const auto program = carrier.xdp_program()) {
      if (!is_socket_program(*program)) {
        return std::unexpected(
            Error{field,
                  *name + " has the XDP program \"" + program->name + "\" (id " +
                      std::to_string(program->id) + ") of somebody else",
                  "stop its owner, or take it off: `ip link set dev " + *name + " xdp off`"});
      }
      if (!carrier.detach_xdp()) {
        return std::unexpected(Error{field,
                                     *name +
                                         " still has the XDP program of an earlier run and it cannot be "
                                         "taken off: " +
                                         std::strerror(errno),
                                     "start as root, or run `ip link set dev " + *name + " xdp off`"});
      }
    }
  }
  // What the kernel must not do on it: ask or answer ARP, invent addresses, send router solicitations, or
  // take the service addresses' frames for its own (they are on the TAP, and strict source checks drop what
  // comes in here).
  set_sysctl("/proc/sys/net/ipv6/conf/" + *name + "/disable_ipv6", "1");
  set_sysctl("/proc/sys/net/ipv4/conf/" + *name + "/rp_filter", "1");
  if (auto fitted = fit_queues(control, *name, field, queues); !fitted)
    return std::unexpected(fitted.error());
  if (is_af_xdp(device)) leave_frames_alone(control, *name);
  // Groups joined on the TAP (IPv6 neighbour solicitations) do not reach the filter of the NIC below: all of
  // them.
  request = request_for(*name);
  if (!control(SIOCGIFFLAGS, request)) {
    return std::unexpected(
        Error{field, "the state of " + *name + " cannot be read", "check that it still exists"});
  }
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP | IFF_NOARP | IFF_ALLMULTI);
  if (!control(SIOCSIFFLAGS, request)) {
    return std::unexpected(Error{field, *name + " cannot be brought up: " + std::strerror(errno),
                                 "start as root, or see `ip link show " + *name + "`"});
  }
  return carrier;
}

bool Carrier::is_veth() const {
  const Control control;
  ethtool_drvinfo info{};
  info.cmd = ETHTOOL_GDRVINFO;
  ifreq request = request_for(name_);
  request.ifr_data = reinterpret_cast<char*>(&info);
  return control(SIOCETHTOOL, request) && std::string_view(info.driver) == "veth";
}

bool Carrier::split_queues() const {
  const Control control;
  ethtool_channels channels{};
  channels.cmd = ETHTOOL_GCHANNELS;
  ifreq request = request_for(name_);
  request.ifr_data = reinterpret_cast<char*>(&channels);
  return control(SIOCETHTOOL, request) && channels.max_combined == 0 && channels.max_rx > 0;
}

std::optional<XdpProgram> Carrier::xdp_program() const {
  return program_on(index_);
}

bool Carrier::detach_xdp() const noexcept {
  return bpf_xdp_detach(static_cast<int>(index_), 0, nullptr) == 0;
}

}  // namespace swarmdns::eal
