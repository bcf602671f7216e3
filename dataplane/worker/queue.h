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

  // rx.cc: fills the batch with what was received (frames, count). What cannot be a frame of ours (chained
  // mbufs) is dropped and counted here.
  [[nodiscard]] std::size_t receive(Batch& batch) noexcept;

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
  std::array<rte_mbuf*, kMaxBurst> outgoing_;
  std::array<rte_mbuf*, kMaxBurst> pending_;
};

}  // namespace swarmdns::worker
