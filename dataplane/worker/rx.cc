#include <rte_ethdev.h>

#include <algorithm>

#include "dataplane/stats/tsc_clock.h"
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

void Queue::receive_ahead() noexcept {
  ahead_count_ = rte_eth_rx_burst(port_, queue_, ahead_.data(), burst_);
  if (ahead_count_ != 0) ahead_tsc_ = stats::read_tsc();
}

std::size_t Queue::receive(Batch& batch, Next next) noexcept {
  batch.count = 0;
  if (ahead_count_ == 0 && next == Next::Ahead) receive_ahead();
  if (ahead_count_ == 0) return 0;
  const std::uint16_t received = ahead_count_;
  received_ = ahead_;
  batch.rx_tsc = ahead_tsc_;
  ahead_count_ = 0;
  // Not for a lone frame's sake: with AF_XDP a poll that finds nothing may be a system call.
  if (next == Next::Ahead && received * 4 >= burst_) {
    receive_ahead();
    for (std::uint16_t i = 0; i < ahead_count_; ++i)
      batch.ahead[i] = rte_pktmbuf_mtod(ahead_[i], const std::byte*);
  }
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
