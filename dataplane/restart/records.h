// What is in a snapshot's frames: a moment, and cache entries as they lay in memory at it
// (docs/formats/restart-snapshot.md). Pure functions; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "dataplane/cache/entry.h"

namespace swarmdns::restart {

// Readings of one instant.
struct Moment {
  std::uint64_t wall_ms = 0;   // Unix time
  std::uint64_t boot_ms = 0;   // CLOCK_BOOTTIME: means something only within one boot
  std::uint64_t clock_ms = 0;  // cache::Clock: only within one process
  std::array<std::uint8_t, 16> boot_id{};

  bool operator==(const Moment&) const = default;
};
// By the system's clocks and the kernel's boot id; zeros when that is not to be had, which is no boot at all.
[[nodiscard]] Moment system_moment(std::uint64_t clock_ms);

// How long ago `then` was, ms, never too little: within one boot what the greater of both clocks says; over a
// boot the wall clock alone. An error: by the clocks it lies in the future, so that nobody knows.
[[nodiscard]] std::expected<std::uint64_t, std::string> elapsed_ms(const Moment& then, const Moment& now);

inline constexpr std::size_t kMomentBytes = 40;
inline constexpr std::size_t kRecordHead = 8;  // the origin, before the entry's own octets

void append_moment(std::string& payload, const Moment& moment);
// Failures (SERVFAIL) are not for a snapshot: they are one moment's experience.
void append_record(std::string& payload, const cache::Entry& entry, const cache::Origin& origin);

struct Record {
  cache::Origin origin;
  cache::Seconds born = 0;  // of Moment::clock_ms
  cache::Seconds expires = 0;
  std::string_view octets;  // of the entry
  std::string_view whole;   // with its origin
};

// Walks a frame's payload.
class RecordCursor {
 public:
  explicit RecordCursor(std::string_view payload) : rest_(payload) {}

  // Before the first record. nullopt: the payload is shorter.
  [[nodiscard]] std::optional<Moment> moment();
  // nullopt: there is none any more, or what follows is none: malformed().
  [[nodiscard]] std::optional<Record> next();
  [[nodiscard]] bool malformed() const noexcept { return malformed_; }

 private:
  std::string_view rest_;
  bool malformed_ = false;
};

struct Lifetime {
  cache::Seconds born = 0;
  cache::Seconds expires = 0;
};
struct LifeRules {
  std::uint64_t then_ms = 0;     // cache clock of the moment
  std::uint64_t elapsed_ms = 0;  // since it
  std::uint64_t now_ms = 0;      // cache clock
  std::uint32_t max_ttl_s = 0;
  std::uint32_t stale_max_s = 0;
};
// By this process's cache clock; rounded so that nothing lives longer than it had. nullopt: past its stale
// window.
[[nodiscard]] std::optional<Lifetime> lifetime(const Record& record, const LifeRules& rules) noexcept;

}  // namespace swarmdns::restart
