#include "controlplane/backup/recipient.h"

#include "controlplane/backup/base32.h"
#include "tests/unit/controlplane/backup/samples.h"

namespace swarmdns::controlplane {
namespace {

TEST(Base32, TakesWhatItGives) {
  for (std::size_t size = 0; size < 40; ++size) {
    const std::string octets = samples::filled(size, 0xf0);
    EXPECT_EQ(from_base32(to_base32(as_octets(octets)), size), octets);
  }
}

TEST(Base32, ForgivesWhatPeopleConfuse) {
  EXPECT_EQ(from_base32("OiLl", 2).has_value(), from_base32("0111", 2).has_value());
  EXPECT_EQ(from_base32("0AG0", 2), from_base32("oago", 2));
  EXPECT_EQ(from_base32("u000", 2).error(),
            "has the character 'u', which is none of 0 to 9 and a to z without u");
  EXPECT_EQ(from_base32("000", 2).error(), "has 3 characters where 4 belong");
}

TEST(Recipient, TextIsReadBack) {
  const Recipient recipient = samples::operator_key(1).recipient;
  EXPECT_EQ(recipient.text().substr(0, 20), "swarmdns-recipient-1");
  EXPECT_EQ(recipient.text().size(), 78u);
  EXPECT_EQ(parse_recipient(" " + recipient.text() + "\n"), recipient);
  EXPECT_NE(recipient.id(), samples::operator_key(2).recipient.id());
}

TEST(Recipient, EveryMistypedCharacterIsSeen) {
  const std::string text = samples::operator_key(1).recipient.text();
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string wrong = text;
    wrong[i] = wrong[i] == 'z' ? 'y' : 'z';
    EXPECT_FALSE(parse_recipient(wrong)) << i;
  }
  EXPECT_FALSE(parse_recipient(text.substr(0, 77)));
  EXPECT_FALSE(parse_recipient(text + "0"));
  EXPECT_FALSE(parse_recipient(""));
}

TEST(Recipient, KeyOfSmallOrderIsRefused) {
  const auto refused = parse_recipient(Recipient{}.text());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(),
            "the recipient is no key of anybody's: everyone could open what is sealed to it");
}

}  // namespace
}  // namespace swarmdns::controlplane
