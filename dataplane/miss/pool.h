// A bounded pool of plain objects found by index. Memory is taken in chunks as the load first needs it and
// kept; the bound is never exceeded. Freed objects are reused last in, first out, so that a light load stays
// in few cache lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace swarmdns::miss {

inline constexpr std::uint32_t kNone = 0xffffffffU;

template <class T>
class Pool {
 public:
  explicit Pool(std::size_t max) : max_(max) {
    chunks_.reserve((max + kChunk - 1) / kChunk);
    free_.reserve(max);
  }

  // The index of an object in the state it was freed in, or kNone at the bound.
  [[nodiscard]] std::uint32_t take() {
    if (free_.empty()) {
      if (made_ >= max_) return kNone;
      if (made_ % kChunk == 0) chunks_.push_back(std::make_unique<T[]>(kChunk));
      ++used_;
      return static_cast<std::uint32_t>(made_++);
    }
    const std::uint32_t index = free_.back();
    free_.pop_back();
    ++used_;
    return index;
  }
  void give(std::uint32_t index) noexcept {
    free_.push_back(index);  // never allocates: reserved for all
    --used_;
  }
  [[nodiscard]] T& operator[](std::uint32_t index) noexcept {
    return chunks_[index / kChunk][index % kChunk];
  }
  [[nodiscard]] const T& operator[](std::uint32_t index) const noexcept {
    return chunks_[index / kChunk][index % kChunk];
  }

  [[nodiscard]] std::size_t used() const noexcept { return used_; }
  [[nodiscard]] std::size_t max() const noexcept { return max_; }
  // Indices handed out so far are below this.
  [[nodiscard]] std::size_t made() const noexcept { return made_; }

 private:
  static constexpr std::size_t kChunk = 256;
  const std::size_t max_;
  std::size_t made_ = 0;
  std::size_t used_ = 0;
  std::vector<std::unique_ptr<T[]>> chunks_;
  std::vector<std::uint32_t> free_;
};

}  // namespace swarmdns::miss
