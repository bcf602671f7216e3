// An upstream that answers at once: a thread with a UDP socket that gives every question one address.
#pragma once

#include <cstdint>
#include <stop_token>
#include <thread>

#include "dataplane/miss/options.h"

namespace swarmdns::bench {

class Upstream {
 public:
  // On `address`, at a port of the kernel's choice; its thread runs on `cpu`. Ends the program when the
  // socket cannot be made.
  Upstream(const net::Address& address, unsigned cpu);
  ~Upstream();
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;

  [[nodiscard]] miss::Server server() const { return {address_, port_}; }

 private:
  void run(const std::stop_token& stop, unsigned cpu);

  net::Address address_;
  int fd_ = -1;
  std::uint16_t port_ = 0;
  std::jthread thread_;
};

}  // namespace swarmdns::bench
