#include "dataplane/control/spool.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <vector>

#include "dataplane/control/digest.h"

namespace swarmdns::control {
namespace {

std::vector<std::string> records_of(Spool& spool) {
  std::vector<std::string> records;
  const auto result = spool.replay([&](const std::string& record) {
    records.push_back(record);
    return true;
  });
  EXPECT_TRUE(result);
  return records;
}

TEST(Spool, GivesRecordsBackInOrderAcrossTheBuffer) {
  auto spool = Spool::create("/tmp", std::uint64_t{64} << 20);
  ASSERT_TRUE(spool) << spool.error();
  std::vector<std::string> expected;
  for (int i = 0; i < 40; ++i) {
    expected.emplace_back(static_cast<std::size_t>(i) * 7919, static_cast<char>('a' + i % 26));
    ASSERT_TRUE(spool->append(expected.back()));
  }
  EXPECT_EQ(records_of(*spool), expected);
  EXPECT_EQ(records_of(*spool), expected) << "a second reading differs";
}

TEST(Spool, KeepsItsLimit) {
  auto spool = Spool::create("/tmp", 100);
  ASSERT_TRUE(spool);
  EXPECT_TRUE(spool->append(std::string(90, 'x')));
  const auto refused = spool->append("0123456");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().find("memory_mib"), std::string::npos);
  EXPECT_EQ(records_of(*spool).size(), 1U);
}

TEST(Spool, LeavesNoNameBehind) {
  char directory[] = "/tmp/swarmdns-spool-XXXXXX";
  ASSERT_NE(mkdtemp(directory), nullptr);
  {
    auto spool = Spool::create(directory, 1000);
    ASSERT_TRUE(spool);
    ASSERT_TRUE(spool->append("x"));
    EXPECT_TRUE(std::filesystem::is_empty(directory));
  }
  std::filesystem::remove_all(directory);
  EXPECT_FALSE(Spool::create(directory, 1000)) << "the directory is gone";
}

TEST(Spool, StopsWhenTold) {
  auto spool = Spool::create("/tmp", 1000);
  ASSERT_TRUE(spool->append("a"));
  ASSERT_TRUE(spool->append("b"));
  int seen = 0;
  ASSERT_TRUE(spool->replay([&](const std::string&) { return ++seen < 1; }));
  EXPECT_EQ(seen, 1);
}

TEST(PartsDigest, SeesWhereAPartEnds) {
  PartsDigest a, b, c;
  a.add("ab");
  a.add("c");
  b.add("a");
  b.add("bc");
  c.add("ab");
  c.add("c");
  const std::string first = a.finish();
  EXPECT_EQ(first.size(), 32U);
  EXPECT_NE(first, b.finish());
  EXPECT_EQ(first, c.finish());
}

}  // namespace
}  // namespace swarmdns::control
