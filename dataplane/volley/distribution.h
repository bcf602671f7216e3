// Which question of the list comes next. Zipf: the k-th line is asked for with a weight of 1 / k^s, so a list
// stands with its most popular names first. A draw costs the same for any length of the list (Vose's alias
// method). Seeded: equal seeds give equal runs. One thread.
#pragma once

#include <cstdint>
#include <vector>

#include "dataplane/volley/random.h"

namespace swarmdns::volley {

enum class Order : std::uint8_t {
  List,     // one after the other, over and over
  Uniform,  // at random, all alike
  Zipf,
};

class Distribution {
 public:
  // `questions`: at least 1. `exponent`: s, of Zipf alone, 0-10.
  Distribution(Order order, std::uint32_t questions, double exponent, std::uint64_t seed);

  [[nodiscard]] std::uint32_t next() noexcept {
    if (order_ == Order::List) {
      const std::uint32_t now = next_;
      next_ = now + 1 == questions_ ? 0 : now + 1;
      return now;
    }
    const std::uint64_t draw = random_.u64();
    const auto place = static_cast<std::uint32_t>(((draw >> 32) * questions_) >> 32);
    if (order_ == Order::Uniform) return place;
    const Cell cell = cells_[place];
    return static_cast<std::uint32_t>(draw) < cell.own ? place : cell.other;
  }

 private:
  struct Cell {
    std::uint32_t own = 0;  // this share of 2^32 is the cell's own question, the rest the other one
    std::uint32_t other = 0;
  };
  void fill_cells(double exponent);

  Order order_;
  std::uint32_t questions_;
  std::uint32_t next_ = 0;
  Random random_;
  std::vector<Cell> cells_;
};

}  // namespace swarmdns::volley
