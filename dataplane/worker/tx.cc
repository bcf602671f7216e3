#include <rte_ethdev.h>
#include <rte_pause.h>

#include "dataplane/worker/queue.h"

namespace swarmdns::worker {
namespace {

// How often a full transmit ring is tried again before the rest is dropped: some microseconds, in which a NIC
// empties dozens of descriptors. A link that is down must not stop the worker.
constexpr int kRetries = 8;
constexpr int kPausesBetween = 32;

void set_length(rte_mbuf* mbuf, std::size_t length) noexcept {
  mbuf->data_len = static_cast<std::uint16_t>(length);
  mbuf->pkt_len = static_cast<std::uint32_t>(length);
  mbuf->ol_flags = 0;  // the marks of its receipt mean something else on the way out
}

}  // namespace

std::size_t Queue::transmit(Batch& batch) noexcept {
  std::size_t out = 0;
  std::size_t free = 0;
  for (std::size_t i = 0; i < batch.count; ++i) {
    rte_mbuf* mbuf = received_[i];
    if (batch.fates[i] == Fate::Reply) {
      set_length(mbuf, batch.reply_lengths[i]);
      outgoing_[out++] = mbuf;
    } else {
      received_[free++] = mbuf;  // free <= i: nothing unread is overwritten
    }
  }
  const std::size_t sent = send_all(outgoing_.data(), out);
  if (free != 0) rte_pktmbuf_free_bulk(received_.data(), static_cast<unsigned>(free));
  return sent;
}

void Queue::send(const Fresh& fresh, std::size_t length) noexcept {
  set_length(fresh.mbuf, length);
  pending_[pending_count_++] = fresh.mbuf;
  if (pending_count_ == pending_.size()) flush();
}

std::size_t Queue::flush() noexcept {
  const std::size_t count = pending_count_;
  pending_count_ = 0;
  return count == 0 ? 0 : send_all(pending_.data(), count);
}

std::size_t Queue::send_all(rte_mbuf** mbufs, std::size_t count) noexcept {
  std::size_t sent = 0;
  for (int attempt = 0; sent < count; ++attempt) {
    if (attempt > kRetries) {
      counters_.add(stats::Counter::DropTxFull, count - sent);
      rte_pktmbuf_free_bulk(mbufs + sent, static_cast<unsigned>(count - sent));
      break;
    }
    if (attempt > 0) {
      for (int i = 0; i < kPausesBetween; ++i) rte_pause();
    }
    const std::uint16_t now =
        rte_eth_tx_burst(port_, queue_, mbufs + sent, static_cast<std::uint16_t>(count - sent));
    if (now != 0) attempt = 0;
    sent += now;
  }
  counters_.add(stats::Counter::TxFrames, sent);
  return sent;
}

}  // namespace swarmdns::worker
