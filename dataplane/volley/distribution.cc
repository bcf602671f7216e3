#include "dataplane/volley/distribution.h"

#include <cmath>

namespace swarmdns::volley {

Distribution::Distribution(Order order, std::uint32_t questions, double exponent, std::uint64_t seed)
    : order_(order), questions_(questions), random_(mix64(seed ^ 0x646973747269)) {
  if (order == Order::Zipf) fill_cells(exponent);
}

void Distribution::fill_cells(double exponent) {
  std::vector<double> share(questions_);  // of each question, the mean being 1
  double sum = 0;
  for (std::uint32_t i = 0; i < questions_; ++i) sum += share[i] = std::pow(i + 1.0, -exponent);
  for (double& s : share) s *= questions_ / sum;

  std::vector<std::uint32_t> poor;
  std::vector<std::uint32_t> rich;
  for (std::uint32_t i = 0; i < questions_; ++i) (share[i] < 1 ? poor : rich).push_back(i);
  cells_.resize(questions_);
  // What is left over at the end differs from 1 by rounding alone and keeps its cell to itself.
  for (std::uint32_t i = 0; i < questions_; ++i) cells_[i] = {0xffffffff, i};
  while (!poor.empty() && !rich.empty()) {
    const std::uint32_t below = poor.back();
    const std::uint32_t above = rich.back();
    poor.pop_back();
    cells_[below] = {static_cast<std::uint32_t>(share[below] * 4294967296.0), above};
    share[above] -= 1 - share[below];
    if (share[above] < 1) {
      rich.pop_back();
      poor.push_back(above);
    }
  }
}

}  // namespace swarmdns::volley
