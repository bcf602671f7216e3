// The kernel's side of a port: a TAP interface with the port's MAC and the service addresses, over which the
// kernel's stack does what the fast path does not (ARP, ND, ICMP, TCP, reassembly). It is gone when it is
// closed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "dataplane/eal/error.h"

namespace swarmdns::exception {

struct TapOptions {
  unsigned port = 0;  // index, for errors: ports[port].tap
  std::string name;   // 1-15 characters
  std::array<std::uint8_t, 6> mac{};
  std::uint32_t mtu = 1500;            // as the port's
  std::vector<std::string> addresses;  // "10.53.1.1/24"
  std::vector<std::string> routes;     // "PREFIX via GATEWAY"
};

class Tap {
 public:
  // Makes it, brings it up, gives it its addresses and routes. Main thread, as root (CAP_NET_ADMIN).
  [[nodiscard]] static std::expected<Tap, eal::Error> open(const TapOptions& options);
  ~Tap();
  Tap(Tap&& other) noexcept;
  Tap& operator=(Tap&& other) noexcept;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] std::uint32_t mtu() const noexcept { return mtu_; }

  // Never blocks. Octets of the frame read, 0 when there is none now.
  [[nodiscard]] std::size_t read(std::span<std::byte> into) const noexcept;
  // False: the kernel did not take it.
  [[nodiscard]] bool write(std::span<const std::byte> frame) const noexcept;

 private:
  Tap(std::string name, int fd, std::uint32_t mtu) : name_(std::move(name)), fd_(fd), mtu_(mtu) {}
  std::string name_;
  int fd_ = -1;
  std::uint32_t mtu_ = 1500;
};

}  // namespace swarmdns::exception
