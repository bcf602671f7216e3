#include "tests/sim/register_history.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace swarmdns::sim {
namespace {

TEST(RegisterHistory, TakesReadsOfTheNewestValue) {
  RegisterHistory history;
  history.read("", 1, 2);
  history.write_begins("a", 3);
  history.write_done("a", 4);
  history.read("a", 5, 6);
  history.write_begins("b", 7);
  history.read("a", 8, 9);  // b is on its way still
  history.read("b", 10, 12);
  history.write_done("b", 11);
  EXPECT_EQ(history.check(), "");
}

TEST(RegisterHistory, RejectsAStaleRead) {
  RegisterHistory history;
  history.write_begins("a", 1);
  history.write_done("a", 2);
  history.write_begins("b", 3);
  history.write_done("b", 4);
  history.read("a", 5, 6);
  EXPECT_NE(history.check(), "");
}

TEST(RegisterHistory, RejectsAReadThatGoesBack) {
  RegisterHistory history;
  history.write_begins("a", 1);
  history.write_done("a", 2);
  history.write_begins("b", 3);  // its outcome is unknown
  history.read("b", 4, 5);
  history.read("a", 6, 7);
  EXPECT_NE(history.check(), "");
}

TEST(RegisterHistory, AWriteWhoseOutcomeIsUnknownMayComeLateOrNever) {
  RegisterHistory late;
  late.write_begins("a", 1);
  late.read("", 2, 3);
  late.read("a", 4, 5);
  EXPECT_EQ(late.check(), "");
  RegisterHistory never;
  never.write_begins("a", 1);
  never.read("", 2, 3);
  never.read("", 4, 5);
  EXPECT_EQ(never.check(), "");
}

TEST(RegisterHistory, RejectsWhatWasRefusedOrNeverWritten) {
  RegisterHistory refused;
  refused.write_begins("a", 1);
  refused.write_refused("a");
  refused.read("a", 2, 3);
  EXPECT_NE(refused.check(), "");
  RegisterHistory invented;
  invented.read("a", 1, 2);
  EXPECT_NE(invented.check(), "");
  RegisterHistory early;
  early.read("a", 1, 2);
  early.write_begins("a", 3);
  EXPECT_NE(early.check(), "");
}

TEST(RegisterHistory, ConcurrentWritesMayTakeEitherOrderButOneOnly) {
  const auto both = [](const char* first, const char* second, const char* third) {
    RegisterHistory history;
    history.write_begins("a", 1);
    history.write_begins("b", 2);
    history.write_done("a", 3);
    history.write_done("b", 4);
    history.read(first, 5, 6);
    history.read(second, 7, 8);
    history.read(third, 9, 10);
    return history.check();
  };
  EXPECT_EQ(both("a", "a", "a"), "");
  EXPECT_EQ(both("b", "b", "b"), "");
  EXPECT_NE(both("a", "b", "a"), "");
  EXPECT_NE(both("a", "b", "b"), "");
}

// Against trying every order (Wing and Gong, without their shortcuts).
struct Op {
  bool write = false;
  int value = 0;
  std::uint64_t begun = 0;
  std::uint64_t ended = 0;
};

bool some_order(std::vector<Op> left, int current) {
  if (left.empty()) return true;
  for (std::size_t i = 0; i < left.size(); ++i) {
    bool first = true;
    for (const Op& other : left) first = first && !(other.ended < left[i].begun);
    if (!first || (!left[i].write && left[i].value != current)) continue;
    std::vector<Op> rest = left;
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
    if (some_order(rest, left[i].write ? left[i].value : current)) return true;
  }
  return false;
}

TEST(RegisterHistory, AgreesWithTryingEveryOrder) {
  std::mt19937_64 random(1);
  int good = 0;
  int bad = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::uint64_t> times(12);
    for (std::size_t i = 0; i < times.size(); ++i) times[i] = i + 1;
    for (std::size_t i = times.size() - 1; i > 0; --i) std::swap(times[i], times[random() % (i + 1)]);
    std::vector<Op> ops;
    RegisterHistory history("0");
    const int writes = 1 + static_cast<int>(random() % 3);
    for (int i = 0; i < 6; ++i) {
      Op op;
      op.begun = std::min(times[2 * i], times[2 * i + 1]);
      op.ended = std::max(times[2 * i], times[2 * i + 1]);
      op.write = i < writes;
      op.value = op.write ? i + 1 : static_cast<int>(random() % static_cast<unsigned>(writes + 1));
      if (op.write) {
        history.write_begins(std::to_string(op.value), op.begun);
        history.write_done(std::to_string(op.value), op.ended);
      } else {
        history.read(std::to_string(op.value), op.begun, op.ended);
      }
      ops.push_back(op);
    }
    const bool expected = some_order(ops, 0);
    ASSERT_EQ(history.check().empty(), expected) << "round " << round << ": " << history.check();
    ++(expected ? good : bad);
  }
  EXPECT_GT(good, 100);
  EXPECT_GT(bad, 100);
}

}  // namespace
}  // namespace swarmdns::sim
