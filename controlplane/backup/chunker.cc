#include "controlplane/backup/chunker.h"

#include <algorithm>
#include <string>

namespace swarmdns::controlplane {
namespace {

constexpr std::uint64_t first_bits(unsigned count) {
  return ~std::uint64_t{0} << (64 - count);
}
constexpr std::uint64_t kHard = first_bits(20);
constexpr std::uint64_t kEasy = first_bits(16);

// Behind the octet that ends the chunk; `end` when there is none.
std::size_t scan(const unsigned char* data, std::size_t at, std::size_t end, std::uint64_t& hash,
                 const std::uint64_t* table, std::uint64_t mask) {
  std::uint64_t h = hash;
  for (; at + 4 <= end; at += 4) {
    h = (h << 1) + table[data[at]];
    if ((h & mask) == 0) return at + 1;
    h = (h << 1) + table[data[at + 1]];
    if ((h & mask) == 0) return at + 2;
    h = (h << 1) + table[data[at + 2]];
    if ((h & mask) == 0) return at + 3;
    h = (h << 1) + table[data[at + 3]];
    if ((h & mask) == 0) return at + 4;
  }
  for (; at < end; ++at) {
    h = (h << 1) + table[data[at]];
    if ((h & mask) == 0) return at + 1;
  }
  hash = h;
  return end + 1;
}

}  // namespace

Chunker::Chunker(const RootKey& key) {
  const Secret boundaries = key.derived("boundaries");
  for (std::uint32_t block = 0; block < 32; ++block) {
    std::string number;
    append_be32(number, block);
    std::array<unsigned char, 64> octets;
    crypto_generichash(octets.data(), octets.size(), reinterpret_cast<const unsigned char*>(number.data()),
                       number.size(), reinterpret_cast<const unsigned char*>(boundaries.view().data()),
                       boundaries.view().size());
    for (std::size_t i = 0; i < 8; ++i) {
      std::uint64_t value = 0;
      for (std::size_t k = 0; k < 8; ++k) value = value << 8 | octets[8 * i + k];
      table_[8 * block + i] = value;
    }
    sodium_memzero(octets.data(), octets.size());
  }
}

std::size_t Chunker::cut(Bytes data) const {
  const auto* octets = reinterpret_cast<const unsigned char*>(data.data());
  const std::size_t most = std::min(data.size(), kMostChunk);
  if (most <= kLeastChunk) return most;
  const std::size_t average = std::min(most, kAverageChunk);
  std::uint64_t hash = 0;
  std::size_t end = scan(octets, kLeastChunk, average, hash, table_.data(), kHard);
  if (end <= average) return end;
  end = scan(octets, average, most, hash, table_.data(), kEasy);
  return end <= most ? end : most;
}

}  // namespace swarmdns::controlplane
