// A restart snapshot's file: a header and frames that are sealed one by one
// (docs/formats/restart-snapshot.md). What is in the frames is not known here. One thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "dataplane/restart/node_key.h"

namespace swarmdns::restart {

inline constexpr std::uint32_t kSnapshotFormat = 1;
inline constexpr std::size_t kHeaderBytes = 64;
inline constexpr std::size_t kMostPayload = std::size_t{1} << 20;  // octets of a frame, before it is sealed

enum class FrameKind : std::uint8_t {
  Own = 1,   // entries that this node resolved
  Held = 2,  // entries of other nodes, or of unknown origin
  End = 3,
};

struct Totals {
  std::uint64_t own = 0;   // entries
  std::uint64_t held = 0;  // entries
};

using FileHeader = std::array<std::uint8_t, kHeaderBytes>;

class FrameWriter {
 public:
  // Writes beside `path`; what a killed one left there goes. The error names the file.
  [[nodiscard]] static std::expected<FrameWriter, std::string> create(const std::string& path,
                                                                      const NodeKey& key,
                                                                      std::uint64_t numbering);
  FrameWriter(FrameWriter&& other) noexcept;
  FrameWriter& operator=(FrameWriter&&) = delete;
  FrameWriter(const FrameWriter&) = delete;
  FrameWriter& operator=(const FrameWriter&) = delete;
  // Not published: what stands beside goes, and `path` is as it was.
  ~FrameWriter();

  // 1 to kMostPayload octets.
  [[nodiscard]] std::expected<void, std::string> add(FrameKind kind, std::string_view payload);
  // The last frame; then all of it is on disk.
  [[nodiscard]] std::expected<void, std::string> finish(const Totals& totals);
  // Takes the place of `path`. Once, after finish().
  [[nodiscard]] std::expected<void, std::string> publish();

  [[nodiscard]] std::uint64_t bytes() const noexcept { return written_; }

 private:
  FrameWriter(int fd, std::string path, const NodeKey& key) : fd_(fd), path_(std::move(path)), key_(key) {}
  std::expected<void, std::string> write(const char* from, std::size_t size);
  [[nodiscard]] std::unexpected<std::string> failure(const std::string& what) const;

  int fd_;
  std::string path_;
  NodeKey key_;
  FileHeader header_{};
  std::uint64_t next_ = 0;  // number of the next frame
  std::uint64_t written_ = 0;
  std::uint64_t pushed_ = 0;  // towards the disk
  std::string sealed_;
};

struct Frame {
  FrameKind kind = FrameKind::End;
  std::string_view payload;  // valid until the next call
  Totals totals;             // End
};

class FrameReader {
 public:
  // nullopt: there is no such file. An error says why it cannot be used.
  [[nodiscard]] static std::expected<std::optional<FrameReader>, std::string> open(const std::string& path,
                                                                                   const NodeKey& key);
  FrameReader(FrameReader&& other) noexcept;
  FrameReader& operator=(FrameReader&&) = delete;
  FrameReader(const FrameReader&) = delete;
  FrameReader& operator=(const FrameReader&) = delete;
  ~FrameReader();

  // The next frame, as it was written and in its place; the one of kind End is the last. An error says what
  // is wrong with the file from there on.
  [[nodiscard]] std::expected<Frame, std::string> next();
  // The same file from its first frame, though another may have its name by now.
  [[nodiscard]] std::expected<FrameReader, std::string> again() const;

  [[nodiscard]] std::uint64_t numbering() const noexcept;
  [[nodiscard]] std::uint64_t bytes() const noexcept { return at_; }  // read so far

 private:
  FrameReader(int fd, std::string path, const NodeKey& key) : fd_(fd), path_(std::move(path)), key_(key) {}
  [[nodiscard]] std::expected<void, std::string> read(void* into, std::size_t size);

  int fd_;
  std::string path_;
  NodeKey key_;
  FileHeader header_{};
  std::uint64_t next_ = 0;
  std::uint64_t at_ = 0;
  std::string sealed_;
  std::string opened_;
};

}  // namespace swarmdns::restart
