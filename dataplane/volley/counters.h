// What a run counts. Written by the lcore that sends, without atomic read-modify-writes; read by any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace swarmdns::volley {

enum class Count : std::uint8_t {
  Sent,           // handed to the port
  Received,       // usable replies: to a query that was open, with its question
  Lost,           // no usable reply within the time-out
  GivenUp,        // of those, before the time-out: their port and ID were needed again
  Truncated,      // of Received: TC was set
  WrongRcode,     // of Received: a response code that was not expected
  WrongAnswer,    // of Received: not the records that the expectations name
  WrongId,        // replies to something never asked: port, ID, or client address
  Late,           // replies to a query that had been counted as lost
  Duplicate,      // replies to a query that was answered already
  WrongQuestion,  // the question is not the one asked, or not in its case
  WrongCookie,    // another client's cookie came back
  NotReply,       // QR says query (with --echo: reply), or another opcode
  Malformed,      // no DNS message: cut short, records that do not fit, octets behind them
  BadChecksum,    // of IP or UDP
  Fragment,       // of IP
  NeighbourSeen,  // ARP and neighbour discovery
  Other,          // frames that are nothing of the above
  kCount,
};
inline constexpr std::size_t kCounts = static_cast<std::size_t>(Count::kCount);
// Response codes up to BADCOOKIE each have a counter; the last one is for those above.
inline constexpr std::size_t kRcodes = 25;

// As the reports name them.
inline constexpr std::array<std::string_view, kCounts> kCountNames{
    "sent",         "received",  "lost",         "given_up",  "truncated",        "wrong_rcode",
    "wrong_answer", "wrong_id",  "late",         "duplicate", "wrong_question",   "wrong_cookie",
    "not_a_reply",  "malformed", "bad_checksum", "fragments", "neighbour_frames", "other_frames"};

// Those that make a run fail: what an honest server on a sound wire never does. Late ones are loss already.
inline constexpr std::array kWrong{
    Count::WrongRcode,  Count::WrongAnswer, Count::WrongId,   Count::Duplicate,   Count::WrongQuestion,
    Count::WrongCookie, Count::NotReply,    Count::Malformed, Count::BadChecksum, Count::Fragment};

// A copy to compute with.
struct Totals {
  std::array<std::uint64_t, kCounts> counts{};
  std::array<std::uint64_t, kRcodes> rcodes{};

  [[nodiscard]] std::uint64_t operator[](Count what) const noexcept {
    return counts[static_cast<std::size_t>(what)];
  }
  [[nodiscard]] std::uint64_t wrong() const noexcept {
    std::uint64_t sum = 0;
    for (const Count what : kWrong) sum += (*this)[what];
    return sum;
  }
};

class Counters {
 public:
  void add(Count what, std::uint64_t n = 1) noexcept { bump(counts_[static_cast<std::size_t>(what)], n); }
  void add_rcode(unsigned rcode) noexcept { bump(rcodes_[rcode < kRcodes - 1 ? rcode : kRcodes - 1], 1); }

  [[nodiscard]] Totals totals() const noexcept {
    Totals out;
    for (std::size_t i = 0; i < kCounts; ++i) out.counts[i] = counts_[i].load(std::memory_order_relaxed);
    for (std::size_t i = 0; i < kRcodes; ++i) out.rcodes[i] = rcodes_[i].load(std::memory_order_relaxed);
    return out;
  }

 private:
  static void bump(std::atomic<std::uint64_t>& counter, std::uint64_t n) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  alignas(64) std::array<std::atomic<std::uint64_t>, kCounts> counts_{};
  std::array<std::atomic<std::uint64_t>, kRcodes> rcodes_{};
};

}  // namespace swarmdns::volley
