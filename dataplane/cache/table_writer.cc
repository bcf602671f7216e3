#include "dataplane/cache/table_writer.h"

namespace swarmdns::cache {

namespace {
constexpr unsigned kAllCells = (1U << kCells) - 1;

unsigned lowest(unsigned mask) noexcept {
  return static_cast<unsigned>(std::countr_zero(mask));
}
}  // namespace

TableWriter::Cell TableWriter::find(std::uint64_t hash, const Key& key) const noexcept {
  const std::uint16_t tag = Table::tag(hash);
  for (const bool second : {false, true}) {
    Bucket& bucket = table_.bucket(second ? table_.second_index(hash) : table_.first_index(hash));
    for (unsigned mask = bucket.match(tag); mask != 0; mask &= mask - 1) {
      const Cell cell{&bucket, lowest(mask), second};
      if (cell.ref() != 0 && table_.entry(cell.ref())->has_key(key)) return cell;
    }
    if (!second && !Table::spilled(bucket, tag)) break;
  }
  return {};
}

TableWriter::Cell TableWriter::find(std::uint64_t hash, Ref ref) const noexcept {
  for (const bool second : {false, true}) {
    Bucket& bucket = table_.bucket(second ? table_.second_index(hash) : table_.first_index(hash));
    for (unsigned mask = bucket.match(Table::tag(hash)); mask != 0; mask &= mask - 1) {
      const Cell cell{&bucket, lowest(mask), second};
      if (cell.ref() == ref) return cell;
    }
  }
  return {};
}

void TableWriter::remove(const Cell& cell, std::uint64_t hash) noexcept {
  cell.bucket->refs[cell.index].store(0, std::memory_order_release);
  if (cell.second) count_spill(hash, -1);
}

void TableWriter::fill(Bucket& bucket, unsigned index, std::uint16_t tag, Ref ref) noexcept {
  // A reader that sees this tag with the cell's former reference compares keys and finds that they differ.
  bucket.tags[index].store(tag, std::memory_order_release);
  bucket.refs[index].store(ref, std::memory_order_release);
}

unsigned TableWriter::filled(const Bucket& bucket) noexcept {
  unsigned mask = 0;
  for (unsigned i = 0; i < kCells; ++i) {
    mask |= static_cast<unsigned>(bucket.refs[i].load(std::memory_order_relaxed) != 0) << i;
  }
  return mask;
}

void TableWriter::count_spill(std::uint64_t hash, int change) noexcept {
  auto& spilled = table_.bucket(table_.first_index(hash)).spilled;
  const unsigned shift = Table::spill_shift(Table::tag(hash));
  const std::uint32_t word = spilled.load(std::memory_order_relaxed);
  const std::uint32_t count = word >> shift & 15;
  if (count == 15) return;  // no longer known: readers go on looking in the second bucket
  spilled.store(word + (static_cast<std::uint32_t>(change) << shift), std::memory_order_release);
}

Ref TableWriter::insert(std::uint64_t hash, Ref ref, bool may_move) noexcept {
  const std::uint16_t tag = Table::tag(hash);
  const std::uint32_t first_index = table_.first_index(hash);
  const std::uint32_t second_index = table_.second_index(hash);
  Bucket& first = table_.bucket(first_index);
  const unsigned in_first = filled(first);
  if (std::popcount(in_first) < kPreferFirst) {
    fill(first, lowest(~in_first), tag, ref);
    return 0;
  }
  Bucket& second = table_.bucket(second_index);
  const unsigned in_second = filled(second);
  if (in_first != kAllCells && std::popcount(in_first) <= std::popcount(in_second)) {
    fill(first, lowest(~in_first), tag, ref);
    return 0;
  }
  if (in_second != kAllCells) {
    // Counted before it is there: who sees the count and not the entry looks in vain, as a moment before.
    count_spill(hash, 1);
    fill(second, lowest(~in_second), tag, ref);
    return 0;
  }
  if (const int index = may_move ? make_space(first_index) : -1; index >= 0) {
    fill(first, static_cast<unsigned>(index), tag, ref);
    return 0;
  }
  if (const int index = may_move ? make_space(second_index) : -1; index >= 0) {
    count_spill(hash, 1);
    fill(second, static_cast<unsigned>(index), tag, ref);
    return 0;
  }
  ++displaced_;
  const bool from_second = !any_unasked(first) && any_unasked(second);
  Bucket& bucket = from_second ? second : first;
  const unsigned index = victim(bucket);
  const Ref out = bucket.refs[index].load(std::memory_order_relaxed);
  const std::uint64_t out_hash = table_.hash(table_.entry(out)->key());
  const bool out_in_second = &table_.bucket(table_.first_index(out_hash)) != &bucket;
  remove(Cell{&bucket, index, out_in_second}, out_hash);
  if (from_second) count_spill(hash, 1);
  fill(bucket, index, tag, ref);
  return out;
}

// Moves one of this full bucket's entries for which it is the first choice to the second one; its cell is
// returned.
int TableWriter::make_space(std::uint32_t index) noexcept {
  Bucket& bucket = table_.bucket(index);
  for (const auto& ref : bucket.refs) __builtin_prefetch(table_.entry(ref.load(std::memory_order_relaxed)));
  for (unsigned n = 0; n < kCells; ++n) {
    const unsigned i = (turn_ + n) % kCells;
    const Ref ref = bucket.refs[i].load(std::memory_order_relaxed);
    const std::uint64_t hash = table_.hash(table_.entry(ref)->key());
    if (table_.first_index(hash) != index) continue;
    const std::uint32_t to = table_.second_index(hash);
    Bucket& other = table_.bucket(to);
    const unsigned in_other = filled(other);
    if (in_other == kAllCells) continue;
    count_spill(hash, 1);
    fill(other, lowest(~in_other), Table::tag(hash), ref);
    // A reader that no longer finds it here now looks there. The cell is emptied, so that it never holds a
    // tag and a reference that were both valid once but not together.
    bucket.refs[i].store(0, std::memory_order_release);
    ++moves_;
    turn_ = i + 1;
    return static_cast<int>(i);
  }
  return -1;
}

bool TableWriter::any_unasked(const Bucket& bucket) const noexcept {
  for (const auto& ref : bucket.refs) {
    if (table_.entry(ref.load(std::memory_order_relaxed))->touched.load(std::memory_order_relaxed) == 0)
      return true;
  }
  return false;
}

// The cell to give up: of an entry not asked for lately, if there is one.
unsigned TableWriter::victim(const Bucket& bucket) noexcept {
  for (unsigned n = 0; n < kCells; ++n) {
    const unsigned i = (turn_ + n) % kCells;
    const Ref ref = bucket.refs[i].load(std::memory_order_relaxed);
    if (table_.entry(ref)->touched.load(std::memory_order_relaxed) == 0) {
      turn_ = i + 1;
      return i;
    }
  }
  return turn_++ % kCells;
}

}  // namespace swarmdns::cache
