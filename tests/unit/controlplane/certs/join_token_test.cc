#include "controlplane/certs/join_token.h"

#include <gmock/gmock.h>

#include "controlplane/certs/node_name.h"

namespace swarmdns::controlplane {
namespace {

using ::testing::HasSubstr;

const JoinToken kToken{"0123456789abcdef", std::string(32, '\xa5'), std::string(16, '\x01')};

std::string error_of(const std::string& text) {
  const auto token = parse_join_token(text);
  return token ? "" : token.error();
}

TEST(JoinToken, HasOneTextAndOneHash) {
  EXPECT_EQ(join_token_text(kToken),
            "swj1.gaytemzugu3doobzmfrggzdfm2s2ljnfuws2ljnfuws2ljnfuws2ljnfuws2"
            "ljnfuws2ljnfuws2kaibaeaqcaibaeaqcaibaeaqcaldkcisg");
  EXPECT_EQ(hex_text(join_token_hash(kToken)),
            "141ed9676b98006094d285058a84e0139531b02962f9b3178c8d2947edc846d2");
}

TEST(JoinToken, IsReadBack) {
  const std::string text = join_token_text(kToken);
  EXPECT_EQ(parse_join_token(text), kToken);
  EXPECT_EQ(parse_join_token(" \t" + text + "\r\n"), kToken);
  std::string upper;
  for (const char c : text) upper += static_cast<char>(std::toupper(c));
  EXPECT_EQ(parse_join_token(upper), kToken);
}

TEST(JoinToken, SecretsAreRandom) {
  const auto one = make_join_token(kToken.swarm_id, kToken.root_fingerprint);
  const auto two = make_join_token(kToken.swarm_id, kToken.root_fingerprint);
  EXPECT_EQ(one.secret.size(), 16u);
  EXPECT_NE(one.secret, two.secret);
  EXPECT_NE(join_token_hash(one), join_token_hash(two));
  EXPECT_EQ(parse_join_token(join_token_text(one)), one);
}

TEST(JoinToken, SaysWhatIsWrong) {
  const std::string text = join_token_text(kToken);
  EXPECT_THAT(error_of(""), HasSubstr("empty"));
  EXPECT_THAT(error_of("  \n"), HasSubstr("empty"));
  EXPECT_THAT(error_of("swj2" + text.substr(4)), HasSubstr("begins with \"swj1.\""));
  EXPECT_THAT(error_of(text.substr(0, text.size() - 1)), HasSubstr("it is cut"));
  EXPECT_THAT(error_of("swj1."), HasSubstr("it is cut"));
  EXPECT_THAT(error_of(text + "a"), HasSubstr("too long"));
  EXPECT_THAT(error_of(text.substr(0, 9) + "1" + text.substr(10)), HasSubstr("character 10 of the token"));
  EXPECT_THAT(error_of(text.substr(0, 9) + " " + text.substr(9)), HasSubstr("character 10 of the token"));
}

TEST(JoinToken, EveryMistypedCharacterIsFound) {
  const std::string text = join_token_text(kToken);
  for (std::size_t i = 5; i < text.size(); ++i) {
    std::string wrong = text;
    wrong[i] = wrong[i] == 'a' ? 'b' : 'a';
    EXPECT_THAT(error_of(wrong), HasSubstr("mistyped")) << i;
  }
  // The last character's spare bit.
  std::string spare = text;
  const std::string alphabet = "abcdefghijklmnopqrstuvwxyz234567";
  spare.back() = alphabet[alphabet.find(spare.back()) ^ 1];
  EXPECT_THAT(error_of(spare), HasSubstr("mistyped"));
}

}  // namespace
}  // namespace swarmdns::controlplane
