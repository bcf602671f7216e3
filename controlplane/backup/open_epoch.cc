#include "controlplane/backup/open_epoch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "controlplane/backup/names.h"
#include "controlplane/certs/private_file.h"
#include "controlplane/supervise/unique_fd.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::string_view kEpochHeader = "swarmdns epoch key v1\n";
constexpr std::string_view kDayHeader = "swarmdns day key v1\n";

std::string epoch_path(const std::string& directory) {
  return directory + "/epoch.key";
}

std::string errno_text() {
  return std::strerror(errno);
}

void sync_directory(const std::string& directory) {
  const UniqueFd fd(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd) fsync(fd.get());
}

bool overwrite(int fd) {
  struct stat facts;
  if (fstat(fd, &facts) != 0) return false;
  std::array<char, 4096> noise;
  for (off_t at = 0; at < facts.st_size;) {
    randombytes_buf(noise.data(), noise.size());
    const auto want = std::min<off_t>(static_cast<off_t>(noise.size()), facts.st_size - at);
    const ssize_t n = pwrite(fd, noise.data(), static_cast<std::size_t>(want), at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
  }
  return fsync(fd) == 0;
}

// The file and what a crash may have left of writing it.
std::expected<void, std::string> shred_key(const std::string& path) {
  if (auto done = shred_file(path + ".new"); !done) return done;
  return shred_file(path);
}

// Whole or not at all; what was there is overwritten.
std::expected<void, std::string> replace_key(const std::string& path, const Secret& contents) {
  if (auto done = shred_file(path + ".new"); !done) return done;
  const UniqueFd before(open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (auto done = write_private_file(path, contents); !done) return done;
  if (before && !overwrite(before.get()))
    return std::unexpected("cannot overwrite what " + path + " was before: " + errno_text());
  return {};
}

// "…\nkey <hex>\n" behind `head`.
Secret key_text(const std::string& head, const RootKey& key) {
  std::array<char, 65> hex;
  sodium_bin2hex(hex.data(), hex.size(), reinterpret_cast<const unsigned char*>(key.octets().view().data()),
                 32);
  std::string text;
  text.reserve(head.size() + 80);  // no copy of the digits stays behind
  text.append(head).append("key ").append(hex.data(), 64).append("\n");
  sodium_memzero(hex.data(), hex.size());
  return Secret::taken_from(text);
}

// The line "word …\n" off the front.
std::optional<std::string_view> take_line(std::string_view& text, std::string_view word) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos || !text.starts_with(word)) return std::nullopt;
  const std::string_view line = text.substr(word.size(), end - word.size());
  text.remove_prefix(end + 1);
  return line;
}

std::optional<RootKey> take_key(std::string_view text) {
  const auto digits = take_line(text, "key ");
  if (!digits || !text.empty()) return std::nullopt;
  auto octets = from_hex(*digits);
  if (!octets) return std::nullopt;
  auto key = RootKey::from(Secret::taken_from(*octets));
  return key ? std::optional(std::move(*key)) : std::nullopt;
}

std::optional<std::vector<RecipientId>> parse_ids(std::string_view text) {
  std::vector<RecipientId> ids;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const auto octets = from_hex(text.substr(0, end));
    const auto id = octets ? array_from<8>(*octets) : std::nullopt;
    if (!id) return std::nullopt;
    ids.push_back(*id);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return ids;
}

std::vector<RecipientId> ids_of(std::span<const Recipient> recipients) {
  std::vector<RecipientId> ids;
  for (const Recipient& recipient : recipients) ids.push_back(recipient.id());
  std::ranges::sort(ids);
  return ids;
}

}  // namespace

std::expected<void, std::string> shred_file(const std::string& path) {
  const auto failure = [&](const char* verb) {
    return std::unexpected("cannot " + std::string(verb) + " " + path + ": " + errno_text() +
                           "; the key in it is not destroyed");
  };
  const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd && errno == ENOENT) return {};
  if (!fd) return failure("open");
  if (!overwrite(fd.get())) return failure("overwrite");
  if (unlink(path.c_str()) != 0) return failure("unlink");
  sync_directory(std::filesystem::path(path).parent_path());
  return {};
}

std::expected<std::optional<OpenEpoch>, std::string> OpenEpoch::load(const std::string& directory) {
  if (sodium_init() < 0) return std::unexpected("libsodium cannot be initialised");
  const std::string path = epoch_path(directory);
  const auto file = read_private_file(path);
  if (!file) return std::unexpected(file.error());
  if (!*file) return std::nullopt;
  std::string_view text = (*file)->view();
  const auto damaged = [&] {
    return std::unexpected(path +
                           " is damaged: remove it; the next snapshot begins a new epoch, a full upload");
  };
  if (!text.starts_with(kEpochHeader)) return damaged();
  text.remove_prefix(kEpochHeader.size());
  const auto created = take_line(text, "created ");
  const auto created_ms = created ? from_decimal(*created, INT64_MAX) : std::nullopt;
  const auto who = take_line(text, "recipients ");
  auto ids = who ? parse_ids(*who) : std::nullopt;
  auto key = take_key(text);
  if (!created_ms || !ids || !key) return damaged();
  OpenEpoch epoch(directory, std::move(*key), static_cast<std::int64_t>(*created_ms), std::move(*ids));
  if (auto done = epoch.load_days(); !done) return std::unexpected(done.error());
  return std::optional(std::move(epoch));
}

