// Private to the reader: the chunks of a list of parts in their order, window by window.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "controlplane/backup/snapshot_reader.h"

namespace swarmdns::controlplane {

class SnapshotReader::Walk {
 public:
  Walk(SnapshotReader& reader, std::vector<const SnapshotPart*> parts)
      : reader_(reader), parts_(std::move(parts)) {}

  // Nothing: the end.
  std::vector<Item> next() {
    std::vector<Item> items;
    std::uint64_t bytes = 0;
    while (bytes < kWindow && at_ < parts_.size()) {
      const SnapshotPart& part = *parts_[at_];
      if (chunk_ == part.chunks) {
        finish_part(part, items);
        continue;
      }
      const std::uint64_t entry = part.first_chunk + chunk_;
      const std::size_t number = 1 + entry / kFrameChunks;
      const auto chunks = reader_.chunks_of(number);
      if (!chunks) {
        pass_over_frame(part, number, chunks.error(), items);
        continue;
      }
      const ChunkRef& chunk = (**chunks)[entry % kFrameChunks];
      hash_->add(chunk.id, chunk.plain_bytes);
      items.push_back({.part = &part, .offset = offset_, .chunk = chunk});
      offset_ += chunk.plain_bytes;
      bytes += chunk.sealed_bytes;
      ++chunk_;
    }
    return items;
  }

 private:
  static constexpr std::uint64_t kWindow = 32u << 20;  // sealed octets

  void finish_part(const SnapshotPart& part, std::vector<Item>& items) {
    const bool whole = hash_->finish() == part.hash && offset_ == part.bytes;
    if (!whole && !holed_) {
      items.push_back(
          {.part = &part,
           .offset = 0,
           .lost = BackupError{BackupError::Kind::kReordered,
                               "the chunks of part " + part.name + " are not those that it was made of"},
           .lost_bytes = part.bytes});
    }
    ++at_;
    chunk_ = offset_ = 0;
    holed_ = false;
    hash_ = std::make_unique<PartHash>();
  }

  // How much is lost follows from the frames that are there; not when two are lost.
  void pass_over_frame(const SnapshotPart& part, std::size_t number, const BackupError& error,
                       std::vector<Item>& items) {
    holed_ = true;
    const std::uint64_t end = part.first_chunk + part.chunks;
    const std::uint64_t behind = std::min<std::uint64_t>(number * kFrameChunks, end);
    std::uint64_t rest = 0;
    bool known = true;
    for (std::uint64_t entry = behind; entry < end && known;) {
      const auto chunks = reader_.chunks_of(1 + entry / kFrameChunks);
      known = chunks.has_value();
      if (!known) break;
      for (std::uint64_t i = entry % kFrameChunks; i < (*chunks)->size() && entry < end; ++i, ++entry)
        rest += (**chunks)[i].plain_bytes;
    }
    known = known && rest <= part.bytes - offset_;
    const std::uint64_t lost = part.bytes - offset_ - (known ? rest : 0);
    items.push_back({.part = &part, .offset = offset_, .lost = error, .lost_bytes = lost});
    offset_ += lost;
    chunk_ = known ? behind - part.first_chunk : part.chunks;
  }

  SnapshotReader& reader_;
  std::vector<const SnapshotPart*> parts_;
  std::size_t at_ = 0;
  std::uint64_t chunk_ = 0;
  std::uint64_t offset_ = 0;
  bool holed_ = false;
  std::unique_ptr<PartHash> hash_ = std::make_unique<PartHash>();
};

}  // namespace swarmdns::controlplane
