// The thin layer between the stages and DPDK: one worker's receive and transmit queue of one port, and its
// mbufs. Worker thread only.
#pragma once

#include <rte_mbuf.h>

#include <cstdint>

#include "dataplane/eal/port.h"
#include "dataplane/stats/counters.h"
#include "dataplane/worker/batch.h"

namespace swarmdns::worker {

class Queue {
 public:
  Queue(const eal::Port& port, unsigned queue, unsigned burst, stats::Block& counters) noexcept;

  // rx.cc: fills the batch with what was received (frames, count, rx_tsc), and receives the burst after it,
  // for the next call, unless this is the `last`. Returns how many frames there were. What cannot be a frame
  // of ours (chained mbufs) is dropped and counted here.
  enum class Next : std::uint8_t { Ahead, Last };
  [[nodiscard]] std::size_t receive(Batch& batch, Next next) noexcept;

  // tx.cc: sends the batch's replies, frees everything else, counts. Returns how many replies went out.
  std::size_t transmit(Batch& batch) noexcept;

  // A fresh frame, to be filled by the caller and then sent or given up; data is null when the pool is empty.
  struct Fresh {
    rte_mbuf* mbuf = nullptr;
    Frame frame;
  };
  [[nodiscard]] Fresh allocate() noexcept;
  void give_up(const Fresh& fresh) noexcept { rte_pktmbuf_free(fresh.mbuf); }
  // Gathers up to a burst of fresh frames; flush() sends them.
  void send(const Fresh& fresh, std::size_t length) noexcept;
  std::size_t flush() noexcept;

 private:
  void receive_ahead() noexcept;
  std::size_t send_all(rte_mbuf** mbufs, std::size_t count) noexcept;

  const std::uint16_t port_;
  const std::uint16_t queue_;
  const std::uint16_t burst_;
  const bool checks_checksums_;
  const std::uint16_t frame_limit_;  // octets behind the link header that the MTU allows
  rte_mempool* const pool_;
  stats::Block& counters_;
  std::uint16_t pending_count_ = 0;
  std::array<rte_mbuf*, kMaxBurst> received_;  // those of the batch, in its order
  std::array<rte_mbuf*, kMaxBurst> ahead_;     // received, and not yet handed out
  std::uint16_t ahead_count_ = 0;
  std::uint64_t ahead_tsc_ = 0;  // when
  std::array<rte_mbuf*, kMaxBurst> outgoing_;
  std::array<rte_mbuf*, kMaxBurst> pending_;
};

}  // namespace swarmdns::worker
