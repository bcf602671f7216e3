#include "dataplane/volley/port_wire.h"

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <cstring>

#include "dataplane/stats/tsc_clock.h"

namespace swarmdns::volley {
namespace {

constexpr std::uint64_t kBothGood = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;

}  // namespace

bool receive_any_mac(const eal::Port& port) noexcept {
  return rte_eth_promiscuous_enable(port.queue(0).port) == 0;
}

PortWire::PortWire(const eal::Port& port, std::size_t burst) noexcept
    : port_(port.queue(0).port),
      queue_(port.queue(0).queue),
      burst_(static_cast<std::uint16_t>(std::clamp<std::size_t>(burst, 1, kMaxBurst))),
      checks_checksums_(port.checks_checksums()),
      pool_(port.pool(0)) {}

PortWire::~PortWire() {
  release();
  PortWire::discard();
}

std::uint64_t PortWire::now() noexcept {
  return stats::read_tsc();
}

void PortWire::release() noexcept {
  if (received_count_ != 0) rte_pktmbuf_free_bulk(received_.data(), static_cast<unsigned>(received_count_));
  received_count_ = 0;
}

std::size_t PortWire::receive(std::span<Received, kMaxBurst> out) noexcept {
  release();
  const std::uint16_t count = rte_eth_rx_burst(port_, queue_, received_.data(), burst_);
  // Every octet is summed: headers and a small message lie in two lines.
  for (std::uint16_t i = 0; i < count; ++i) {
    const auto* const data = rte_pktmbuf_mtod(received_[i], const std::byte*);
    __builtin_prefetch(data);
    __builtin_prefetch(data + 64);
  }
  for (std::uint16_t i = 0; i < count; ++i) {
    const rte_mbuf* const mbuf = received_[i];
    // Of a chain (longer than the MTU the port was set to) the first part alone: its IP length will not fit.
    out[i].frame = {rte_pktmbuf_mtod(mbuf, const std::byte*), mbuf->data_len};
    out[i].checksum_good = checks_checksums_ && (mbuf->ol_flags & kBothGood) == kBothGood;
  }
  received_count_ = count;
  return count;
}

std::size_t PortWire::reserve(std::size_t count, std::span<std::byte*, kMaxBurst> out) noexcept {
  reserved_ = 0;
  if (rte_pktmbuf_alloc_bulk(pool_, outgoing_.data(), static_cast<unsigned>(count)) != 0) return 0;
  for (std::size_t i = 0; i < count; ++i) out[i] = rte_pktmbuf_mtod(outgoing_[i], std::byte*);
  reserved_ = count;
  return count;
}

void PortWire::commit(std::span<const std::uint16_t> lengths) noexcept {
  committed_ = std::min(lengths.size(), reserved_);
  sent_ = 0;
  reserved_ = 0;
  for (std::size_t i = 0; i < committed_; ++i) {
    outgoing_[i]->data_len = lengths[i];
    outgoing_[i]->pkt_len = lengths[i];
  }
}

std::size_t PortWire::send() noexcept {
  const std::uint16_t count =
      rte_eth_tx_burst(port_, queue_, outgoing_.data() + sent_, static_cast<std::uint16_t>(unsent()));
  sent_ += count;
  return count;
}

void PortWire::discard() noexcept {
  const std::size_t left = committed_ - sent_;
  if (left != 0) rte_pktmbuf_free_bulk(outgoing_.data() + sent_, static_cast<unsigned>(left));
  sent_ = committed_ = 0;
}

void PortWire::send_one(std::span<const std::byte> frame) noexcept {
  rte_mbuf* mbuf = rte_pktmbuf_alloc(pool_);
  if (mbuf == nullptr) return;
  // The shortest Ethernet frame is 60 octets without its check sequence: not every port pads.
  const std::size_t length = std::max<std::size_t>(frame.size(), 60);
  std::byte* const at = rte_pktmbuf_mtod(mbuf, std::byte*);
  std::memset(at, 0, length);
  std::memcpy(at, frame.data(), frame.size());
  mbuf->data_len = static_cast<std::uint16_t>(length);
  mbuf->pkt_len = static_cast<std::uint32_t>(length);
  if (rte_eth_tx_burst(port_, queue_, &mbuf, 1) == 0) rte_pktmbuf_free(mbuf);
}

}  // namespace swarmdns::volley
