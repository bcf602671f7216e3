#include "dataplane/exception/tap.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "dataplane/exception/rtnl.h"

namespace swarmdns::exception {
namespace {

std::string field_of(const TapOptions& options, const char* name) {
  return "ports[" + std::to_string(options.port) + "]." + name;
}

eal::Error failed(const TapOptions& options, const std::string& what, int error) {
  return {field_of(options, "tap"), options.name + ": " + what + ": " + std::strerror(error),
          error == EPERM ? "start the data plane as root (it drops root afterwards)"
                         : "see `ip -d link show " + options.name + "`, or choose another name"};
}

void set_sysctl(const std::string& name, const char* family, const char* key, const char* value) {
  const std::string path = std::string("/proc/sys/net/") + family + "/conf/" + name + "/" + key;
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;  // a kernel without it has nothing to switch
  [[maybe_unused]] const ssize_t written = ::write(fd, value, std::strlen(value));
  ::close(fd);
}

// Whatever would speak unasked, or for addresses of other interfaces.
void quieten(const std::string& name) {
  for (const auto& [key, value] : {std::pair{"accept_ra", "0"},
                                   {"autoconf", "0"},
                                   {"router_solicitations", "0"},
                                   {"dad_transmits", "0"},
                                   {"accept_dad", "0"}}) {
    set_sysctl(name, "ipv6", key, value);
  }
  set_sysctl(name, "ipv4", "arp_ignore", "1");    // only for addresses of this interface
  set_sysctl(name, "ipv4", "arp_announce", "2");  // and with one of them as the sender
}

bool valid_name(const std::string& name) {
  return !name.empty() && name.size() < IFNAMSIZ && name != "." && name != ".." &&
         name.find_first_of("/: \t\n%") == std::string::npos;
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

ifreq request_for(const std::string& name) {
  ifreq request{};
  name.copy(request.ifr_name, sizeof request.ifr_name - 1);
  return request;
}

std::expected<void, eal::Error> add_addresses(const TapOptions& options, unsigned index) {
  Rtnl rtnl;
  for (std::size_t i = 0; i < options.addresses.size(); ++i) {
    const std::string field = field_of(options, "addresses[") + std::to_string(i) + "]";
    const auto address = InterfaceAddress::parse(options.addresses[i]);
    if (!address) {
      return std::unexpected(
          eal::Error{field, address.error(), "write it like 192.0.2.1/24 or 2001:db8::1/64"});
    }
    if (const int error = rtnl.add_address(index, *address); error != 0) {
      return std::unexpected(eal::Error{
          field, options.addresses[i] + " cannot be put on " + options.name + ": " + std::strerror(error),
          "see that it is a unicast address (and IPv6 is not switched off)"});
    }
  }
  for (std::size_t i = 0; i < options.routes.size(); ++i) {
    const std::string field = field_of(options, "routes[") + std::to_string(i) + "]";
    const auto route = Route::parse(options.routes[i]);
    if (!route) {
      return std::unexpected(eal::Error{
          field, route.error(), "write it like 0.0.0.0/0 via 192.0.2.254, or default via 192.0.2.254"});
    }
    if (const int error = rtnl.add_route(index, *route); error != 0) {
      return std::unexpected(eal::Error{
          field, options.routes[i] + " is not taken: " + std::strerror(error),
          "the gateway must be in a network of ports[" + std::to_string(options.port) + "].addresses"});
    }
  }
  return {};
}

}  // namespace

std::expected<Tap, eal::Error> Tap::open(const TapOptions& options) {
  if (!valid_name(options.name)) {
    return std::unexpected(eal::Error{field_of(options, "tap"),
                                      "\"" + options.name + "\" is no interface name",
                                      "use 1 to 15 characters without '/', ':' or spaces"});
  }
  Descriptor tun(::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (tun.get() < 0) {
    return std::unexpected(eal::Error{field_of(options, "tap"),
                                      std::string("/dev/net/tun cannot be opened: ") + std::strerror(errno),
                                      "load it (`modprobe tun`) and start the data plane as root"});
  }
  // Without IFF_VNET_HDR the kernel hands over whole frames with their checksums filled in.
  ifreq request = request_for(options.name);
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  if (ioctl(tun.get(), TUNSETIFF, &request) != 0) {
    return std::unexpected(
        errno == EBUSY ? eal::Error{field_of(options, "tap"), options.name + " is in use by another process",
                                    "stop that one (another data plane?), or choose another name"}
                       : failed(options, "cannot be made", errno));
  }
  const Descriptor control(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  request = request_for(options.name);
  request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
  std::memcpy(request.ifr_hwaddr.sa_data, options.mac.data(), options.mac.size());
  if (ioctl(control.get(), SIOCSIFHWADDR, &request) != 0) {
    return std::unexpected(failed(options, "does not take the port's MAC", errno));
  }
  request = request_for(options.name);
  request.ifr_mtu = static_cast<int>(options.mtu);
  if (ioctl(control.get(), SIOCSIFMTU, &request) != 0) {
    return std::unexpected(failed(options, "does not take the port's MTU", errno));
  }
  quieten(options.name);
  request = request_for(options.name);
  if (ioctl(control.get(), SIOCGIFFLAGS, &request) != 0) {
    return std::unexpected(failed(options, "its state cannot be read", errno));
  }
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP | IFF_MULTICAST);
  if (ioctl(control.get(), SIOCSIFFLAGS, &request) != 0) {
    return std::unexpected(failed(options, "cannot be brought up", errno));
  }
  const unsigned index = if_nametoindex(options.name.c_str());
  if (auto added = add_addresses(options, index); !added) return std::unexpected(added.error());
  return Tap(options.name, tun.release(), options.mtu);
}

Tap::~Tap() {
  if (fd_ >= 0) ::close(fd_);
}

Tap::Tap(Tap&& other) noexcept
    : name_(std::move(other.name_)), fd_(std::exchange(other.fd_, -1)), mtu_(other.mtu_) {}

Tap& Tap::operator=(Tap&& other) noexcept {
  std::swap(name_, other.name_);
  std::swap(fd_, other.fd_);
  std::swap(mtu_, other.mtu_);
  return *this;
}

std::size_t Tap::read(std::span<std::byte> into) const noexcept {
  const ssize_t length = ::read(fd_, into.data(), into.size());
  return length > 0 ? static_cast<std::size_t>(length) : 0;
}

bool Tap::write(std::span<const std::byte> frame) const noexcept {
  return ::write(fd_, frame.data(), frame.size()) == static_cast<ssize_t>(frame.size());
}

}  // namespace swarmdns::exception
