// Points of time and spans as operators write and read them. Everything is UTC, and says so: the nodes of a
// swarm and the people who mend it sit in different zones. Pure functions.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

namespace swarmdns::controlplane {

std::string time_text(uint64_t ms);          // "2026-11-22T17:05:12Z"
std::string time_text_with_ms(uint64_t ms);  // "2026-11-22T17:05:12.042Z"

// Unix time in ms. "2026-11-22T17:00:00Z" (also without seconds, and with parts of a second); "17:05",
// "17:05:30": the last one before `now_ms`; "-10m", "-90s", "-2h", "-1d": so long before `now_ms`; "now". The
// error says what may be written.
std::expected<uint64_t, std::string> parse_time(const std::string& text, uint64_t now_ms);

// A height of the ledger, or a point of time.
struct HeightOrTime {
  uint64_t height = 0;  // 0 = by time
  uint64_t ms = 0;      // 0 = by height
};
std::expected<HeightOrTime, std::string> parse_height_or_time(const std::string& text, uint64_t now_ms);

// "90s", "30m", "1h", "7d", "250ms", in ms.
std::expected<uint64_t, std::string> parse_duration(const std::string& text);
// The shortest that parse_duration reads back: "90s", "1h", "7d".
std::string duration_word(uint64_t ms);

}  // namespace swarmdns::controlplane
