#include "controlplane/ledger/merkle.h"

#include <bit>

namespace swarmdns::controlplane {
namespace {

constexpr std::byte kLeaf{0x00};
constexpr std::byte kNode{0x01};

using HashOrError = std::expected<Hash, std::string>;

// The hash of leaves [begin, end), where begin is a multiple of the smallest power of two that end - begin
// fits in: all ranges that the RFC's recursions come by.
HashOrError range_hash(const HashReader& reader, std::uint64_t begin, std::uint64_t end) {
  const std::uint64_t count = end - begin;
  if (std::has_single_bit(count)) {
    const auto level = static_cast<unsigned>(std::countr_zero(count));
    return reader.node(level, begin >> level);
  }
  const std::uint64_t split = begin + std::bit_floor(count);
  const HashOrError left = range_hash(reader, begin, split);
  if (!left) return left;
  const HashOrError right = range_hash(reader, split, end);
  if (!right) return right;
  return merkle_node_hash(*left, *right);
}

// The largest power of two below count (> 1).
std::uint64_t split_of(std::uint64_t count) {
  return std::bit_floor(count - 1);
}

}  // namespace

Hash merkle_leaf_hash(Bytes leaf) {
  return sha256({Bytes(&kLeaf, 1), leaf});
}

Hash merkle_node_hash(const Hash& left, const Hash& right) {
  return sha256({Bytes(&kNode, 1), left, right});
}

Hash merkle_empty_root() {
  return sha256({});
}

std::expected<CompactRange, std::string> CompactRange::read(const HashReader& reader, std::uint64_t size) {
  CompactRange range;
  range.size_ = size;
  std::uint64_t begin = 0;
  for (std::uint64_t left = size; left != 0;) {
    const std::uint64_t count = std::bit_floor(left);
    const auto level = static_cast<unsigned>(std::countr_zero(count));
    const HashOrError peak = reader.node(level, begin >> level);
    if (!peak) return std::unexpected(peak.error());
    range.peaks_.push_back(*peak);
    begin += count;
    left -= count;
  }
  return range;
}

void CompactRange::append(const Hash& leaf_hash, const Sink& sink) {
  if (sink) sink(0, size_, leaf_hash);
  Hash hash = leaf_hash;
  // Each set bit at the low end of the size is a peak that is now a left half.
  std::uint64_t index = size_;
  for (unsigned level = 1; (index & 1) != 0; ++level) {
    hash = merkle_node_hash(peaks_.back(), hash);
    peaks_.pop_back();
    index >>= 1;
    if (sink) sink(level, index, hash);
  }
  peaks_.push_back(hash);
  ++size_;
}

Hash CompactRange::root() const {
  if (peaks_.empty()) return merkle_empty_root();
  Hash root = peaks_.back();
  for (std::size_t i = peaks_.size() - 1; i-- > 0;) root = merkle_node_hash(peaks_[i], root);
  return root;
}

void MemoryTree::append(const Hash& leaf_hash) {
  range_.append(leaf_hash, [this](unsigned level, std::uint64_t, const Hash& hash) {
    if (levels_.size() <= level) levels_.resize(level + 1);
    levels_[level].push_back(hash);
  });
}

HashOrError MemoryTree::node(unsigned level, std::uint64_t index) const {
  if (level >= levels_.size() || index >= levels_[level].size()) {
    return std::unexpected("the tree of " + std::to_string(size()) + " leaves has no node " +
                           std::to_string(index) + " at level " + std::to_string(level));
  }
  return levels_[level][index];
}

HashOrError merkle_root(const HashReader& reader, std::uint64_t size) {
  if (size == 0) return merkle_empty_root();
  return range_hash(reader, 0, size);
}

std::expected<MerklePath, std::string> inclusion_path(const HashReader& reader, std::uint64_t index,
                                                      std::uint64_t size) {
  if (index >= size) {
    return std::unexpected("leaf " + std::to_string(index) + " is not in a tree of " + std::to_string(size) +
                           " leaves");
  }
  // From the root down to the leaf; the path lists siblings from the leaf up.
  MerklePath path;
  std::uint64_t begin = 0;
  std::uint64_t end = size;
  while (end - begin > 1) {
    const std::uint64_t split = begin + split_of(end - begin);
    const bool go_left = index < split;
    const HashOrError sibling = go_left ? range_hash(reader, split, end) : range_hash(reader, begin, split);
    if (!sibling) return std::unexpected(sibling.error());
    path.push_back(*sibling);
    (go_left ? end : begin) = split;
  }
  return MerklePath(path.rbegin(), path.rend());
}

std::expected<MerklePath, std::string> consistency_path(const HashReader& reader, std::uint64_t old_size,
                                                        std::uint64_t new_size) {
  if (old_size == 0 || old_size > new_size) {
    return std::unexpected("there is no consistency proof from a tree of " + std::to_string(old_size) +
                           " leaves to one of " + std::to_string(new_size));
  }
  MerklePath path;
  std::uint64_t begin = 0;
  std::uint64_t end = new_size;
  while (end != old_size) {
    const std::uint64_t split = begin + split_of(end - begin);
    const bool go_left = old_size <= split;
    const HashOrError other = go_left ? range_hash(reader, split, end) : range_hash(reader, begin, split);
    if (!other) return std::unexpected(other.error());
    path.push_back(*other);
    (go_left ? end : begin) = split;
  }
  // What is left is a subtree of the old tree that is complete in both; the old root itself need not be told.
  if (begin != 0) {
    const HashOrError last = range_hash(reader, begin, end);
    if (!last) return std::unexpected(last.error());
    path.push_back(*last);
  }
  return MerklePath(path.rbegin(), path.rend());
}

std::expected<void, std::string> verify_inclusion(const Hash& leaf_hash, std::uint64_t index,
                                                  std::uint64_t size, std::span<const Hash> path,
                                                  const Hash& root) {
  if (index >= size) {
    return std::unexpected("index " + std::to_string(index) + " is not below the tree size " +
                           std::to_string(size));
  }
  std::uint64_t node = index;
  std::uint64_t last = size - 1;
  Hash hash = leaf_hash;
  for (const Hash& sibling : path) {
    if (last == 0) return std::unexpected("the audit path is longer than the tree is high");
    if ((node & 1) != 0 || node == last) {
      hash = merkle_node_hash(sibling, hash);
      // A node without a sibling stands for itself on the levels above.
      while ((node & 1) == 0 && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      hash = merkle_node_hash(hash, sibling);
    }
    node >>= 1;
    last >>= 1;
  }
  if (last != 0) return std::unexpected("the audit path is shorter than the tree is high");
  if (hash != root) return std::unexpected("the audit path leads to another root");
  return {};
}

std::expected<void, std::string> verify_consistency(std::uint64_t old_size, std::uint64_t new_size,
                                                    std::span<const Hash> path, const Hash& old_root,
                                                    const Hash& new_root) {
  if (old_size == 0) return std::unexpected("an empty tree has no consistency proof");
  if (old_size > new_size) {
    return std::unexpected("the old tree (" + std::to_string(old_size) + ") is larger than the new one (" +
                           std::to_string(new_size) + ")");
  }
  if (old_size == new_size) {
    if (!path.empty()) return std::unexpected("trees of one size need no consistency path, but there is one");
    if (old_root != new_root) return std::unexpected("two trees of one size have different roots");
    return {};
  }
  if (path.empty()) return std::unexpected("the consistency path is empty");
  std::uint64_t node = old_size - 1;
  std::uint64_t last = new_size - 1;
  while ((node & 1) != 0) {
    node >>= 1;
    last >>= 1;
  }
  // An old tree of 2^n leaves is itself the first node of the path.
  const bool whole = std::has_single_bit(old_size);
  Hash old_hash = whole ? old_root : path.front();
  Hash new_hash = old_hash;
  for (const Hash& hash : path.subspan(whole ? 0 : 1)) {
    if (last == 0) return std::unexpected("the consistency path is longer than the tree is high");
    if ((node & 1) != 0 || node == last) {
      old_hash = merkle_node_hash(hash, old_hash);
      new_hash = merkle_node_hash(hash, new_hash);
      while ((node & 1) == 0 && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      new_hash = merkle_node_hash(new_hash, hash);
    }
    node >>= 1;
    last >>= 1;
  }
  if (last != 0) return std::unexpected("the consistency path is shorter than the tree is high");
  if (old_hash != old_root) return std::unexpected("the consistency path leads to another old root");
  if (new_hash != new_root) return std::unexpected("the consistency path leads to another new root");
  return {};
}

}  // namespace swarmdns::controlplane
