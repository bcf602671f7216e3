// The files of raft_uv's log looked at before it is opened. raft_uv notices damage in closed segments and
// says so; what it does silently or not at all is done here: it cuts an open segment at the first entry it
// cannot read, refuses one that is shorter than it should be, and takes a log without its metadata for one in
// which this node has never voted.
//
// Any thread; touches the directory only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace swarmdns::controlplane {

// How far a segment file (see raft/uv.h for its format) can be read.
struct SegmentScan {
  std::size_t sound_bytes = 0;  // up to and with the last sound batch; 0 = none is
  std::uint64_t entries = 0;    // in these
  bool rest_is_zero = true;     // what follows is zeros, or nothing
};
SegmentScan scan_segment(std::span<const std::byte> segment);

// The entries before a snapshot are not in it any more.
bool begins_with_snapshot(const std::filesystem::path& directory);

struct LogFilesReport {
  // What was cut off torn segments, and where it is kept.
  std::vector<std::string> notes;
};
// Cuts torn open segments back to what can be read and keeps a copy of them as "torn-...". Error: a sentence
// naming the file and the mend; nothing was changed.
std::expected<LogFilesReport, std::string> check_log_files(const std::filesystem::path& directory);

}  // namespace swarmdns::controlplane
