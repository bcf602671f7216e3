#include "controlplane/backup/names.h"

#include <chrono>
#include <cstdio>

namespace swarmdns::controlplane {
namespace {

using std::chrono::days;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;

// All of the digits, nothing else.
std::optional<unsigned> digits(std::string_view text) {
  unsigned value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value;
}

std::optional<sys_days> parse_date(std::string_view year, std::string_view month, std::string_view day) {
  const auto y = digits(year), m = digits(month), d = digits(day);
  if (!y || !m || !d) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*y)), std::chrono::month(*m),
                                         std::chrono::day(*d)};
  if (!date.ok() || *y < 1970) return std::nullopt;
  return sys_days(date);
}

std::string date_text(sys_days day, const char* format) {
  const std::chrono::year_month_day date(day);
  std::array<char, 16> text;
  const int length = std::snprintf(text.data(), text.size(), format, static_cast<int>(date.year()) % 10'000,
                                   static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return {text.data(), static_cast<std::size_t>(length)};
}

template <std::size_t N>
std::optional<std::array<std::byte, N>> hex_array(std::string_view text) {
  const auto octets = from_hex(text);
  return octets ? array_from<N>(*octets) : std::nullopt;
}

}  // namespace

std::string snapshot_name(std::int64_t created_ms, const SnapshotId& id) {
  const sys_seconds time = std::chrono::floor<seconds>(
      std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(created_ms)));
  const sys_days day = std::chrono::floor<days>(time);
  const auto of_day = static_cast<int>((time - day).count());
  std::array<char, 16> clock;
  const int length = std::snprintf(clock.data(), clock.size(), "t%02d%02d%02dz-", of_day / 3600 % 24,
                                   of_day / 60 % 60, of_day % 60);
  return std::string(kSnapshotsPrefix) + date_text(day, "%04d%02u%02u") +
         std::string(clock.data(), static_cast<std::size_t>(length)) + to_hex(id);
}

std::string packs_prefix(const Digest& epoch) {
  return std::string(kPacksPrefix) + key_id_text(epoch) + "/";
}

std::string pack_name(const Digest& epoch, const Digest& hash) {
  return packs_prefix(epoch) + to_hex(hash);
}

std::string epoch_name(const Digest& epoch) {
  return std::string(kEpochsPrefix) + key_id_text(epoch);
}

std::string day_name(const Digest& epoch, std::string_view day) {
  return std::string(kDaysPrefix) + key_id_text(epoch) + "/" + std::string(day);
}

std::optional<PackName> parse_pack_name(std::string_view name) {
  constexpr std::size_t kEpochDigits = 16;
  if (!name.starts_with(kPacksPrefix)) return std::nullopt;
  name.remove_prefix(kPacksPrefix.size());
  if (name.size() < kEpochDigits + 1 || name[kEpochDigits] != '/') return std::nullopt;
  const auto epoch = hex_array<8>(name.substr(0, kEpochDigits));
  const auto hash = hex_array<32>(name.substr(kEpochDigits + 1));
  if (!epoch || !hash) return std::nullopt;
  return PackName{*epoch, *hash};
}

std::optional<SnapshotName> parse_snapshot_name(std::string_view name) {
  constexpr std::size_t kTime = 16;  // 20261122t235805z
  if (!name.starts_with(kSnapshotsPrefix)) return std::nullopt;
  name.remove_prefix(kSnapshotsPrefix.size());
  if (name.size() != kTime + 17 || name[8] != 't' || name[15] != 'z' || name[16] != '-') return std::nullopt;
  const auto day = parse_date(name.substr(0, 4), name.substr(4, 2), name.substr(6, 2));
  const auto hour = digits(name.substr(9, 2)), minute = digits(name.substr(11, 2)),
             second = digits(name.substr(13, 2));
  const auto id = hex_array<8>(name.substr(17));
  if (!day || !hour || *hour > 23 || !minute || *minute > 59 || !second || *second > 59 || !id)
    return std::nullopt;
  const sys_seconds time =
      sys_seconds(*day) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) + seconds(*second);
  return SnapshotName{time.time_since_epoch().count(), *id};
}

bool valid_day(std::string_view day) {
  return day.size() == 10 && day[4] == '-' && day[7] == '-' &&
         parse_date(day.substr(0, 4), day.substr(5, 2), day.substr(8, 2)).has_value();
}

std::string day_of(std::int64_t unix_ms) {
  const auto time = std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(unix_ms));
  return date_text(std::chrono::floor<days>(time), "%04d-%02u-%02u");
}

}  // namespace swarmdns::controlplane
