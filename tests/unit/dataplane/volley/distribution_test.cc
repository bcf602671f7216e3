#include "dataplane/volley/distribution.h"

#include <gtest/gtest.h>

#include <cmath>

namespace swarmdns::volley {
namespace {

std::vector<double> shares(Distribution distribution, std::uint32_t questions, int draws) {
  std::vector<double> out(questions);
  for (int i = 0; i < draws; ++i) out[distribution.next()] += 1.0 / draws;
  return out;
}

TEST(Distribution, ListIsInOrderOverAndOver) {
  Distribution list(Order::List, 3, 0, 1);
  for (const std::uint32_t wanted : {0, 1, 2, 0, 1, 2, 0}) EXPECT_EQ(list.next(), wanted);
}

TEST(Distribution, UniformIsEven) {
  for (const double share : shares(Distribution(Order::Uniform, 10, 0, 7), 10, 200000))
    EXPECT_NEAR(share, 0.1, 0.005);
}

TEST(Distribution, ZipfHasItsWeights) {
  constexpr std::uint32_t kQuestions = 50;
  for (const double exponent : {0.0, 0.8, 1.0, 2.0}) {
    double sum = 0;
    for (std::uint32_t k = 1; k <= kQuestions; ++k) sum += std::pow(k, -exponent);
    const auto seen = shares(Distribution(Order::Zipf, kQuestions, exponent, 3), kQuestions, 500000);
    for (std::uint32_t k = 1; k <= kQuestions; ++k)
      EXPECT_NEAR(seen[k - 1], std::pow(k, -exponent) / sum, 0.004) << exponent << " " << k;
  }
}

TEST(Distribution, ZipfOfOneQuestionIsThatQuestion) {
  Distribution one(Order::Zipf, 1, 1, 1);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(one.next(), 0U);
}

TEST(Distribution, SeedsDecide) {
  const auto draw = [](std::uint64_t seed) {
    Distribution distribution(Order::Uniform, 1000000, 0, seed);
    std::vector<std::uint32_t> out;
    for (int i = 0; i < 20; ++i) out.push_back(distribution.next());
    return out;
  };
  EXPECT_EQ(draw(5), draw(5));
  EXPECT_NE(draw(5), draw(6));
}

}  // namespace
}  // namespace swarmdns::volley
