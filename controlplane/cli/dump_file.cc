#include "controlplane/cli/dump_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace swarmdns::controlplane {

DumpWriter::DumpWriter(std::string path)
    : path_(std::move(path)),
      partial_(path_ + ".partial"),
      out_(partial_, std::ios::binary | std::ios::trunc) {
  if (!out_) error_ = "cannot write " + partial_ + ": " + std::strerror(errno);
}

DumpWriter::~DumpWriter() {
  if (finished_) return;
  out_.close();
  if (error_.empty() || bytes_ > 0) unlink(partial_.c_str());
}

bool DumpWriter::add(const v1::CacheSlice& slice) {
  if (!error_.empty()) return false;
  const std::string body = slice.SerializeAsString();
  std::string length;
  uint64_t left = body.size();
  do {
    length += static_cast<char>((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
    left >>= 7;
  } while (left > 0);
  out_ << length << body;
  if (!out_) {
    error_ = "cannot write " + partial_ + ": " + std::strerror(errno);
    return false;
  }
  bytes_ += length.size() + body.size();
  entries_ += static_cast<uint64_t>(slice.entries().entries_size());
  whole_ = slice.has_trailer();
  return true;
}

std::expected<void, std::string> DumpWriter::finish() {
  if (!error_.empty()) return std::unexpected(error_);
  if (!whole_) return std::unexpected("the dump broke off before its end; nothing was kept");
  out_.close();
  if (!out_) return std::unexpected("cannot write " + partial_ + ": " + std::strerror(errno));
  if (rename(partial_.c_str(), path_.c_str()) != 0) {
    return std::unexpected("cannot rename " + partial_ + " to " + path_ + ": " + std::strerror(errno));
  }
  finished_ = true;
  return {};
}

DumpReader::DumpReader(const std::string& path) : path_(path), in_(path, std::ios::binary) {
  if (!in_) error_ = "cannot open " + path + ": " + std::strerror(errno);
}

bool DumpReader::next(v1::CacheSlice& slice) {
  if (!error_.empty()) return false;
  const std::string where = " (" + path_ + ", byte " + std::to_string(offset_) + ")";
  uint64_t length = 0;
  int shift = 0;
  uint64_t prefix = 0;
  for (;;) {
    const int byte = in_.get();
    if (byte == std::char_traits<char>::eof()) {
      if (prefix > 0) error_ = "the file is cut in the length of a slice" + where;
      return false;
    }
    ++prefix;
    length |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) break;
    shift += 7;
    if (shift > 28) {
      error_ = "this is no cache dump, or it was altered: a slice has an impossible length" + where;
      return false;
    }
  }
  if (length > kMaxSliceBytes) {
    error_ = "this is no cache dump, or it was altered: a slice claims " + std::to_string(length) + " bytes" +
             where;
    return false;
  }
  std::string body(length, '\0');
  in_.read(body.data(), static_cast<std::streamsize>(length));
  if (static_cast<uint64_t>(in_.gcount()) != length) {
    error_ = "the file is cut: a slice of " + std::to_string(length) + " bytes has only " +
             std::to_string(in_.gcount()) + where;
    return false;
  }
  if (!slice.ParseFromString(body)) {
    error_ = "the file was altered: a slice cannot be read" + where;
    return false;
  }
  offset_ += prefix + length;
  return true;
}

std::expected<DumpSummary, std::string> inspect_dump(const std::string& path) {
  DumpReader reader(path);
  DumpSummary summary;
  v1::CacheSlice slice;
  bool first = true;
  bool ended = false;
  while (reader.next(slice)) {
    if (ended) return std::unexpected(path + " was altered: there is something behind its trailer");
    if (first && !slice.has_header())
      return std::unexpected(path + " is no cache dump: it does not begin with a header");
    if (!first && slice.has_header()) return std::unexpected(path + " was altered: it has a second header");
    if (first) {
      summary.header = slice.header();
      if (summary.header.magic() != kDumpMagic) {
        return std::unexpected(path + " is no cache dump: its header does not say " + kDumpMagic);
      }
      if (summary.header.format() != kDumpFormat) {
        return std::unexpected(path + " has format " + std::to_string(summary.header.format()) +
                               ", this version reads format " + std::to_string(kDumpFormat) +
                               "; load it with the version that wrote it");
      }
    }
    first = false;
    summary.entries += static_cast<uint64_t>(slice.entries().entries_size());
    if (slice.has_trailer()) {
      ended = true;
      if (slice.trailer().entries() != summary.entries) {
        return std::unexpected(path + " is cut or altered: its trailer counts " +
                               std::to_string(slice.trailer().entries()) + " entries, the file holds " +
                               std::to_string(summary.entries));
      }
    }
  }
  if (!reader.error().empty()) return std::unexpected(reader.error());
  if (first) return std::unexpected(path + " is empty");
  if (!ended) return std::unexpected(path + " is cut: it has no trailer");
  summary.bytes = reader.offset();
  return summary;
}

}  // namespace swarmdns::controlplane
