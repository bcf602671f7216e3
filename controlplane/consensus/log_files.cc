#include "controlplane/consensus/log_files.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <fstream>
#include <iterator>
#include <system_error>

namespace swarmdns::controlplane {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFormatBytes = 8;
constexpr std::size_t kChecksumBytes = 8;
constexpr std::size_t kEntryHeaderBytes = 16;
constexpr std::uint64_t kMaxEntriesInBatch = 262'144;  // as raft_uv
constexpr std::size_t kTornCopiesKept = 4;

// CRC-32 as raft_uv computes it: polynomial 0x04c11db7, high bit first, from 0, not inverted.
std::uint32_t crc32(std::span<const std::byte> octets) {
  static const auto table = [] {
    std::array<std::uint32_t, 256> made{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t crc = i << 24;
      for (int bit = 0; bit < 8; ++bit) crc = crc << 1 ^ ((crc & 0x80000000U) != 0 ? 0x04c11db7U : 0U);
      made[i] = crc;
    }
    return made;
  }();
  std::uint32_t crc = 0;
  for (const std::byte octet : octets)
    crc = crc << 8 ^ table[(crc >> 24 ^ std::to_integer<std::uint32_t>(octet)) & 255];
  return crc;
}

template <typename T>
T load(std::span<const std::byte> octets) {
  T value;
  std::memcpy(&value, octets.data(), sizeof value);
  return value;
}

std::expected<std::vector<std::byte>, std::string> read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> text{std::istreambuf_iterator<char>(file), {}};
  if (!file) return std::unexpected(path.string() + " cannot be read: look at its rights and at the disk");
  std::vector<std::byte> octets(text.size());
  std::memcpy(octets.data(), text.data(), text.size());
  return octets;
}

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) != 0; });
}
bool is_open_segment(std::string_view name) {
  return name.starts_with("open-") && is_number(name.substr(5));
}
bool is_closed_segment(std::string_view name) {
  return name.size() == 33 && name[16] == '-' && is_number(name.substr(0, 16)) && is_number(name.substr(17));
}

// The oldest copies go, so that a node that is switched off again and again does not fill its disk.
void prune_copies(const fs::path& directory) {
  std::vector<fs::path> copies;
  std::error_code error;
  for (const auto& file : fs::directory_iterator(directory, error))
    if (file.path().filename().string().starts_with("torn-")) copies.push_back(file.path());
  std::ranges::sort(copies, {}, [](const fs::path& path) {
    std::error_code ignored;
    return fs::last_write_time(path, ignored);
  });
  for (std::size_t i = 0; i + kTornCopiesKept < copies.size(); ++i) fs::remove(copies[i], error);
}

// Cuts it and says so; "" = there was nothing to cut.
std::expected<std::string, std::string> cut_if_torn(const fs::path& path) {
  const auto octets = read_file(path);
  if (!octets) return std::unexpected(octets.error());
  const SegmentScan scan = scan_segment(*octets);
  if (scan.rest_is_zero) return "";
  if (scan.sound_bytes == 0 && octets->size() >= kFormatBytes && load<std::uint64_t>(*octets) != 1)
    return std::unexpected(
        path.string() +
        " is not a segment of a log: it begins wrongly. If other members of the "
        "swarm have the log, remove this node from the swarm and let it join again; if this "
        "is the only one, move the file away: the entries in it are lost");
  std::error_code error;
  fs::path copy = path.parent_path() / ("torn-" + path.filename().string());
  for (int i = 1; fs::exists(copy, error); ++i)
    copy = path.parent_path() / ("torn-" + path.filename().string() + "." + std::to_string(i));
  fs::copy_file(path, copy, error);
  if (!error) fs::resize_file(path, scan.sound_bytes, error);
  if (error) return std::unexpected(path.string() + " ends torn and cannot be cut: " + error.message());
  return path.string() + " ended in the middle of a write; " + std::to_string(scan.entries) +
         " entries are kept, and what follows them is kept as " + copy.filename().string();
}

}  // namespace

SegmentScan scan_segment(std::span<const std::byte> segment) {
  SegmentScan scan;
  const auto zero_from = [&](std::size_t at) {
    return std::ranges::all_of(segment.subspan(at), [](std::byte octet) { return octet == std::byte{0}; });
  };
  if (segment.size() < kFormatBytes || load<std::uint64_t>(segment) != 1) {
    scan.rest_is_zero = zero_from(0);
    return scan;
  }
  std::size_t at = kFormatBytes;
  while (segment.size() - at >= kChecksumBytes + 8) {
    const auto batch = segment.subspan(at);
    const auto count = load<std::uint64_t>(batch.subspan(kChecksumBytes));
    if (count == 0 || count > kMaxEntriesInBatch) break;
    const std::size_t header_bytes = 8 + count * kEntryHeaderBytes;
    if (batch.size() < kChecksumBytes + header_bytes) break;
    const auto header = batch.subspan(kChecksumBytes, header_bytes);
    if (crc32(header) != load<std::uint32_t>(batch)) break;
    std::size_t data_bytes = 0;
    for (std::uint64_t i = 0; i < count; ++i)
      data_bytes += load<std::uint32_t>(header.subspan(8 + i * kEntryHeaderBytes + 12));
    if (batch.size() < kChecksumBytes + header_bytes + data_bytes) break;
    const auto data = batch.subspan(kChecksumBytes + header_bytes, data_bytes);
    if (crc32(data) != load<std::uint32_t>(batch.subspan(4))) break;
    at += kChecksumBytes + header_bytes + data_bytes;
    scan.sound_bytes = at;
    scan.entries += count;
  }
  scan.rest_is_zero = zero_from(scan.sound_bytes == 0 ? kFormatBytes : scan.sound_bytes);
  return scan;
}

bool begins_with_snapshot(const fs::path& directory) {
  std::error_code ignored;
  for (const auto& file : fs::directory_iterator(directory, ignored))
    if (file.path().filename().string().starts_with("snapshot-")) return true;
  return false;
}

std::expected<LogFilesReport, std::string> check_log_files(const fs::path& directory) {
  LogFilesReport report;
  std::error_code error;
  std::vector<fs::path> open;
  bool log = false;
  bool metadata = false;
  for (const auto& file : fs::directory_iterator(directory, error)) {
    const std::string name = file.path().filename().string();
    metadata = metadata || name == "metadata1" || name == "metadata2";
    log = log || is_closed_segment(name) || name.starts_with("snapshot-");
    if (is_open_segment(name)) open.push_back(file.path());
  }
  if (error) return std::unexpected(directory.string() + " cannot be listed: " + error.message());
  if (log && !metadata)
    return std::unexpected(
        "metadata1 and metadata2 are missing from " + directory.string() +
        ", which holds a log: it is not known any more for whom this node has voted. Put them "
        "back, or remove this node from the swarm and let it join again");
  std::ranges::sort(open);
  for (const fs::path& path : open) {
    const auto note = cut_if_torn(path);
    if (!note) return std::unexpected(note.error());
    if (!note->empty()) report.notes.push_back(*note);
  }
  if (!report.notes.empty()) prune_copies(directory);
  return report;
}

}  // namespace swarmdns::controlplane