std::expected<void, std::string> OpenEpoch::load_days() {
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory_, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename();
    if (name.size() != 18 || !name.starts_with("day-") || !name.ends_with(".key")) continue;
    const std::string day = name.substr(4, 10);
    if (!valid_day(day)) continue;
    const auto file = read_private_file(entry->path());
    if (!file) return std::unexpected(file.error());
    if (!*file) continue;
    std::string_view text = (*file)->view();
    const bool header = text.starts_with(kDayHeader);
    if (header) text.remove_prefix(kDayHeader.size());
    const auto epoch = header ? take_line(text, "epoch ") : std::nullopt;
    auto key = epoch == key_.name() ? take_key(text) : std::nullopt;
    if (key) {
      days_.emplace(day, std::move(*key));
    } else if (auto done = shred_file(entry->path()); !done) {
      return done;
    }
  }
  if (error) return std::unexpected("cannot read the directory " + directory_ + ": " + error.message());
  return {};
}

std::expected<OpenEpoch, std::string> OpenEpoch::begin(const std::string& directory, std::int64_t now_ms,
                                                       std::span<const Recipient> recipients) {
  if (sodium_init() < 0) return std::unexpected("libsodium cannot be initialised");
  const auto there = read_private_file(epoch_path(directory));
  if (!there) return std::unexpected(there.error());
  if (*there) return std::unexpected("an epoch is open in " + directory + ": close it first");
  if (recipients.empty()) return std::unexpected("no recipient is set: nobody could read the backup");
  OpenEpoch epoch(directory, RootKey::make(), now_ms, ids_of(recipients));
  if (auto done = epoch.keep(); !done) return std::unexpected(done.error());
  return epoch;
}

std::expected<void, std::string> OpenEpoch::keep() const {
  std::string head(kEpochHeader);
  head += "created " + std::to_string(created_ms_) + "\nrecipients";
  for (const RecipientId& id : recipients_) head += " " + to_hex(id);
  return replace_key(epoch_path(directory_), key_text(head + "\n", key_));
}

std::string OpenEpoch::must_close(std::span<const Recipient> recipients, std::int64_t now_ms,
                                  std::int64_t most_ms) const {
  const auto now = ids_of(recipients);
  for (const RecipientId& id : recipients_)
    if (!std::ranges::binary_search(now, id)) return to_hex(id) + " is no recipient any more";
  if (now_ms - created_ms_ >= most_ms) return "it has reached its age";
  return "";
}

std::expected<void, std::string> OpenEpoch::add_recipients(std::span<const Recipient> recipients) {
  std::vector<RecipientId> all;
  std::ranges::set_union(recipients_, ids_of(recipients), std::back_inserter(all));
  if (all == recipients_) return {};
  recipients_.swap(all);
  auto done = keep();
  if (!done) recipients_.swap(all);
  return done;
}

std::expected<const RootKey*, std::string> OpenEpoch::day(const std::string& day) {
  if (!valid_day(day)) return std::unexpected("\"" + day + "\" is not a day as 2026-11-22");
  const auto found = days_.find(day);
  if (found != days_.end()) return &found->second;
  RootKey key = RootKey::make();
  auto done =
      replace_key(day_path(day), key_text(std::string(kDayHeader) + "epoch " + key_.name() + "\n", key));
  if (!done) return std::unexpected(done.error());
  return &days_.emplace(day, std::move(key)).first->second;
}

std::expected<void, std::string> OpenEpoch::destroy_day(const std::string& day) {
  if (!valid_day(day)) return std::unexpected("\"" + day + "\" is not a day as 2026-11-22");
  if (auto done = shred_key(day_path(day)); !done) return done;
  days_.erase(day);
  return {};
}

std::expected<void, std::string> OpenEpoch::destroy_days_before(const std::string& day) {
  while (!days_.empty() && days_.begin()->first < day)
    if (auto done = destroy_day(std::string(days_.begin()->first)); !done) return done;
  return {};
}

std::expected<void, std::string> OpenEpoch::close() {
  while (!days_.empty())
    if (auto done = destroy_day(std::string(days_.begin()->first)); !done) return done;
  if (auto done = shred_key(epoch_path(directory_)); !done) return done;
  key_ = RootKey::make();  // of nothing; what was here is wiped
  return {};
}

}  // namespace swarmdns::controlplane
