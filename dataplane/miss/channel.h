// The three rings between one asker (a worker or a stream thread) and the miss thread:
//
//   requests  asker → miss   filled in place: claim(), fill, publish()
//   replies   miss → asker   pointers to Replies that the miss thread owns
//   done      asker → miss   the same pointers, given back once the message has been built
//
// The miss thread never has more Replies out than the done ring has slots, so that give_back() cannot fail
// and an asker that stops looking holds back nobody but itself.
#pragma once

#include <cstddef>
#include <span>

#include "dataplane/miss/miss.h"
#include "dataplane/sync/spsc_ring.h"

namespace swarmdns::miss {

class Channel {
 public:
  // `depth`: requests, and replies, that may be under way; rounded up to a power of two. About 600 bytes
  // each.
  explicit Channel(std::size_t depth = 2048) : requests_(depth), replies_(depth), done_(depth) {}
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // --- The asker's thread ---

  // A free slot to fill, or null when the ring is full (the caller drops and counts DropMissRingFull). It
  // holds an old request: every field must be written. `ahead` lets a burst fill several before one
  // publish(n).
  [[nodiscard]] Request* claim(std::size_t ahead = 0) noexcept { return requests_.try_claim(ahead); }
  void publish(std::size_t count = 1) noexcept { requests_.publish(count); }

  // Up to out.size() replies. Each must be given back by give_back(), soon: its answer is held until then.
  [[nodiscard]] std::size_t take(std::span<const Reply*> out) noexcept { return replies_.pop_bulk(out); }
  void give_back(const Reply* reply) noexcept { (void)done_.try_push(reply); }

  // --- The miss thread ---

  [[nodiscard]] const Request* next_request(std::size_t ahead = 0) noexcept { return requests_.front(ahead); }
  void pop_requests(std::size_t count = 1) noexcept { requests_.pop(count); }

  // False: as many replies are out as fit; try again after returned() has given some.
  [[nodiscard]] bool push(const Reply* reply) noexcept {
    if (out_ >= done_.capacity() || !replies_.try_push(reply)) return false;
    ++out_;
    return true;
  }
  // Replies that came back, at most out.size().
  [[nodiscard]] std::size_t returned(std::span<const Reply*> out) noexcept {
    const std::size_t n = done_.pop_bulk(out);
    out_ -= n;
    return n;
  }
  [[nodiscard]] std::size_t outstanding() const noexcept { return out_; }

 private:
  sync::SpscRing<Request> requests_;
  sync::SpscRing<const Reply*> replies_;
  sync::SpscRing<const Reply*> done_;
  alignas(sync::kCacheLine) std::size_t out_ = 0;  // the miss thread's own
};

}  // namespace swarmdns::miss
