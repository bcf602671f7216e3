#include "controlplane/targets/s3_credentials.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/unit/controlplane/targets/temporary_folder.h"

namespace swarmdns::controlplane {
namespace {

std::string written(const TemporaryFolder& folder, const std::string& text, mode_t mode = 0600) {
  const std::string path = folder / "credentials";
  std::ofstream(path) << text;
  chmod(path.c_str(), mode);
  return path;
}

}  // namespace

TEST(S3Credentials, TheFileOfTheAwsTools) {
  TemporaryFolder folder;
  const auto read =
      read_s3_credentials(written(folder,
                                  "# of the node\n[default]\naws_access_key_id = AKIA1\r\n"
                                  "aws_secret_access_key=se/cr+et=\naws_session_token =  token==\n\n"));
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->access_key_id, "AKIA1");
  EXPECT_EQ(read->secret_access_key.view(), "se/cr+et=");
  EXPECT_EQ(read->session_token.view(), "token==");
  const auto plain = read_s3_credentials(written(folder, "aws_secret_access_key = s\naws_access_key_id = a"));
  ASSERT_TRUE(plain) << plain.error();
  EXPECT_TRUE(plain->session_token.empty());
}

TEST(S3Credentials, ErrorsNameTheLineAndNotTheSecret) {
  const struct {
    const char* text;
    const char* part;
  } cases[] = {
      {"", "aws_access_key_id is missing"},
      {"aws_access_key_id = a\n", "aws_secret_access_key is missing"},
      {"aws_access_key_id = a\naws_secret_access_key = TOP SECRET\n",
       "line 2: the value is empty or has blanks"},
      {"aws_access_key_id = \n", "line 1: the value is empty"},
      {"secret_key = TOPSECRET\n", "line 1: only aws_access_key_id"},
      {"TOPSECRET\n", "line 1: no 'name = value'"},
      {"[a]\naws_access_key_id = a\n[b]\n", "line 3: a second section"},
  };
  for (const auto& each : cases) {
    TemporaryFolder folder;
    const auto read = read_s3_credentials(written(folder, each.text));
    ASSERT_FALSE(read) << each.text;
    EXPECT_NE(read.error().find(each.part), std::string::npos) << read.error();
    EXPECT_EQ(read.error().find("SECRET"), std::string::npos) << read.error();
  }
}

TEST(S3Credentials, OthersMayNotReadTheFile) {
  TemporaryFolder folder;
  const auto open =
      read_s3_credentials(written(folder, "aws_access_key_id = a\naws_secret_access_key = b\n", 0640));
  ASSERT_FALSE(open);
  EXPECT_NE(open.error().find("chmod 600"), std::string::npos) << open.error();
  const auto none = read_s3_credentials(folder / "none");
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().find("there is no file"), std::string::npos) << none.error();
}

}  // namespace swarmdns::controlplane
