#include "dataplane/restart/records.h"

#include <time.h>

#include <algorithm>
#include <cstddef>

#include "dataplane/cache/image.h"
#include "dataplane/restart/octets.h"
#include "proto/config/store.h"

namespace swarmdns::restart {
namespace {

using cache::Entry;

// Clocks are set by steps of less than this without anybody noticing.
constexpr std::uint64_t kSkewMs = 2000;
constexpr std::size_t kEpochAt = offsetof(Entry, epoch);

// The file's format is this layout: a change of it is another format.
static_assert(sizeof(Entry) == 32 && offsetof(Entry, born) == 0 && offsetof(Entry, expires) == 4 &&
              offsetof(Entry, qtype) == 8 && offsetof(Entry, qname_len) == 10 &&
              offsetof(Entry, key_flags) == 11 && offsetof(Entry, view) == 12 &&
              offsetof(Entry, rcode) == 13 && offsetof(Entry, flags) == 14 &&
              offsetof(Entry, odd_ttls) == 15 && offsetof(Entry, answers) == 16 &&
              offsetof(Entry, authorities) == 18 && offsetof(Entry, additionals) == 20 &&
              offsetof(Entry, sections_len) == 22 && offsetof(Entry, sections_sum) == 24 &&
              offsetof(Entry, ede) == 26 && kEpochAt == 28);

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::array<std::uint8_t, 16> read_boot_id() {
  std::array<std::uint8_t, 16> id{};
  const auto text = config::read_file("/proc/sys/kernel/random/boot_id", 64);
  if (!text) return id;
  std::size_t digits = 0;
  for (const char c : *text) {
    const int digit = hex_digit(c);
    if (digit < 0 || digits == 2 * id.size()) continue;
    id[digits / 2] = static_cast<std::uint8_t>(id[digits / 2] << 4 | digit);
    ++digits;
  }
  return digits == 2 * id.size() ? id : std::array<std::uint8_t, 16>{};
}

std::uint64_t reading(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

}  // namespace

Moment system_moment(std::uint64_t clock_ms) {
  static const std::array<std::uint8_t, 16> kBootId = read_boot_id();
  return {reading(CLOCK_REALTIME), reading(CLOCK_BOOTTIME), clock_ms, kBootId};
}

std::expected<std::uint64_t, std::string> elapsed_ms(const Moment& then, const Moment& now) {
  const bool backwards = now.wall_ms < then.wall_ms;
  const bool one_boot = then.boot_id == now.boot_id && then.boot_id != std::array<std::uint8_t, 16>{};
  if (one_boot && now.boot_ms >= then.boot_ms) {
    return std::max(now.boot_ms - then.boot_ms, backwards ? 0 : now.wall_ms - then.wall_ms);
  }
  if (backwards && then.wall_ms - now.wall_ms > kSkewMs) {
    return std::unexpected("was made " + std::to_string((then.wall_ms - now.wall_ms) / 1000) +
                           " s in the future by this machine's clock, so that the time passed since is not "
                           "known; set the clock");
  }
  return backwards ? then.wall_ms - now.wall_ms : now.wall_ms - then.wall_ms;
}

void append_moment(std::string& payload, const Moment& moment) {
  char octets[kMomentBytes];
  store64(octets, moment.wall_ms);
  store64(octets + 8, moment.boot_ms);
  store64(octets + 16, moment.clock_ms);
  std::memcpy(octets + 24, moment.boot_id.data(), moment.boot_id.size());
  payload.append(octets, sizeof octets);
}

void append_record(std::string& payload, const Entry& entry, const cache::Origin& origin) {
  const std::size_t size = entry.size();
  const std::size_t at = payload.size();
  payload.resize(at + kRecordHead + size);
  char* to = payload.data() + at;
  store64(to, std::uint64_t{origin.node} | origin.sequence << 16);
  to += kRecordHead;
  std::memcpy(to, entry.bytes(), kEpochAt);
  // Of the life that ends, and written to by readers.
  std::memset(to + kEpochAt, 0, sizeof(Entry) - kEpochAt);
  std::memcpy(to + sizeof(Entry), entry.bytes() + sizeof(Entry), size - sizeof(Entry));
}

std::optional<Moment> RecordCursor::moment() {
  if (rest_.size() < kMomentBytes) {
    malformed_ = true;
    return std::nullopt;
  }
  Moment moment{load64(rest_.data()), load64(rest_.data() + 8), load64(rest_.data() + 16), {}};
  std::memcpy(moment.boot_id.data(), rest_.data() + 24, moment.boot_id.size());
  rest_.remove_prefix(kMomentBytes);
  return moment;
}

std::optional<Record> RecordCursor::next() {
  if (rest_.empty() || malformed_) return std::nullopt;
  malformed_ = true;
  if (rest_.size() < kRecordHead) return std::nullopt;
  const std::string_view from = rest_.substr(kRecordHead);
  const std::size_t size = cache::EntryImage::size_at(std::as_bytes(std::span(from.data(), from.size())));
  if (size == 0 || size > from.size()) return std::nullopt;
  malformed_ = false;
  const std::uint64_t origin = load64(rest_.data());
  Record record;
  record.origin = {static_cast<std::uint16_t>(origin & 0xffff), origin >> 16};
  record.octets = from.substr(0, size);
  record.whole = rest_.substr(0, kRecordHead + size);
  record.born = load32(record.octets.data() + offsetof(Entry, born));
  record.expires = load32(record.octets.data() + offsetof(Entry, expires));
  rest_.remove_prefix(kRecordHead + size);
  return record;
}

std::optional<Lifetime> lifetime(const Record& record, const LifeRules& rules) noexcept {
  constexpr auto kMost = std::int64_t{1} << 50;  // ms; what two of these add up to is no overflow
  const auto clamped = [](std::uint64_t ms) {
    return static_cast<std::int64_t>(std::min(ms, static_cast<std::uint64_t>(kMost)));
  };
  const std::int64_t then = clamped(rules.then_ms);
  const std::int64_t elapsed = clamped(rules.elapsed_ms);
  const auto now_s = static_cast<std::int64_t>(rules.now_ms / 1000);
  const std::int64_t age_ms = std::max<std::int64_t>(then - std::int64_t{record.born} * 1000, 0) + elapsed;
  const std::int64_t left_ms = std::int64_t{record.expires} * 1000 - then - elapsed;
  std::int64_t left_s = left_ms >= 0 ? left_ms / 1000 : -((-left_ms + 999) / 1000);
  left_s = std::min<std::int64_t>(left_s, rules.max_ttl_s);
  if (left_s <= 0 && -left_s >= std::int64_t{rules.stale_max_s}) return std::nullopt;
  // The cache clock starts far enough from 0 for any fresh entry's age; only one long stale, whose TTLs are
  // not shown any more, may be older than that.
  const std::int64_t born = std::max<std::int64_t>(now_s - (age_ms + 999) / 1000, 1);
  const std::int64_t expires = std::max(now_s + left_s, born);
  return Lifetime{static_cast<cache::Seconds>(born), static_cast<cache::Seconds>(expires)};
}

}  // namespace swarmdns::restart
