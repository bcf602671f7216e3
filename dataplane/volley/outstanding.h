// The queries that wait for their replies. A query's place follows from its source port and DNS ID and the
// other way round, without a hash; places are handed out in order, so the table is a ring in the order of
// sending, and what has waited too long is always at its end. No allocation after the start. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dataplane/volley/random.h"

namespace swarmdns::volley {

namespace detail {
// Of an odd number, modulo 2^16 (Newton: each step doubles the bits that are right).
constexpr std::uint32_t inverse16(std::uint32_t odd) noexcept {
  std::uint32_t x = odd;
  for (int i = 0; i < 4; ++i) x *= 2 - odd * x;
  return x & 0xffff;
}
}  // namespace detail

enum class SlotState : std::uint8_t {
  Unused,
  Open,
  Answered,
  Expired,
};

// What was asked, and when it was to be asked.
struct Query {
  std::uint64_t due = 0;  // ticks
  std::uint32_t question = 0;
  std::uint32_t source = 0;  // index of Sources, of the family
  std::uint32_t case_seed = 0;
  std::uint8_t options = 0;  // bits of query_frames.h
  bool v6 = false;
  bool measured = false;  // not of the warm-up
  SlotState state = SlotState::Unused;
};

class Outstanding {
 public:
  static constexpr std::uint32_t kIds = 65536;

  // `ports`: a power of two from 1 to 16384, from `first_port` on, the last one at most 65535.
  Outstanding(std::uint16_t first_port, std::uint32_t ports, std::uint64_t seed)
      : first_port_(first_port),
        port_bits_(static_cast<std::uint32_t>(__builtin_ctz(ports))),
        mask_(std::uint64_t{ports} * kIds - 1),
        add_(static_cast<std::uint16_t>(mix64(seed ^ 0x6964) >> 8)),
        slots_(mask_ + 1) {}

  [[nodiscard]] std::uint64_t capacity() const noexcept { return mask_ + 1; }
  [[nodiscard]] std::uint64_t open() const noexcept { return open_; }
  // No place is left for one more; those that were answered meanwhile are looked for first.
  [[nodiscard]] bool full() noexcept {
    while (next_ - oldest_ > mask_ && slots_[oldest_ & mask_].state != SlotState::Open) ++oldest_;
    return next_ - oldest_ > mask_;
  }

  struct Flow {
    std::uint16_t port;
    std::uint16_t id;
  };
  // Keeps a query, which must not be when full(), and says by which port and ID it goes out.
  Flow add(const Query& query) noexcept {
    const std::uint64_t at = next_++ & mask_;
    slots_[at] = query;
    slots_[at].state = SlotState::Open;
    ++open_;
    const auto port = static_cast<std::uint16_t>(first_port_ + (at & ((1U << port_bits_) - 1)));
    return {port, scramble(static_cast<std::uint16_t>(at >> port_bits_))};
  }

  // The place of a port and an ID; nullptr: not a port of ours.
  [[nodiscard]] Query* find(std::uint16_t port, std::uint16_t id) noexcept {
    const std::uint32_t index = static_cast<std::uint32_t>(port) - first_port_;
    if (index >> port_bits_ != 0) return nullptr;  // below the first one it wraps to something large
    return &slots_[(std::uint64_t{unscramble(id)} << port_bits_) | index];
  }

  void answered(Query& query) noexcept {
    query.state = SlotState::Answered;
    --open_;
  }

  // Gives up the oldest query that is open when it was due before `deadline`; nullptr: there is none.
  // What was answered meanwhile makes room on the way.
  [[nodiscard]] const Query* expire(std::uint64_t deadline) noexcept {
    while (oldest_ != next_) {
      Query& query = slots_[oldest_ & mask_];
      if (query.state == SlotState::Open) {
        if (query.due >= deadline) return nullptr;
        query.state = SlotState::Expired;
        --open_;
        ++oldest_;
        return &query;
      }
      ++oldest_;
    }
    return nullptr;
  }

  // Takes back the query added last, which has not been sent.
  void take_back() noexcept {
    Query& query = slots_[--next_ & mask_];
    if (query.state == SlotState::Open) --open_;
    query.state = SlotState::Unused;
    if (oldest_ > next_) oldest_ = next_;
  }

 private:
  // A bijection of 16 bits, so that IDs of a port do not come in order.
  [[nodiscard]] std::uint16_t scramble(std::uint16_t id) const noexcept {
    auto x = static_cast<std::uint16_t>(id * kFirst + add_);
    x = static_cast<std::uint16_t>(x ^ (x >> 7));
    return static_cast<std::uint16_t>(x * kSecond);
  }
  [[nodiscard]] std::uint16_t unscramble(std::uint16_t id) const noexcept {
    auto x = static_cast<std::uint16_t>(id * kSecondInverse);
    x = static_cast<std::uint16_t>(x ^ (x >> 7) ^ (x >> 14));
    return static_cast<std::uint16_t>((x - add_) * kFirstInverse);
  }
  static constexpr std::uint32_t kFirst = 40503;
  static constexpr std::uint32_t kFirstInverse = detail::inverse16(kFirst);
  static constexpr std::uint32_t kSecond = 27893;
  static constexpr std::uint32_t kSecondInverse = detail::inverse16(kSecond);

  std::uint16_t first_port_;
  std::uint32_t port_bits_;
  std::uint64_t mask_;
  std::uint16_t add_;
  std::uint64_t next_ = 0;    // queries added so far
  std::uint64_t oldest_ = 0;  // none before this one is open
  std::uint64_t open_ = 0;
  std::vector<Query> slots_;
};

}  // namespace swarmdns::volley
