// The Merkle tree of RFC 9162 section 2.1: hashes, appending, proofs and their verification. No I/O: stored
// hashes come through HashReader. Thread-safe as far as the reader is.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "controlplane/ledger/hash.h"

namespace swarmdns::controlplane {

// SHA-256(0x00 || leaf)
Hash merkle_leaf_hash(Bytes leaf);
// SHA-256(0x01 || left || right)
Hash merkle_node_hash(const Hash& left, const Hash& right);
// The root of no leaves: SHA-256 of nothing.
Hash merkle_empty_root();

// Hashes of complete subtrees: (level, index) is the one over leaves [index << level, (index + 1) << level);
// level 0 are the leaf hashes. The error is a sentence.
class HashReader {
 public:
  virtual ~HashReader() = default;
  virtual std::expected<Hash, std::string> node(unsigned level, std::uint64_t index) const = 0;
};

// A tree as far as appending needs it: the roots of its complete subtrees, at most 64 hashes.
class CompactRange {
 public:
  using Sink = std::function<void(unsigned level, std::uint64_t index, const Hash& hash)>;

  CompactRange() = default;
  // The tree of the first `size` leaves behind a reader.
  static std::expected<CompactRange, std::string> read(const HashReader& reader, std::uint64_t size);

  // Every hash of a subtree that is complete now goes to `sink`, the leaf's own first.
  void append(const Hash& leaf_hash, const Sink& sink = {});
  std::uint64_t size() const { return size_; }
  Hash root() const;

 private:
  std::uint64_t size_ = 0;
  std::vector<Hash> peaks_;  // the largest subtree first
};

// The tree of these leaf hashes, all in memory.
class MemoryTree : public HashReader {
 public:
  void append(const Hash& leaf_hash);
  std::uint64_t size() const { return range_.size(); }
  Hash root() const { return range_.root(); }
  std::expected<Hash, std::string> node(unsigned level, std::uint64_t index) const override;

 private:
  CompactRange range_;
  std::vector<std::vector<Hash>> levels_;
};

using MerklePath = std::vector<Hash>;

std::expected<Hash, std::string> merkle_root(const HashReader& reader, std::uint64_t size);
// Section 2.1.3.1. Errors: index >= size, what the reader says.
std::expected<MerklePath, std::string> inclusion_path(const HashReader& reader, std::uint64_t index,
                                                      std::uint64_t size);
// Section 2.1.4.1, with 0 < old_size <= new_size; empty when they are equal.
std::expected<MerklePath, std::string> consistency_path(const HashReader& reader, std::uint64_t old_size,
                                                        std::uint64_t new_size);

// Section 2.1.3.2. The error says which: an impossible size or index, a path of a wrong length, another root.
std::expected<void, std::string> verify_inclusion(const Hash& leaf_hash, std::uint64_t index,
                                                  std::uint64_t size, std::span<const Hash> path,
                                                  const Hash& root);
// Section 2.1.4.2, with 0 < old_size <= new_size.
std::expected<void, std::string> verify_consistency(std::uint64_t old_size, std::uint64_t new_size,
                                                    std::span<const Hash> path, const Hash& old_root,
                                                    const Hash& new_root);

}  // namespace swarmdns::controlplane
