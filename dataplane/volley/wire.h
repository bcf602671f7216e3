// Frames and the time, as the load generator's loop sees them: a port of DPDK (port_wire.h), or a simulated
// server and clock in tests. Called a few times a burst; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace swarmdns::volley {

inline constexpr std::size_t kMaxBurst = 64;

struct Received {
  std::span<const std::byte> frame;
  bool checksum_good = false;  // the NIC has verified IP and UDP checksums
};

class Wire {
 public:
  virtual ~Wire() = default;

  // Ticks; the rate of Engine's options.
  virtual std::uint64_t now() noexcept = 0;

  // What has arrived; the frames stand until the next call.
  virtual std::size_t receive(std::span<Received, kMaxBurst> out) noexcept = 0;

  // Buffers for up to `count` frames: as many as are returned must be filled and committed with their
  // lengths. Only when nothing is unsent.
  virtual std::size_t reserve(std::size_t count, std::span<std::byte*, kMaxBurst> out) noexcept = 0;
  virtual void commit(std::span<const std::uint16_t> lengths) noexcept = 0;
  // Sends of the committed frames what the port takes now, in order, and returns how many.
  virtual std::size_t send() noexcept = 0;
  [[nodiscard]] virtual std::size_t unsent() const noexcept = 0;
  // Forgets the committed frames that were not sent.
  virtual void discard() noexcept = 0;

  // One frame more, apart from those; lost when the port is full.
  virtual void send_one(std::span<const std::byte> frame) noexcept = 0;
};

}  // namespace swarmdns::volley
