// One port: a PCI device or a DPDK vdev, with one receive and one transmit queue for each worker and a pool
// of mbufs for each queue (so that no two workers ever meet in a pool).
//
// Opened, started and destroyed on the main thread; between start() and its end, worker i alone uses queue i.
// Counters and link state may be read by any thread that is not a worker.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/eal/carrier.h"
#include "dataplane/eal/error.h"

struct rte_mempool;

namespace swarmdns::eal {

struct PortOptions {
  std::string device;                   // "0000:01:00.0" or "net_af_xdp0,iface=eth1"
  std::uint32_t rx_descriptors = 1024;  // 64-8192, a power of two; fitted to what the device takes
  std::uint32_t tx_descriptors = 1024;
  std::uint32_t mbufs = 16384;  // of all queues together, 1024-4194304; raised to what rings and bursts hold
  std::uint32_t mtu = 1500;     // 1280-9000
};

struct LinkState {
  bool up = false;
  std::uint32_t mbit_s = 0;  // 0: unknown
};

// Of the device, since its start. `missed`: frames it had no descriptor or, with AF_XDP, no place in its ring
// for; `no_mbuf`: no buffer to put them in.
struct PortCounters {
  std::uint64_t rx_frames = 0;
  std::uint64_t tx_frames = 0;
  std::uint64_t rx_bytes = 0;
  std::uint64_t tx_bytes = 0;
  std::uint64_t missed = 0;
  std::uint64_t rx_errors = 0;
  std::uint64_t tx_errors = 0;
  std::uint64_t no_mbuf = 0;
};

// A worker's queue, in DPDK's numbers.
struct QueueId {
  std::uint16_t port = 0;
  std::uint16_t queue = 0;
};

// In `mbit_s` (0: unknown) of the shortest frames, how long half the ring lasts, in µs, 25 at least; 0:
// unknown.
[[nodiscard]] std::uint32_t sleep_bound_us(std::uint32_t mbit_s, unsigned descriptors) noexcept;
// The fastest of a device's RTE_ETH_LINK_SPEED_* capabilities; 0: it names none.
[[nodiscard]] std::uint32_t fastest_mbit_s(std::uint32_t capabilities) noexcept;

class Port {
 public:
  // `index`: its place in the configuration, named in errors as ports[index]. `queues`: workers. Probes,
  // configures; frames flow from start() on.
  [[nodiscard]] static std::expected<std::unique_ptr<Port>, Error> open(const PortOptions& options,
                                                                        unsigned index, unsigned queues,
                                                                        unsigned burst);
  // Stops, closes and unplugs it; no XDP program stays on its carrier. Needs CAP_NET_ADMIN for that (AF_XDP).
  ~Port();
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  [[nodiscard]] std::expected<void, Error> start();
  void stop() noexcept;

  [[nodiscard]] unsigned index() const noexcept { return index_; }
  [[nodiscard]] QueueId queue(unsigned worker) const noexcept { return queues_[worker]; }
  [[nodiscard]] const std::string& device() const noexcept { return device_; }
  [[nodiscard]] const std::string& driver() const noexcept { return driver_; }
  [[nodiscard]] const std::array<std::uint8_t, 6>& mac() const noexcept { return mac_; }
  [[nodiscard]] std::uint32_t mtu() const noexcept { return mtu_; }
  [[nodiscard]] rte_mempool* pool(unsigned worker) const noexcept { return pools_[worker]; }
  [[nodiscard]] unsigned queues() const noexcept { return static_cast<unsigned>(queues_.size()); }
  // The NIC says of each frame whether its IP and UDP checksums were good.
  [[nodiscard]] bool checks_checksums() const noexcept { return checks_checksums_; }
  // The kernel interface below (AF_XDP, af_packet), or empty.
  [[nodiscard]] std::string carrier() const { return carrier_ ? carrier_->name() : std::string(); }
  // The longest a worker may sleep without the receive ring overrunning at line rate, in µs; 0: no such bound
  // (vdevs, virtio: their line rate is not known). By the fastest the device can be, for workers ask before
  // the link is up.
  [[nodiscard]] std::uint32_t max_sleep_us() const noexcept;

  [[nodiscard]] LinkState link() const noexcept;
  [[nodiscard]] PortCounters counters() const noexcept;

 private:
  Port() = default;
  // Finds one device, plugging it in when it is a vdev: a DPDK port with that many queues.
  [[nodiscard]] std::expected<void, Error> probe(const std::string& device, unsigned queues);
  [[nodiscard]] std::expected<void, Error> configure(std::uint16_t id, unsigned queues,
                                                     const PortOptions& options, unsigned burst);
  [[nodiscard]] std::expected<void, Error> set_up_queue(QueueId queue, const PortOptions& options,
                                                        std::uint32_t mbufs);

  unsigned index_ = 0;
  // As a rule one. On a carrier whose driver counts its queues apart, which DPDK takes for a single queue:
  // one a queue.
  std::vector<std::uint16_t> ids_;
  std::vector<QueueId> queues_;  // by worker
  bool started_ = false;
  bool checks_checksums_ = false;
  std::uint16_t rx_descriptors_ = 0;
  std::uint16_t tx_descriptors_ = 0;
  std::uint32_t mtu_ = 1500;
  std::uint32_t line_rate_mbit_s_ = 0;  // of a PCI device; 0: unknown
  std::string device_;
  std::string driver_;
  std::array<std::uint8_t, 6> mac_{};
  std::vector<rte_mempool*> pools_;
  std::vector<int> xdp_sockets_;  // the driver's own
  std::optional<Carrier> carrier_;
};

}  // namespace swarmdns::eal
