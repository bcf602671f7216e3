// The frames that benches hand to the pipeline: buffers laid out like mbufs, that many that no cache holds
// them.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "dataplane/worker/batch.h"

namespace swarmdns::bench {

class Frames {
 public:
  // Ends the program when there is no memory.
  explicit Frames(std::size_t count) : count_(count), lengths_(count) {
    void* memory = mmap(nullptr, count_ * kMbuf, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
      std::fprintf(stderr, "no memory for %zu frames\n", count_);
      std::exit(1);
    }
    memory_ = static_cast<std::byte*>(memory);
    madvise(memory_, count_ * kMbuf, MADV_HUGEPAGE);
  }
  ~Frames() { munmap(memory_, count_ * kMbuf); }
  Frames(const Frames&) = delete;
  Frames& operator=(const Frames&) = delete;

  // `query(frame)` writes a query into each buffer and returns its length.
  template <class Query>
  void write(Query&& query) {
    for (std::size_t i = 0; i < count_; ++i) lengths_[i] = static_cast<std::uint16_t>(query(at(i)));
  }

  // The frames from `first` on as a worker has received them.
  void fill(worker::Batch& batch, std::size_t first, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      batch.frames[i] = {at(first + i), lengths_[first + i], kRoom, false};
    }
    batch.count = count;
    // The burst behind, which a worker has received by then.
    for (std::size_t i = 0; i < count; ++i) batch.ahead[i] = at((first + count + i) % count_);
  }

  static constexpr std::uint16_t kRoom = 1514;

 private:
  static constexpr std::size_t kMbuf = 128 + 128 + 2048;  // header, headroom, data room
  static constexpr std::size_t kHeadroom = 256;

  std::byte* at(std::size_t i) { return memory_ + i * kMbuf + kHeadroom; }

  const std::size_t count_;
  std::byte* memory_ = nullptr;
  std::vector<std::uint16_t> lengths_;
};

}  // namespace swarmdns::bench
