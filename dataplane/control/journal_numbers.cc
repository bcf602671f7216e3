#include "dataplane/control/journal_numbers.h"

#include <sodium.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <optional>
#include <string_view>

#include "proto/config/store.h"

namespace swarmdns::control {
namespace {

constexpr std::string_view kMagic = "swarmdns-journal 1 ";
constexpr std::size_t kHexDigits = 16;
constexpr std::size_t kMostBytes = 256;

struct Kept {
  std::uint64_t numbering = 0;
  std::uint64_t next = 0;
};

std::string hex(std::uint64_t value) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out(kHexDigits, '0');
  for (std::size_t i = kHexDigits; i-- > 0; value >>= 4) out[i] = kDigits[value & 15];
  return out;
}

std::uint64_t check_of(std::string_view text) {
  std::array<unsigned char, crypto_generichash_BYTES_MIN> digest{};
  crypto_generichash(digest.data(), digest.size(), reinterpret_cast<const unsigned char*>(text.data()),
                     text.size(), nullptr, 0);
  std::uint64_t check = 0;
  for (std::size_t i = 0; i < sizeof check; ++i) check = check << 8 | digest[i];
  return check;
}

std::string line_of(const Kept& kept) {
  const std::string text = std::string(kMagic) + hex(kept.numbering) + " " + std::to_string(kept.next);
  return text + " " + hex(check_of(text)) + "\n";
}

std::optional<std::uint64_t> number(std::string_view text, int base) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Kept> parse(std::string_view text) {
  if (!text.starts_with(kMagic) || text.size() < kMagic.size() + kHexDigits + 1) return std::nullopt;
  const auto numbering = number(text.substr(kMagic.size(), kHexDigits), 16);
  const std::string_view rest = text.substr(kMagic.size() + kHexDigits + 1);
  const auto next = number(rest.substr(0, rest.find(' ')), 10);
  if (!numbering || !next) return std::nullopt;
  const Kept kept{*numbering, *next};
  // Whatever the parts allow, there is one spelling.
  if (line_of(kept) != text || kept.numbering == 0 || kept.next == 0 ||
      kept.next > JournalNumbers::kMost - 2 * JournalNumbers::kReserve) {
    return std::nullopt;
  }
  return kept;
}

std::uint64_t random_numbering() {
  std::uint64_t value = 0;
  while (value == 0) randombytes_buf(&value, sizeof value);
  return value;
}

// Half of the numbers are left whatever the clock says, and one that was never set counts as 2026.
std::uint64_t by_clock(std::int64_t now) {
  constexpr std::int64_t kEarliest = 1'767'225'600;
  constexpr std::int64_t kLatest = (JournalNumbers::kMost >> 16) / 2;
  return static_cast<std::uint64_t>(std::clamp(now, kEarliest, kLatest)) << 16;
}

}  // namespace

std::string journal_numbers_path(const std::string& state_dir) {
  return state_dir + "/journal.reserved";
}

JournalNumbers JournalNumbers::open(const std::string& state_dir, std::int64_t now) {
  JournalNumbers self(journal_numbers_path(state_dir));
  const bool missing = access(self.path_.c_str(), F_OK) != 0 && errno == ENOENT;
  const auto text = config::read_file(self.path_, kMostBytes);
  if (const auto kept = text ? parse(*text) : std::nullopt) {
    self.first_ = kept->next;
    self.numbering_ = kept->numbering;
  } else {
    self.numbering_ = random_numbering();
    if (!missing) {
      self.first_ = by_clock(now);
      self.warning_ = (text ? self.path_ + " is damaged" : text.error()) + "; mutations are numbered from " +
                      std::to_string(self.first_) + " on, by the clock, in a new numbering";
    }
  }
  if (auto reserved = self.write(self.first_ + kReserve); reserved) {
    self.reserved_ = self.first_ + kReserve;
  } else {
    self.first_ = std::max(self.first_, by_clock(now));
    if (!self.warning_.empty()) self.warning_ += "; ";
    self.warning_ += reserved.error() + "; numbers go on from " + std::to_string(self.first_) +
                     " by the clock until it can be written";
  }
  return self;
}

std::expected<void, std::string> JournalNumbers::keep_ahead(std::uint64_t next) {
  if (next + kReserve / 2 <= reserved_) return {};
  const std::uint64_t wanted = next + kReserve;
  if (auto written = write(wanted); !written) return written;
  reserved_ = wanted;
  return {};
}

std::expected<void, std::string> JournalNumbers::give_back(std::uint64_t next) {
  auto written = write(next);
  if (written) reserved_ = next;
  return written;
}

std::expected<void, std::string> JournalNumbers::write(std::uint64_t next) const {
  return config::write_file_atomically(path_, line_of({numbering_, next}), 0640);
}

}  // namespace swarmdns::control
