// A queue of a DPDK port as the loop's wire. Made on any thread while the port is started, then used by one
// lcore.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/eal/port.h"
#include "dataplane/volley/wire.h"

struct rte_mbuf;

namespace swarmdns::volley {

// Makes a started port take frames for another MAC than its own. False: its driver cannot be told; virtual
// devices take any as a rule.
[[nodiscard]] bool receive_any_mac(const eal::Port& port) noexcept;

class PortWire : public Wire {
 public:
  // `burst`: frames received at once, 1 to kMaxBurst. The port must outlive this.
  PortWire(const eal::Port& port, std::size_t burst) noexcept;
  ~PortWire() override;
  PortWire(const PortWire&) = delete;
  PortWire& operator=(const PortWire&) = delete;

  std::uint64_t now() noexcept override;
  std::size_t receive(std::span<Received, kMaxBurst> out) noexcept override;
  std::size_t reserve(std::size_t count, std::span<std::byte*, kMaxBurst> out) noexcept override;
  void commit(std::span<const std::uint16_t> lengths) noexcept override;
  std::size_t send() noexcept override;
  [[nodiscard]] std::size_t unsent() const noexcept override { return committed_ - sent_; }
  void discard() noexcept override;
  void send_one(std::span<const std::byte> frame) noexcept override;

 private:
  void release() noexcept;

  const std::uint16_t port_;
  const std::uint16_t queue_;
  const std::uint16_t burst_;
  const bool checks_checksums_;
  rte_mempool* const pool_;
  std::size_t received_count_ = 0;
  std::size_t reserved_ = 0;
  std::size_t committed_ = 0;
  std::size_t sent_ = 0;  // of the committed ones
  std::array<rte_mbuf*, kMaxBurst> received_{};
  std::array<rte_mbuf*, kMaxBurst> outgoing_{};
};

}  // namespace swarmdns::volley
