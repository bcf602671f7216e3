// How a proposed entry lies in C-raft's log, and a manifest in its snapshot file. The log wants lengths that
// are multiples of 8 and does not keep the number of an entry, the snapshot file has no checksum: the frames
// add what is missing.
//
//   entry     bytes 0-3  length of the data, little endian
//             bytes 4-6  the low 24 bits of the entry's number, little endian
//             byte  7    kind
//             data, then zeros up to a multiple of 8
//   manifest  bytes 0-7  "SDNSMAN1"
//             bytes 8-23 BLAKE2b-128 of what follows
//             the manifest
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace swarmdns::controlplane {

inline constexpr std::size_t kEntryFrameBytes = 8;
inline constexpr std::size_t kManifestFrameBytes = 24;
inline constexpr std::size_t kMaxManifestBytes = 64 * 1024;

enum class EntryKind : std::uint8_t {
  kCommand = 1,
  kTermStart = 2,  // a leader's first entry: no data
};

struct FramedEntry {
  EntryKind kind;
  std::span<const std::byte> data;
};

// Bytes of the frame with `size` bytes of data: a multiple of 8.
constexpr std::size_t framed_entry_size(std::size_t size) {
  return kEntryFrameBytes + (size + 7) / 8 * 8;
}
// `into` has framed_entry_size(data.size()) bytes; data.size() < 2^32.
void frame_entry(EntryKind kind, std::uint64_t index, std::span<const std::byte> data,
                 std::span<std::byte> into);
// Nothing when it is not a frame, or that of an entry with another number.
std::optional<FramedEntry> unframe_entry(std::uint64_t index, std::span<const std::byte> frame);

std::string frame_manifest(std::string_view manifest);
// Error: a sentence.
std::expected<std::string, std::string> unframe_manifest(std::string_view frame);

}  // namespace swarmdns::controlplane
