// How many bytes the entries of the log have that C-raft holds in memory: it snapshots and trims by count,
// the engine by bytes. No thread of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

namespace swarmdns::controlplane {

class LogSizes {
 public:
  // An empty log whose next entry has this number.
  void reset(std::uint64_t next_index) {
    ends_.clear();
    first_ = next_index;
    base_ = 0;
  }
  void append(std::size_t bytes) { ends_.push_back(total() + bytes); }
  // Entries from `index` on are gone.
  void truncate(std::uint64_t index) {
    if (index < first_)
      reset(index);
    else if (index < next_index())
      ends_.resize(index - first_);
  }
  // Entries below `index` are gone.
  void trim(std::uint64_t index) {
    for (; first_ < index && !ends_.empty(); ++first_) {
      base_ = ends_.front();
      ends_.pop_front();
    }
  }

  std::uint64_t first_index() const { return first_; }
  std::uint64_t next_index() const { return first_ + ends_.size(); }
  // Of the entries after `index`.
  std::uint64_t bytes_after(std::uint64_t index) const {
    if (index < first_) return total() - base_;
    return index >= next_index() ? 0 : total() - ends_[index - first_];
  }
  // How many entries up to `index` have at most `bytes` together, counted backwards.
  std::uint64_t count_within(std::uint64_t index, std::uint64_t bytes) const {
    std::uint64_t count = 0;
    while (index - count >= first_ && index - count < next_index()) {
      const std::uint64_t at = index - count - first_;
      const std::uint64_t before = at == 0 ? base_ : ends_[at - 1];
      if (ends_[index - first_] - before > bytes) break;
      ++count;
      if (count == index) break;
    }
    return count;
  }

 private:
  std::uint64_t total() const { return ends_.empty() ? base_ : ends_.back(); }

  std::uint64_t first_ = 1;
  std::uint64_t base_ = 0;          // bytes of everything before first_
  std::deque<std::uint64_t> ends_;  // bytes of everything up to and with first_ + i
};

}  // namespace swarmdns::controlplane
