#include "dataplane/control/journal_numbers.h"

#include <gtest/gtest.h>
#include <sodium.h>

#include <filesystem>

#include "proto/config/store.h"
#include "tests/unit/dataplane/control/sample_config.h"

namespace swarmdns::control {
namespace {

constexpr std::int64_t kNow = 1'800'000'000;
constexpr std::uint64_t kByClock = std::uint64_t{1'800'000'000} << 16;

class JournalNumbersTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_GE(sodium_init(), 0); }
  JournalNumbers open() const { return JournalNumbers::open(directory_.path(), kNow); }
  std::string path() const { return journal_numbers_path(directory_.path()); }
  std::string contents() const { return config::read_file(path()).value_or("?"); }
  void put(const std::string& text) const { ASSERT_TRUE(config::write_file_atomically(path(), text, 0640)); }

  ScratchDirectory directory_;
};

TEST_F(JournalNumbersTest, NumbersRiseOverCrashes) {
  const JournalNumbers first = open();
  EXPECT_EQ(first.first(), 1U);
  EXPECT_NE(first.numbering(), 0U);
  EXPECT_EQ(first.warning(), "");
  const JournalNumbers second = open();  // nobody said how many the first one gave
  EXPECT_EQ(second.first(), 1 + JournalNumbers::kReserve);
  EXPECT_EQ(second.numbering(), first.numbering());
  EXPECT_EQ(open().first(), 1 + 2 * JournalNumbers::kReserve);
}

TEST_F(JournalNumbersTest, MoreAreReservedLongBeforeTheyRunOut) {
  JournalNumbers numbers = open();
  const std::string before = contents();
  ASSERT_TRUE(numbers.keep_ahead(1000));
  EXPECT_EQ(contents(), before) << "nothing is written while enough are left";
  const std::uint64_t half = JournalNumbers::kReserve / 2 + 2;
  ASSERT_TRUE(numbers.keep_ahead(half));
  EXPECT_NE(contents(), before);
  EXPECT_EQ(open().first(), half + JournalNumbers::kReserve);
}

TEST_F(JournalNumbersTest, AnOrderlyEndWastesNone) {
  JournalNumbers numbers = open();
  ASSERT_TRUE(numbers.give_back(77));
  EXPECT_EQ(open().first(), 77U);
}

TEST_F(JournalNumbersTest, ADamagedFileIsNeverTakenForALowNumber) {
  const std::uint64_t numbering = open().numbering();
  const std::string good = contents();
  std::string altered = good;
  altered[altered.find(' ', 36) - 1] ^= 1;  // the last digit of the number
  for (const std::string& text :
       {std::string(), std::string("1\n"), good.substr(0, good.size() - 1), good + "\n", altered,
        std::string(1000, 'x'), "swarmdns-journal 2" + good.substr(18)}) {
    put(text);
    const JournalNumbers numbers = open();
    EXPECT_EQ(numbers.first(), kByClock) << text;
    EXPECT_NE(numbers.numbering(), numbering) << text;
    EXPECT_NE(numbers.warning().find(path()), std::string::npos) << numbers.warning();
    const JournalNumbers next = open();  // mended by that start
    EXPECT_EQ(next.first(), kByClock + JournalNumbers::kReserve);
    EXPECT_EQ(next.numbering(), numbers.numbering());
    EXPECT_EQ(next.warning(), "");
  }
  put(good);
  EXPECT_EQ(open().numbering(), numbering) << "the check above could not fail";
}

TEST_F(JournalNumbersTest, ADirectoryInThePlaceOfTheFileIsNoReasonToStop) {
  ASSERT_TRUE(std::filesystem::create_directory(path()));
  JournalNumbers numbers = open();
  EXPECT_EQ(numbers.first(), kByClock);
  EXPECT_NE(numbers.warning(), "");
  EXPECT_FALSE(numbers.keep_ahead(kByClock + 5));
  std::filesystem::remove(path());
  ASSERT_TRUE(numbers.keep_ahead(kByClock + 5)) << "reserved as soon as it can be";
  EXPECT_EQ(open().first(), kByClock + 5 + JournalNumbers::kReserve);
}

TEST_F(JournalNumbersTest, AClockGoneWildLeavesNumbersToGive) {
  put("x");
  EXPECT_LT(JournalNumbers::open(directory_.path(), std::int64_t{1} << 60).first(),
            JournalNumbers::kMost / 2);
  put("x");
  EXPECT_GT(JournalNumbers::open(directory_.path(), -5).first(), JournalNumbers::kMost / 4);
}

}  // namespace
}  // namespace swarmdns::control
