// The file `cache dump` writes and `cache load` reads: CacheSlice messages, each preceded by its length in
// bytes as a Protobuf varint; a header first, a trailer last, nothing behind it (docs/formats/cache-dump.md).
// The digest in the trailer is judged by the data plane.
#pragma once

#include <cstdint>
#include <expected>
#include <fstream>
#include <string>

#include "swarmdns/v1/dataplane.pb.h"

namespace swarmdns::controlplane {

// Slices are at most 1 MiB of entries; what claims more is not a slice.
inline constexpr uint64_t kMaxSliceBytes = 16u << 20;
inline constexpr const char* kDumpMagic = "SWARMDNS-CACHE";
inline constexpr uint32_t kDumpFormat = 1;

// Written beside and renamed when it is whole: a dump that broke off leaves no file of that name.
class DumpWriter {
 public:
  explicit DumpWriter(std::string path);
  ~DumpWriter();
  // false: see error().
  bool add(const v1::CacheSlice& slice);
  // Only after a trailer.
  std::expected<void, std::string> finish();
  const std::string& error() const { return error_; }
  uint64_t bytes() const { return bytes_; }
  uint64_t entries() const { return entries_; }

 private:
  std::string path_;
  std::string partial_;
  std::ofstream out_;
  std::string error_;
  uint64_t bytes_ = 0;
  uint64_t entries_ = 0;
  bool whole_ = false;
  bool finished_ = false;
};

class DumpReader {
 public:
  explicit DumpReader(const std::string& path);
  // false: the end, or see error().
  bool next(v1::CacheSlice& slice);
  const std::string& error() const { return error_; }
  uint64_t offset() const { return offset_; }

 private:
  std::string path_;
  std::ifstream in_;
  std::string error_;
  uint64_t offset_ = 0;
};

struct DumpSummary {
  v1::DumpHeader header;
  uint64_t entries = 0;
  uint64_t bytes = 0;
};

// Walks the whole file: framing, header, trailer and its count. The error is a sentence saying what is wrong.
std::expected<DumpSummary, std::string> inspect_dump(const std::string& path);

}  // namespace swarmdns::controlplane
