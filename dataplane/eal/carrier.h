// A kernel network interface that only carries frames for a poll-mode port (net_af_xdp, net_af_packet): made
// fit for it before the port is opened, and left without an XDP program afterwards. Main thread, as root.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "dataplane/eal/error.h"

namespace swarmdns::eal {

// "eth1" of "net_af_xdp0,iface=eth1,..."; nullopt when the device has no kernel interface below it.
[[nodiscard]] std::optional<std::string> carrier_of(std::string_view device);
[[nodiscard]] bool is_af_xdp(std::string_view device) noexcept;

struct XdpProgram {
  std::uint32_t id = 0;
  std::string name;
};

// A name that one process a network namespace can hold, and that is free again when that process ends,
// however it ends.
class Claim {
 public:
  [[nodiscard]] static std::optional<Claim> take(std::string_view name);
  ~Claim();
  Claim(Claim&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Claim& operator=(Claim&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }

 private:
  explicit Claim(int fd) : fd_(fd) {}
  int fd_;
};

class Carrier {
 public:
  // `field` is named in errors. `queues`: the queue pairs the workers need. What it makes sure of: the
  // interface exists, is Ethernet, carries no address, has as many queues as workers (else it is told to), is
  // up, asks no ARP, has no IPv6 and no route back that the kernel would take frames by; for AF_XDP, that no
  // XDP program of a dead process is left on it.
  [[nodiscard]] static std::expected<Carrier, Error> prepare(const std::string& field,
                                                             std::string_view device, unsigned queues);

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] unsigned index() const noexcept { return index_; }
  // One end of a pair of virtual interfaces: no hardware, no interrupts.
  [[nodiscard]] bool is_veth() const;
  // Its driver counts receive and transmit queues apart (a veth does), not "combined" ones.
  [[nodiscard]] bool split_queues() const;

  // The program attached now, if any.
  [[nodiscard]] std::optional<XdpProgram> xdp_program() const;
  // Takes it off. Needs CAP_NET_ADMIN.
  [[nodiscard]] bool detach_xdp() const noexcept;

 private:
  Carrier(std::string name, unsigned index, Claim claim)
      : name_(std::move(name)), index_(index), claim_(std::move(claim)) {}
  std::string name_;
  unsigned index_ = 0;
  Claim claim_;  // of this process on the interface
};

}  // namespace swarmdns::eal
