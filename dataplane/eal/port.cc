#include "dataplane/eal/port.h"

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>

#include "dataplane/eal/eal.h"
#include "dataplane/eal/pci.h"
#include "dataplane/eal/xdp_sockets.h"

namespace swarmdns::eal {
namespace {

std::string field_of(unsigned index, const char* name) {
  return "ports[" + std::to_string(index) + "]." + name;
}

std::string reason(int error) {
  return rte_strerror(error < 0 ? -error : error);
}

std::expected<void, Error> check(const PortOptions& options, unsigned index) {
  if (options.device.empty() || options.device.size() > 255) {
    return std::unexpected(Error{field_of(index, "device"), "no device is given",
                                 "write a PCI address, or a vdev like net_af_xdp0,iface=eth1"});
  }
  const auto ring = [&](const char* name, std::uint32_t value) -> std::expected<void, Error> {
    if (value >= 64 && value <= 8192 && std::has_single_bit(value)) return {};
    return std::unexpected(Error{field_of(index, name), std::to_string(value) + " descriptors are asked for",
                                 "set a power of two from 64 to 8192"});
  };
  if (auto ok = ring("rx_descriptors", options.rx_descriptors); !ok) return ok;
  if (auto ok = ring("tx_descriptors", options.tx_descriptors); !ok) return ok;
  if (options.mbufs < 1024 || options.mbufs > 4194304) {
    return std::unexpected(Error{field_of(index, "mbufs"), std::to_string(options.mbufs) + " is out of range",
                                 "set it between 1024 and 4194304"});
  }
  if (options.mtu < 1280 || options.mtu > 9000) {
    return std::unexpected(Error{field_of(index, "mtu"), std::to_string(options.mtu) + " is out of range",
                                 "set it between 1280 (the least IPv6 allows) and 9000"});
  }
  return {};
}

// What libxdp's rings take of a pool, whatever descriptors are asked for: fill and completion ring, 2,048
// each.
constexpr std::uint32_t kXdpRingBuffers = 4096;
constexpr unsigned kPoolCache = 256;

constexpr std::uint64_t kChecks = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM;

bool carrier_driver(const std::string& device) {
  return is_af_xdp(device) || device.starts_with("net_af_packet");
}

// The device for one queue of its carrier: "net_af_xdp0_1,iface=eth1,start_queue=1,queue_count=1".
std::string of_queue(const std::string& device, unsigned queue) {
  const std::size_t comma = device.find(',');
  const std::string suffix = queue == 0 ? "" : "_" + std::to_string(queue);
  return device.substr(0, comma) + suffix + device.substr(comma) + ",start_queue=" + std::to_string(queue) +
         ",queue_count=1";
}

}  // namespace

std::expected<std::unique_ptr<Port>, Error> Port::open(const PortOptions& options, unsigned index,
                                                       unsigned queues, unsigned burst) {
  if (auto ok = check(options, index); !ok) return std::unexpected(ok.error());
  std::unique_ptr<Port> port(new Port);
  port->index_ = index;
  port->device_ = options.device;
  port->mtu_ = options.mtu;

  std::string device = options.device;
  unsigned devices = 1;
  if (carrier_driver(device)) {
    auto carrier = Carrier::prepare(field_of(index, "device"), device, queues);
    if (!carrier) return std::unexpected(carrier.error());
    port->carrier_ = std::move(*carrier);
    // Busy polling makes a system call of every empty poll. Behind a veth there is no hardware to poll by it.
    if (is_af_xdp(device) && device.find("busy_budget=") == std::string::npos && port->carrier_->is_veth()) {
      device += ",busy_budget=0";
    }
    if (!is_af_xdp(device)) {
      if (device.find("qpairs=") == std::string::npos) device += ",qpairs=" + std::to_string(queues);
    } else if (device.find("queue_count=") == std::string::npos &&
               device.find("start_queue=") == std::string::npos) {
      if (queues > 1 && port->carrier_->split_queues()) {
        devices = queues;
      } else {
        device += ",queue_count=" + std::to_string(queues);
      }
    }
  }
  const std::vector<int> of_others = xdp_sockets();
  for (unsigned i = 0; i < devices; ++i) {
    const unsigned each = queues / devices;
    if (auto ok = port->probe(devices == 1 ? device : of_queue(device, i), each); !ok) {
      return std::unexpected(ok.error());
    }
    if (auto ok = port->configure(port->ids_.back(), each, options, burst); !ok)
      return std::unexpected(ok.error());
  }
  std::ranges::set_difference(xdp_sockets(), of_others, std::back_inserter(port->xdp_sockets_));
  return port;
}

std::expected<void, Error> Port::probe(const std::string& device, unsigned queues) {
  const std::string field = field_of(index_, "device");
  std::string name = device.substr(0, device.find(','));
  if (is_pci_address(device)) {
    name = pci_port_name(device);
  } else if (const int rc = rte_dev_probe(device.c_str()); rc != 0) {
    return std::unexpected(
        Error{field, "DPDK cannot open \"" + device + "\": " + reason(rc),
              "check the driver's name and arguments (`dpdk-testpmd --vdev=" + device + "`)"});
  }
  std::uint16_t id = 0;
  if (rte_eth_dev_get_port_by_name(name.c_str(), &id) != 0) {
    if (is_pci_address(device)) return std::unexpected(pci_error(field, name));
    return std::unexpected(
        Error{field, "no driver of DPDK has taken " + name,
              "check the driver's name, e.g. net_af_xdp0, net_af_packet0, net_memif0, net_null0"});
  }
  ids_.push_back(id);
  for (unsigned i = 0; i < queues; ++i) queues_.push_back({id, static_cast<std::uint16_t>(i)});
  return {};
}

std::expected<void, Error> Port::configure(std::uint16_t id, unsigned queues, const PortOptions& options,
                                           unsigned burst) {
  const std::string device_field = field_of(index_, "device");
  rte_eth_dev_info info{};
  if (const int rc = rte_eth_dev_info_get(id, &info); rc != 0) {
    return std::unexpected(
        Error{device_field, "its abilities cannot be read: " + reason(rc), "try another driver"});
  }
  driver_ = info.driver_name;
  if (is_pci_address(device_)) line_rate_mbit_s_ = fastest_mbit_s(info.speed_capa);
  if (queues > info.max_rx_queues || queues > info.max_tx_queues) {
    return std::unexpected(Error{device_field,
                                 device_ + " has " +
                                     std::to_string(std::min(info.max_rx_queues, info.max_tx_queues)) +
                                     " queue pairs, " + std::to_string(queues) + " workers need one each",
                                 "give eal.worker_cpus fewer CPUs, or the device more queues"});
  }
  if (info.max_mtu != 0 && options.mtu > info.max_mtu) {
    return std::unexpected(Error{field_of(index_, "mtu"),
                                 std::to_string(options.mtu) + " is more than " + driver_ + " takes",
                                 "set it to " + std::to_string(info.max_mtu) + " or less"});
  }

  rte_eth_conf conf{};
  conf.rxmode.mtu = options.mtu;
  // Queries spread by addresses and ports: all of a resolver's ports hash apart, and a flow stays on one
  // worker.
  const std::uint64_t spread =
      (RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_TCP) & info.flow_type_rss_offloads;
  if (queues > 1 && spread != 0) {
    conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    conf.rx_adv_conf.rss_conf.rss_hf = spread;
  }
  if ((info.rx_offload_capa & kChecks) == kChecks) {
    conf.rxmode.offloads |= kChecks;
    checks_checksums_ = true;
  }
  // All mbufs of a queue come from one pool and are never shared: a driver may give them back unseen.
  conf.txmode.offloads |= info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
  const auto count = static_cast<std::uint16_t>(queues);
  if (const int rc = rte_eth_dev_configure(id, count, count, &conf); rc != 0) {
    return std::unexpected(Error{device_field, "it does not take its configuration: " + reason(rc),
                                 "read the lines DPDK printed above; try fewer workers or another mtu"});
  }
  rx_descriptors_ = static_cast<std::uint16_t>(options.rx_descriptors);
  tx_descriptors_ = static_cast<std::uint16_t>(options.tx_descriptors);
  if (const int rc = rte_eth_dev_adjust_nb_rx_tx_desc(id, &rx_descriptors_, &tx_descriptors_); rc != 0) {
    return std::unexpected(Error{field_of(index_, "rx_descriptors"),
                                 driver_ + " takes none of that size: " + reason(rc),
                                 "leave it out for the default of 1024"});
  }

  const std::uint32_t in_rings = (is_af_xdp(device_) ? kXdpRingBuffers : rx_descriptors_) + tx_descriptors_;
  const std::uint32_t least = in_rings + 4 * burst + 2 * kPoolCache;
  const std::uint32_t mbufs = std::max(options.mbufs / static_cast<std::uint32_t>(queues_.size()), least);
  for (const QueueId& queue : queues_) {
    if (queue.port != id) continue;
    if (auto ok = set_up_queue(queue, options, mbufs); !ok) return ok;
  }

  rte_ether_addr mac{};
  if (rte_eth_macaddr_get(id, &mac) == 0) std::copy_n(mac.addr_bytes, mac_.size(), mac_.begin());
  // Some drivers cannot change these and do well as they are; then they return an error that says just that.
  (void)rte_eth_promiscuous_disable(id);
  (void)rte_eth_allmulticast_enable(id);  // IPv6 neighbour solicitations
  std::uint16_t mtu_now = 0;
  if (rte_eth_dev_get_mtu(id, &mtu_now) == 0 && mtu_now != options.mtu) {
    (void)rte_eth_dev_set_mtu(id, static_cast<std::uint16_t>(options.mtu));
  }
  return {};
}

std::expected<void, Error> Port::set_up_queue(QueueId queue, const PortOptions& options,
                                              std::uint32_t mbufs) {
  // A frame of MTU size with two VLAN tags, and the room a reply may grow to, in one mbuf: there is no chain
  // anywhere.
  const std::uint32_t room =
      std::max<std::uint32_t>(RTE_MBUF_DEFAULT_DATAROOM, options.mtu + 14 + 8 + 4) + RTE_PKTMBUF_HEADROOM;
  const auto socket = static_cast<unsigned>(std::max(rte_eth_dev_socket_id(queue.port), 0));
  const std::string name = "port" + std::to_string(index_) + "_" + std::to_string(pools_.size());
  rte_mempool* pool = rte_pktmbuf_pool_create(name.c_str(), mbufs, kPoolCache, 0,
                                              static_cast<std::uint16_t>(room), static_cast<int>(socket));
  if (pool == nullptr) {
    return std::unexpected(Error{field_of(index_, "mbufs"),
                                 std::to_string(mbufs) + " buffers of " + std::to_string(room) +
                                     " octets do not fit: " + reason(rte_errno),
                                 "raise eal.memory_mib by " +
                                     std::to_string(mbufs * (room + 256ULL) / 1048576 + 1) +
                                     ", or lower mbufs or the number of workers"});
  }
  pools_.push_back(pool);
  int rc = rte_eth_rx_queue_setup(queue.port, queue.queue, rx_descriptors_, socket, nullptr, pool);
  if (rc == 0) rc = rte_eth_tx_queue_setup(queue.port, queue.queue, tx_descriptors_, socket, nullptr);
  if (rc == 0) return {};
  return std::unexpected(Error{
      field_of(index_, "device"),
      "queue " + std::to_string(pools_.size() - 1) + " of " + device_ + " cannot be set up: " + reason(rc),
      carrier_ ? "see that nothing else uses " + carrier_->name() +
                     " (another data plane, an XDP program), and that the data plane is started as root"
               : "read the lines DPDK printed above"});
}

std::expected<void, Error> Port::start() {
  started_ = true;
  for (const std::uint16_t id : ids_) {
    if (const int rc = rte_eth_dev_start(id); rc != 0) {
      return std::unexpected(Error{field_of(index_, "device"), device_ + " does not start: " + reason(rc),
                                   "read the lines DPDK printed above"});
    }
  }
  return {};
}

void Port::stop() noexcept {
  if (!started_) return;
  for (const std::uint16_t id : ids_) (void)rte_eth_dev_stop(id);
  started_ = false;
}

Port::~Port() {
  stop();
  for (const std::uint16_t id : ids_) {
    rte_eth_dev_info info{};
    const bool known = rte_eth_dev_info_get(id, &info) == 0;
    (void)rte_eth_dev_close(id);
    if (known && info.device != nullptr && !is_pci_address(device_)) (void)rte_dev_remove(info.device);
  }
  if (carrier_ && is_af_xdp(device_) && carrier_->xdp_program()) (void)carrier_->detach_xdp();
  for (rte_mempool* pool : pools_) rte_mempool_free(pool);
}

std::uint32_t sleep_bound_us(std::uint32_t mbit_s, unsigned descriptors) noexcept {
  if (mbit_s == 0) return 0;
  // The shortest frame takes 84 octets of the wire. Half the ring, for the wake-up takes its time as well;
  // never below 25 µs, where sleeping would save nothing any more.
  const std::uint64_t frames_per_ms = std::max<std::uint64_t>(mbit_s * 1000ULL / (84ULL * 8), 1);
  return static_cast<std::uint32_t>(std::max<std::uint64_t>(25, descriptors * 500ULL / frames_per_ms));
}

std::uint32_t fastest_mbit_s(std::uint32_t capabilities) noexcept {
  constexpr std::uint32_t kSpeeds[] = {10,    100,   1000,  2500,  5000,   10000,  20000,
                                       25000, 40000, 50000, 56000, 100000, 200000, 400000};
  std::uint32_t fastest = 0;
  for (const std::uint32_t speed : kSpeeds) {
    if ((capabilities & rte_eth_speed_bitflag(speed, RTE_ETH_LINK_FULL_DUPLEX)) != 0) fastest = speed;
  }
  return fastest;
}

std::uint32_t Port::max_sleep_us() const noexcept {
  return sleep_bound_us(line_rate_mbit_s_, rx_descriptors_);
}

LinkState Port::link() const noexcept {
  rte_eth_link link{};
  if (rte_eth_link_get_nowait(ids_.front(), &link) != 0) return {};
  const bool known = link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN;
  return {.up = link.link_status == RTE_ETH_LINK_UP, .mbit_s = known ? link.link_speed : 0};
}

PortCounters Port::counters() const noexcept {
  PortCounters sum;
  for (const std::uint16_t id : ids_) {
    rte_eth_stats stats{};
    if (rte_eth_stats_get(id, &stats) != 0) continue;
    sum.rx_frames += stats.ipackets;
    sum.tx_frames += stats.opackets;
    sum.rx_bytes += stats.ibytes;
    sum.tx_bytes += stats.obytes;
    sum.missed += stats.imissed;
    sum.rx_errors += stats.ierrors;
    sum.tx_errors += stats.oerrors;
    sum.no_mbuf += stats.rx_nombuf;
  }
  sum.missed += frames_beyond_the_ring(xdp_sockets_);
  return sum;
}

}  // namespace swarmdns::eal
