#include "dataplane/eal/port.h"

#include <rte_bus_pci.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "dataplane/eal/eal.h"

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

}  // namespace

std::expected<std::unique_ptr<Port>, Error> Port::open(const PortOptions& options, unsigned index,
                                                       unsigned queues, unsigned burst) {
  if (auto ok = check(options, index); !ok) return std::unexpected(ok.error());
  std::unique_ptr<Port> port(new Port);
  port->index_ = index;
  port->device_ = options.device;
  port->mtu_ = options.mtu;
  if (auto ok = port->probe(options, queues); !ok) return std::unexpected(ok.error());
  if (auto ok = port->configure(options, queues, burst); !ok) return std::unexpected(ok.error());
  return port;
}

// Finds the device, plugging it in when it is a vdev, and leaves it with a DPDK port number.
std::expected<void, Error> Port::probe(const PortOptions& options, unsigned queues) {
  const std::string field = field_of(index_, "device");
  std::string device = options.device;
  if (is_af_xdp(device) || device.starts_with("net_af_packet")) {
    auto carrier = Carrier::prepare(field, device, queues);
    if (!carrier) return std::unexpected(carrier.error());
    carrier_ = std::move(*carrier);
    if (is_af_xdp(device) && device.find("queue_count=") == std::string::npos) {
      device += ",queue_count=" + std::to_string(queues);
    } else if (!is_af_xdp(device) && device.find("qpairs=") == std::string::npos) {
      device += ",qpairs=" + std::to_string(queues);
    }
  }
  std::string name = device.substr(0, device.find(','));
  if (is_pci_address(device)) {
    if (std::count(name.begin(), name.end(), ':') == 1) name.insert(0, "0000:");
  } else if (const int rc = rte_dev_probe(device.c_str()); rc != 0) {
    return std::unexpected(
        Error{field, "DPDK cannot open \"" + device + "\": " + reason(rc),
              "check the driver's name and arguments (`dpdk-testpmd --vdev=" + device + "`)"});
  }
  if (rte_eth_dev_get_port_by_name(name.c_str(), &id_) != 0) {
    return std::unexpected(
        Error{field, "no driver of DPDK has taken " + name,
              is_pci_address(device)
                  ? "bind it: `swarmctl port bind " + name + "`, see `swarmctl port list`"
                  : "check the driver's name, e.g. net_af_xdp0, net_af_packet0, net_memif0, net_null0"});
  }
  open_ = true;
  return {};
}

std::expected<void, Error> Port::configure(const PortOptions& options, unsigned queues, unsigned burst) {
  const std::string device_field = field_of(index_, "device");
  rte_eth_dev_info info{};
  if (const int rc = rte_eth_dev_info_get(id_, &info); rc != 0) {
    return std::unexpected(
        Error{device_field, "its abilities cannot be read: " + reason(rc), "try another driver"});
  }
  driver_ = info.driver_name;
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
  constexpr std::uint64_t kChecks = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM;
  if ((info.rx_offload_capa & kChecks) == kChecks) {
    conf.rxmode.offloads |= kChecks;
    checks_checksums_ = true;
  }
  // All mbufs of a queue come from one pool and are never shared: a driver may give them back unseen.
  conf.txmode.offloads |= info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
  if (const int rc = rte_eth_dev_configure(id_, static_cast<std::uint16_t>(queues),
                                           static_cast<std::uint16_t>(queues), &conf);
      rc != 0) {
    return std::unexpected(Error{device_field, "it does not take its configuration: " + reason(rc),
                                 "read the lines DPDK printed above; try fewer workers or another mtu"});
  }

  auto rx = static_cast<std::uint16_t>(options.rx_descriptors);
  auto tx = static_cast<std::uint16_t>(options.tx_descriptors);
  if (const int rc = rte_eth_dev_adjust_nb_rx_tx_desc(id_, &rx, &tx); rc != 0) {
    return std::unexpected(Error{field_of(index_, "rx_descriptors"),
                                 driver_ + " takes none of that size: " + reason(rc),
                                 "leave it out for the default of 1024"});
  }
  rx_descriptors_ = rx;

  const std::uint32_t in_rings = is_af_xdp(device_) ? kXdpRingBuffers + tx : std::uint32_t{rx} + tx;
  const std::uint32_t least = in_rings + 4 * burst + 2 * kPoolCache;
  const std::uint32_t count = std::max(options.mbufs / queues, least);
  // A frame of MTU size with two VLAN tags, and the room a reply may grow to, in one mbuf: there is no chain
  // anywhere.
  const std::uint32_t room =
      std::max<std::uint32_t>(RTE_MBUF_DEFAULT_DATAROOM, options.mtu + 14 + 8 + 4) + RTE_PKTMBUF_HEADROOM;
  const int socket = std::max(rte_eth_dev_socket_id(id_), 0);
  for (unsigned queue = 0; queue < queues; ++queue) {
    const std::string name = "p" + std::to_string(index_) + "q" + std::to_string(queue);
    rte_mempool* pool =
        rte_pktmbuf_pool_create(name.c_str(), count, kPoolCache, 0, static_cast<std::uint16_t>(room), socket);
    if (pool == nullptr) {
      return std::unexpected(Error{field_of(index_, "mbufs"),
                                   std::to_string(count) + " buffers of " + std::to_string(room) +
                                       " bytes do not fit: " + reason(rte_errno),
                                   "raise eal.memory_mib by " +
                                       std::to_string(count * (room + 256ULL) / 1048576 + 1) +
                                       ", or lower mbufs or the number of workers"});
    }
    pools_.push_back(pool);
    const auto q = static_cast<std::uint16_t>(queue);
    rte_eth_rxconf rxconf = info.default_rxconf;
    rxconf.offloads = conf.rxmode.offloads;
    rte_eth_txconf txconf = info.default_txconf;
    txconf.offloads = conf.txmode.offloads;
    int rc = rte_eth_rx_queue_setup(id_, q, rx, static_cast<unsigned>(socket), &rxconf, pool);
    if (rc == 0) rc = rte_eth_tx_queue_setup(id_, q, tx, static_cast<unsigned>(socket), &txconf);
    if (rc != 0) {
      return std::unexpected(
          Error{device_field,
                "queue " + std::to_string(queue) + " of " + device_ + " cannot be set up: " + reason(rc),
                carrier_ ? "see that nothing else uses " + carrier_->name() +
                               " (another data plane, an XDP program), "
                               "and that the data plane is started as root"
                         : "read the lines DPDK printed above"});
    }
  }

  rte_ether_addr mac{};
  if (rte_eth_macaddr_get(id_, &mac) == 0) std::copy_n(mac.addr_bytes, mac_.size(), mac_.begin());
  // Some drivers cannot change these and do well as they are; then they return an error that says just that.
  (void)rte_eth_promiscuous_disable(id_);
  (void)rte_eth_allmulticast_enable(id_);  // IPv6 neighbour solicitations
  std::uint16_t mtu_now = 0;
  if (rte_eth_dev_get_mtu(id_, &mtu_now) == 0 && mtu_now != options.mtu) {
    (void)rte_eth_dev_set_mtu(id_, static_cast<std::uint16_t>(options.mtu));
  }
  return {};
}

