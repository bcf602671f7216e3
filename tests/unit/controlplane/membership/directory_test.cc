#include "controlplane/membership/directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/controlplane/support/chain_node.h"

namespace swarmdns::controlplane {
namespace {

using testing::HasSubstr;

// n1, n2 and n3, of whom n2 was removed.
class DirectoryTest : public testing::Test {
 protected:
  DirectoryTest() {
    for (const std::string& entry : beginning(3, 1)) node.take(entry);
    v1::Transaction removed;
    removed.mutable_member_removed()->set_id(2);
    node.take(entry_of({bundle_of(3, {removed})}));
  }
  StateView state() { return node.chain->state(); }
  void rename(std::uint64_t id, const std::string& name) {
    v1::Transaction changed;
    changed.mutable_member_changed()->set_id(id);
    changed.mutable_member_changed()->set_name(name);
    node.take(entry_of({bundle_of(4, {changed})}));
  }

  ChainNode node;
};

TEST_F(DirectoryTest, ListsByNumber) {
  const auto live = live_members(state());
  ASSERT_EQ(live.size(), 2U);
  EXPECT_EQ(live[0].name(), "n1");
  EXPECT_EQ(live[1].name(), "n3");
  const auto all = all_members(state());
  ASSERT_EQ(all.size(), 3U);
  EXPECT_NE(all[1].removed_height(), 0U);
  EXPECT_EQ(member(state(), 2)->name(), "n2");
  EXPECT_FALSE(member(state(), 4));
}

TEST_F(DirectoryTest, FindsByNameAndByNumber) {
  EXPECT_EQ(find_member(state(), "n3")->id(), 3U);
  EXPECT_EQ(find_member(state(), "3")->name(), "n3");
  for (const std::string who : {"n2", "2", "n9", "", "3x", "-3"}) {
    const auto found = find_member(state(), who);
    ASSERT_FALSE(found) << who;
    EXPECT_THAT(found.error(), HasSubstr("n1, n3"));
  }
}

TEST_F(DirectoryTest, ANameThatIsAnothersNumberIsNotGuessedAt) {
  rename(3, "1");
  const auto found = find_member(state(), "1");
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error(), HasSubstr("n1, number 1, and 1, number 3"));
  EXPECT_EQ(find_member(state(), "n1")->id(), 1U);
  EXPECT_EQ(find_member(state(), "3")->id(), 3U);
}

TEST_F(DirectoryTest, FindsByKeyWhoIsStillThere) {
  EXPECT_EQ(member_with_key(state(), as_string(test_keys(3).public_key))->id(), 3U);
  EXPECT_FALSE(member_with_key(state(), as_string(test_keys(2).public_key)));
  EXPECT_FALSE(member_with_key(state(), ""));
}

}  // namespace
}  // namespace swarmdns::controlplane
