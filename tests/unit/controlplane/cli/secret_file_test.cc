#include "controlplane/cli/secret_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace swarmdns::controlplane {
namespace {

class SecretFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/secret_file_XXXXXX";
    dir_ = mkdtemp(pattern);
    path_ = dir_ + "/key";
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  std::string dir_;
  std::string path_;
};

TEST_F(SecretFileTest, IsForItsOwnerAlone) {
  const mode_t before = umask(0);
  auto file = SecretFile::create(path_);
  umask(before);
  ASSERT_TRUE(file) << file.error();
  ASSERT_TRUE(file->write("key\n"));
  struct stat info {};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  EXPECT_EQ(info.st_size, 4);
}

TEST_F(SecretFileTest, IsNeverOverwritten) {
  std::ofstream(path_) << "old";
  const auto file = SecretFile::create(path_);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error(), path_ + " exists, and a key is never overwritten; name another file");
  EXPECT_EQ(std::filesystem::file_size(path_), 3u);
  std::filesystem::create_symlink(dir_ + "/elsewhere", dir_ + "/link");
  EXPECT_FALSE(SecretFile::create(dir_ + "/link"));
}

TEST_F(SecretFileTest, IsGoneWhenThereWasNothingToWrite) {
  { ASSERT_TRUE(SecretFile::create(path_)); }
  EXPECT_FALSE(std::filesystem::exists(path_));
  {
    auto file = SecretFile::create(path_);
    SecretFile moved = std::move(*file);
    ASSERT_TRUE(moved.write("key"));
  }
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(SecretFileTest, NamesAPlaceThatCannotBeWritten) {
  EXPECT_EQ(SecretFile::create(dir_ + "/none/key").error(),
            "cannot make " + dir_ + "/none/key: No such file or directory");
}

TEST_F(SecretFileTest, ASecretIsAFirstLine) {
  std::istringstream in("typed\nmore\n");
  EXPECT_EQ(*read_secret("-", in), "typed");
  std::ofstream(path_) << "in the file\r\nmore\n";
  EXPECT_EQ(*read_secret(path_, in), "in the file");
  std::ofstream(path_) << "\nmore\n";
  EXPECT_EQ(read_secret(path_, in).error(), path_ + " has nothing in its first line");
  std::istringstream nothing;
  EXPECT_EQ(read_secret("-", nothing).error(), "the standard input has nothing in its first line");
  EXPECT_FALSE(read_secret(dir_ + "/none", in));
}

}  // namespace
}  // namespace swarmdns::controlplane