std::expected<void, Error> Port::start() {
  if (const int rc = rte_eth_dev_start(id_); rc != 0) {
    return std::unexpected(Error{field_of(index_, "device"), device_ + " does not start: " + reason(rc),
                                 "read the lines DPDK printed above"});
  }
  started_ = true;
  return {};
}

void Port::stop() noexcept {
  if (started_) (void)rte_eth_dev_stop(id_);
  started_ = false;
}

Port::~Port() {
  stop();
  if (open_) {
    rte_eth_dev_info info{};
    const bool known = rte_eth_dev_info_get(id_, &info) == 0;
    (void)rte_eth_dev_close(id_);
    if (known && info.device != nullptr && !is_pci_address(device_)) (void)rte_dev_remove(info.device);
  }
  if (carrier_ && is_af_xdp(device_) && carrier_->xdp_program()) (void)carrier_->detach_xdp();
  for (rte_mempool* pool : pools_) rte_mempool_free(pool);
}

std::uint32_t Port::max_sleep_us() const noexcept {
  if (!is_pci_address(device_)) return 0;
  const std::uint64_t mbit_s = link().mbit_s;
  if (mbit_s == 0) return 0;
  // The shortest frame takes 84 bytes of the wire. Half the ring, for the wake-up takes its time as well;
  // never below 25 µs, where sleeping would save nothing any more.
  const std::uint64_t frames_per_ms = mbit_s * 1000 / (84 * 8);
  return static_cast<std::uint32_t>(
      std::max<std::uint64_t>(25, rx_descriptors_ * 500ULL / std::max<std::uint64_t>(frames_per_ms, 1)));
}

LinkState Port::link() const noexcept {
  rte_eth_link link{};
  if (rte_eth_link_get_nowait(id_, &link) != 0) return {};
  const bool known = link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN;
  return {.up = link.link_status == RTE_ETH_LINK_UP, .mbit_s = known ? link.link_speed : 0};
}

PortCounters Port::counters() const noexcept {
  rte_eth_stats stats{};
  if (rte_eth_stats_get(id_, &stats) != 0) return {};
  return {.rx_frames = stats.ipackets,
          .tx_frames = stats.opackets,
          .rx_bytes = stats.ibytes,
          .tx_bytes = stats.obytes,
          .missed = stats.imissed,
          .rx_errors = stats.ierrors,
          .tx_errors = stats.oerrors,
          .no_mbuf = stats.rx_nombuf};
}

}  // namespace swarmdns::eal
