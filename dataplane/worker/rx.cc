#include <rte_ethdev.h>

#include <algorithm>

#include "dataplane/worker/queue.h"

namespace swarmdns::worker {
namespace {

constexpr std::uint64_t kBothGood = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;

}  // namespace

Queue::Queue(const eal::Port& port, unsigned queue, unsigned burst, stats::Block& counters) noexcept
    : port_(port.queue(queue).port),
      queue_(port.queue(queue).queue),
      burst_(static_cast<std::uint16_t>(std::clamp<std::size_t>(burst, 1, kMaxBurst))),
      checks_checksums_(port.checks_checksums()),
      frame_limit_(static_cast<std::uint16_t>(port.mtu() + net::kEthernetHeader)),
      pool_(port.pool(queue)),
      counters_(counters) {}

std::size_t Queue::receive(Batch& batch) noexcept {
  const std::uint16_t received = rte_eth_rx_burst(port_, queue_, received_.data(), burst_);
  std::size_t count = 0;
  for (std::uint16_t i = 0; i < received; ++i) {
    rte_mbuf* mbuf = received_[i];
    if (mbuf->nb_segs != 1) [[unlikely]] {  // longer than the MTU the port was set to
      rte_pktmbuf_free(mbuf);
      counters_.add(stats::Counter::RxFrames);
      counters_.add(stats::Counter::DropOversize);
      continue;
    }
    received_[count] = mbuf;
    Frame& frame = batch.frames[count];
    frame.data = rte_pktmbuf_mtod(mbuf, std::byte*);
    frame.length = mbuf->data_len;
    // A reply is held to the MTU by the room it is given; the query itself came in, whatever its size.
    const auto room = static_cast<std::uint16_t>(mbuf->buf_len - mbuf->data_off);
    frame.room = std::min(room, std::max(frame_limit_, frame.length));
    frame.checksum_good = checks_checksums_ && (mbuf->ol_flags & kBothGood) == kBothGood;
    ++count;
  }
  batch.count = count;
  return received;
}

Queue::Fresh Queue::allocate() noexcept {
  rte_mbuf* mbuf = rte_pktmbuf_alloc(pool_);
  if (mbuf == nullptr) return {};
  return {mbuf,
          {.data = rte_pktmbuf_mtod(mbuf, std::byte*),
           .length = 0,
           .room = std::min(rte_pktmbuf_tailroom(mbuf), frame_limit_),
           .checksum_good = false}};
}

}  // namespace swarmdns::worker
