#include "controlplane/member/state_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/controlplane/support/temp_dir.h"

namespace swarmdns::controlplane {
namespace {

using testing::HasSubstr;

TEST(StateFiles, ListsNamesSizesAndHashes) {
  const TempDir dir;
  write_file(dir / "b", "two");
  write_file(dir / "a", "");
  write_file(dir / "c", "two");
  const auto files = list_state_files(dir.path());
  ASSERT_TRUE(files) << files.error();
  ASSERT_EQ(files->size(), 3U);
  EXPECT_EQ((*files)[0].name(), "a");
  EXPECT_EQ((*files)[1].size(), 3U);
  EXPECT_EQ((*files)[1].hash().size(), 32U);
  EXPECT_EQ((*files)[1].hash(), (*files)[2].hash());
  EXPECT_NE((*files)[0].hash(), (*files)[1].hash());
  EXPECT_TRUE(check_state_files(dir.path(), *files));
}

TEST(StateFiles, FindsWhatDiffers) {
  const TempDir dir;
  write_file(dir / "a", "one");
  write_file(dir / "b", "two");
  const auto files = *list_state_files(dir.path());
  write_file(dir / "b", "Two");
  EXPECT_THAT(check_state_files(dir.path(), files).error(), HasSubstr("b of the copy"));
  write_file(dir / "b", "tw");
  EXPECT_THAT(check_state_files(dir.path(), files).error(), HasSubstr("b of the copy"));
  std::filesystem::rename(dir / "b", dir / "c");
  EXPECT_THAT(check_state_files(dir.path(), files).error(), HasSubstr("b of the copy"));
  write_file(dir / "b", "two");
  EXPECT_FALSE(check_state_files(dir.path(), files));  // c is too many
  std::filesystem::remove(dir / "c");
  EXPECT_TRUE(check_state_files(dir.path(), files));
  std::filesystem::remove(dir / "b");
  EXPECT_THAT(check_state_files(dir.path(), files).error(), HasSubstr("missing"));
}

TEST(StateFiles, AFolderOfFilesOnly) {
  const TempDir dir;
  std::filesystem::create_directory(dir / "sub");
  EXPECT_THAT(list_state_files(dir.path()).error(), HasSubstr("sub is no file"));
  EXPECT_THAT(list_state_files(dir / "nowhere").error(), HasSubstr("cannot read"));
}

TEST(StateFiles, NamesStayInTheFolder) {
  for (const char* name : {"000012.sst", "MANIFEST-000004", "a_b", ".hidden"})
    EXPECT_TRUE(is_state_file_name(name)) << name;
  for (const std::string name : {"", ".", "..", "../x", "a/b", "a\\b", "a b", "a\n", "\xc3\xa4"})
    EXPECT_FALSE(is_state_file_name(name)) << name;
  EXPECT_FALSE(is_state_file_name(std::string("a\0b", 3)));
  EXPECT_FALSE(is_state_file_name(std::string(129, 'a')));
}

}  // namespace
}  // namespace swarmdns::controlplane
