#include "dataplane/control/cookie_secrets.h"

#include <gtest/gtest.h>
#include <sodium.h>
#include <sys/stat.h>

#include <filesystem>

namespace swarmdns::control {
namespace {

TEST(CookieSecrets, ParsesOnly32HexDigits) {
  const auto secret = parse_secret("e5e973e5a6b2a43f48e7dc849e37bfcF");
  ASSERT_TRUE(secret);
  EXPECT_EQ((*secret)[0], 0xe5);
  EXPECT_EQ((*secret)[15], 0xcf);
  EXPECT_FALSE(parse_secret("e5e973e5a6b2a43f48e7dc849e37bf"));
  EXPECT_FALSE(parse_secret("e5e973e5a6b2a43f48e7dc849e37bfcg"));
  EXPECT_FALSE(parse_secret(""));
}

TEST(CookieSecrets, FirstOneIsMadeAndKept) {
  std::vector<DatedSecret> secrets;
  EXPECT_TRUE(roll_over(secrets, 1000));
  ASSERT_EQ(secrets.size(), 1U);
  const auto first = secrets;
  EXPECT_FALSE(roll_over(secrets, 1000 + kRollEvery - 1));
  EXPECT_EQ(secrets, first);
}

TEST(CookieSecrets, RolloverVerifiesTheOldOneForAWhile) {
  std::vector<DatedSecret> secrets;
  roll_over(secrets, 1000);
  const auto old = secrets.front();
  const std::int64_t rolled = 1000 + kRollEvery;
  EXPECT_TRUE(roll_over(secrets, rolled));
  ASSERT_EQ(secrets.size(), 2U);
  EXPECT_NE(secrets[0].secret, old.secret);
  EXPECT_EQ(secrets[1], old);
  EXPECT_FALSE(roll_over(secrets, rolled + kVerifyFor - 1));
  EXPECT_EQ(secrets.size(), 2U);
  EXPECT_TRUE(roll_over(secrets, rolled + kVerifyFor));
  EXPECT_EQ(secrets.size(), 1U);
}

TEST(CookieSecrets, ClockSetBackChangesNothing) {
  std::vector<DatedSecret> secrets;
  roll_over(secrets, 1'000'000'000);
  EXPECT_FALSE(roll_over(secrets, 1000));
}

TEST(CookieSecrets, TextComesBack) {
  std::vector<DatedSecret> secrets;
  roll_over(secrets, 7);
  roll_over(secrets, 7 + kRollEvery);
  EXPECT_EQ(parse_secrets(to_text(secrets), "x").value(), secrets);
}

TEST(CookieSecrets, BrokenLineIsNamed) {
  const auto broken = parse_secrets("e5e973e5a6b2a43f48e7dc849e37bfcf 12\nnonsense\n", "/s/cookie-secrets");
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().find("/s/cookie-secrets:2:"), 0U) << broken.error();
  EXPECT_FALSE(parse_secrets("e5e973e5a6b2a43f48e7dc849e37bfcf", "x"));
  EXPECT_FALSE(parse_secrets("e5e973e5a6b2a43f48e7dc849e37bfcf 12x", "x"));
}

TEST(CookieSecrets, SurviveARestartInAPrivateFile) {
  ASSERT_GE(sodium_init(), 0);
  char directory[] = "/tmp/swarmdns-secrets-XXXXXX";
  ASSERT_NE(mkdtemp(directory), nullptr);
  const auto first = kept_secrets(directory, 5000);
  ASSERT_TRUE(first) << first.error();
  EXPECT_EQ(kept_secrets(directory, 5001).value(), *first);
  struct stat info {};
  ASSERT_EQ(stat(cookie_secrets_path(directory).c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  const auto rolled = kept_secrets(directory, 5000 + kRollEvery);
  ASSERT_EQ(rolled->size(), 2U);
  EXPECT_EQ((*rolled)[1], first->front());
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace swarmdns::control
