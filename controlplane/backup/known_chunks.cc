#include "controlplane/backup/known_chunks.h"

#include <cstring>

namespace swarmdns::controlplane {

KnownChunks::KnownChunks() : table_(1024, kNone) {}

// Where it is, or where it would be.
std::size_t KnownChunks::place_of(const Digest& id) const {
  std::uint64_t word;
  std::memcpy(&word, id.data(), sizeof word);
  const std::size_t mask = table_.size() - 1;
  std::size_t place = word & mask;
  while (table_[place] != kNone && chunks_[table_[place]].id != id) place = (place + 1) & mask;
  return place;
}

std::uint32_t KnownChunks::find(const Digest& id) const {
  return table_[place_of(id)];
}

std::uint32_t KnownChunks::add(const KnownChunk& chunk) {
  if ((chunks_.size() + 1) * 4 > table_.size() * 3) grow();
  const auto number = static_cast<std::uint32_t>(chunks_.size());
  table_[place_of(chunk.id)] = number;
  chunks_.push_back(chunk);
  return number;
}

void KnownChunks::grow() {
  table_.assign(table_.size() * 2, kNone);
  for (std::size_t i = 0; i < chunks_.size(); ++i)
    table_[place_of(chunks_[i].id)] = static_cast<std::uint32_t>(i);
}

}  // namespace swarmdns::controlplane
