// The questions the miss thread is concerned with: asked of an upstream, resting before a prefetch is tried,
// or just answered and kept for a moment for those who asked while the answer was on its way into the cache.
// Equal questions are one entry with many waiters. Bounded; the miss thread's own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "dataplane/cache/image.h"
#include "dataplane/cache/key.h"
#include "dataplane/miss/in_flight.h"
#include "dataplane/miss/miss.h"
#include "dataplane/miss/pool.h"
#include "proto/dns/name.h"

namespace swarmdns::miss {

// A client that waits. The Reply part is what the asker is shown; its request is the asker's, copied.
struct WaiterNode : Reply {
  std::uint32_t self = kNone;
  std::uint32_t next = kNone;  // of the same question, or of the asker's backlog
  cache::EntryImage held;      // what Reply::answer points into
  std::uint16_t asker = 0;
  bool prefix_held = false;
  std::uint64_t prefix = 0;  // quota key
  std::uint64_t arrived_us = 0;
};

// One query to one upstream that may still be answered.
struct Attempt {
  FlightKey key;
  std::uint8_t server = 0;
  bool tcp = false;
  bool resent = false;  // the round-trip time says nothing then (Karn)
  std::uint64_t sent_us = 0;
  std::uint64_t case_seed = 0;  // of 0x20; 0: the name went out in lower case
};

inline constexpr std::size_t kMaxAttempts = 4;

struct Pending {
  enum class State : std::uint8_t {
    Free,
    Asking,     // an upstream has been asked, or is about to be
    Resting,    // a prefetch, before its first or second try; nobody waits
    Lingering,  // `answer` is given to whoever asks
  };

  std::array<std::byte, 256> qname;  // folded
  std::uint8_t qname_len = 0;
  std::uint8_t key_flags = 0;
  std::uint8_t view = 0;
  std::uint16_t qtype = 0;
  State state = State::Free;
  std::uint64_t hash = 0;
  std::uint32_t chain = kNone;  // of the hash bucket
  std::uint32_t older = kNone;  // of the lingering ones
  std::uint32_t newer = kNone;

  std::uint32_t waiters = kNone;
  std::uint32_t waiter_count = 0;
  std::uint64_t zone = 0;  // quota key; held while Asking or Resting

  std::uint64_t deadline_us = 0;
  std::uint64_t try_us = 0;     // next try; 0: none
  std::uint64_t stale_us = 0;   // when stale may be given; 0: nobody who could take it
  std::uint64_t linger_us = 0;  // end of Lingering, next step of Resting
  std::uint16_t epoch = 0;      // of the cache when it was asked, or asked again after a flush
  bool asked_again = false;     // so, and its failure may be for want of time: not kept

  std::array<Attempt, kMaxAttempts> attempts;
  std::uint8_t attempt_count = 0;
  std::uint8_t tries = 0;
  std::uint8_t refusals = 0;
  std::uint32_t tried = 0;       // servers, a bit each
  std::uint16_t failed_ede = 0;  // the last failing upstream's words, for the final answer
  std::uint8_t failed_rcode = 0;
  bool needs_tcp = false;
  bool prefetch = false;  // began as one
  std::uint8_t prefetch_tries = 0;
  cache::Seconds prefetch_expires = 0;  // of the entry to be outlived

  cache::EntryImage answer;  // Lingering: what it was; Asking: the stale one that was given meanwhile
  bool answer_stale = false;

  [[nodiscard]] cache::Key key() const noexcept { return {qname.data(), qname_len, key_flags, view, qtype}; }
  [[nodiscard]] dns::NameView name() const noexcept {
    return dns::NameView::trusted({qname.data(), qname_len});
  }
};

class PendingTable {
 public:
  explicit PendingTable(std::size_t max);

  [[nodiscard]] std::uint32_t find(std::uint64_t hash, const cache::Key& key) const noexcept;
  // A fresh entry for the key, findable. kNone at the bound.
  [[nodiscard]] std::uint32_t insert(std::uint64_t hash, const cache::Key& key);
  void erase(std::uint32_t index) noexcept;

  // The ones that linger, in the order they began to: the oldest gives way first.
  void linger(std::uint32_t index) noexcept;
  void unlinger(std::uint32_t index) noexcept;
  [[nodiscard]] std::uint32_t oldest_lingering() const noexcept { return oldest_; }

  [[nodiscard]] Pending& operator[](std::uint32_t index) noexcept { return pool_[index]; }
  [[nodiscard]] std::size_t used() const noexcept { return pool_.used(); }
  [[nodiscard]] std::size_t max() const noexcept { return pool_.max(); }
  [[nodiscard]] std::size_t made() const noexcept { return pool_.made(); }
  [[nodiscard]] bool full() const noexcept { return pool_.used() >= pool_.max(); }

 private:
  [[nodiscard]] std::size_t bucket(std::uint64_t hash) const noexcept {
    return (hash ^ hash >> 32) & (buckets_.size() - 1);
  }

  Pool<Pending> pool_;
  std::vector<std::uint32_t> buckets_;
  std::uint32_t oldest_ = kNone;
  std::uint32_t newest_ = kNone;
};

}  // namespace swarmdns::miss
