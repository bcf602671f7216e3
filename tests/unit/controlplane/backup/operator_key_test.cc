#include "controlplane/backup/operator_key.h"

#include "controlplane/backup/base32.h"
#include "tests/unit/controlplane/backup/samples.h"

namespace swarmdns::controlplane {
namespace {

constexpr PassphraseCost kCheap{.passes = crypto_pwhash_OPSLIMIT_MIN, .bytes = crypto_pwhash_MEMLIMIT_MIN};

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  return text.replace(text.find(what), what.size(), by);
}

TEST(OperatorKey, FileOpensWithItsPassphraseOnly) {
  const OperatorKey key = make_operator_key();
  const auto text = seal_operator_key(key, Secret("correct horse"), kCheap);
  ASSERT_TRUE(text) << text.error();
  const auto file = parse_operator_key(*text, "me.key");
  ASSERT_TRUE(file) << file.error();
  EXPECT_EQ(file->recipient, key.recipient);
  const auto opened = open_operator_key(*file, Secret("correct horse"), "me.key");
  ASSERT_TRUE(opened) << opened.error();
  EXPECT_EQ(opened->secret.view(), key.secret.view());
  EXPECT_EQ(opened->recipient, key.recipient);
  const auto wrong = open_operator_key(*file, Secret("battery staple"), "me.key");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error(), "the passphrase is not that of me.key, or the file is damaged (it is of " +
                               key.recipient.text() + ")");
}

TEST(OperatorKey, EmptyPassphraseIsRefused) {
  EXPECT_FALSE(seal_operator_key(make_operator_key(), Secret(""), kCheap));
}

TEST(OperatorKey, NoAlteredFileIsOpened) {
  const OperatorKey key = samples::operator_key(1);
  const std::string text = *seal_operator_key(key, Secret("x"), kCheap);
  for (std::size_t i = 0; i < text.size(); i += 3) {
    std::string wrong = text;
    wrong[i] = static_cast<char>(wrong[i] ^ 1);
    const auto file = parse_operator_key(wrong, "me.key");
    EXPECT_FALSE(file && open_operator_key(*file, Secret("x"), "me.key")) << i;
  }
  EXPECT_FALSE(parse_operator_key(text.substr(0, text.size() - 1), "me.key"));
  EXPECT_FALSE(parse_operator_key(text + "\n", "me.key"));
}

TEST(OperatorKey, FileCannotAskForAllMemory) {
  const std::string text = *seal_operator_key(samples::operator_key(1), Secret("x"), kCheap);
  const std::string memory = " " + std::to_string(crypto_pwhash_MEMLIMIT_MIN) + " ";
  EXPECT_FALSE(parse_operator_key(replaced(text, memory, " 4398046510080 "), "me.key"));
  EXPECT_FALSE(parse_operator_key(replaced(text, memory, " 0 "), "me.key"));
  EXPECT_TRUE(parse_operator_key(text, "me.key"));
}

TEST(RecoveryForm, IsReadBack) {
  for (unsigned start = 0; start < 250; start += 13) {
    const Secret secret(samples::filled(32, start));
    const Secret text = recovery_form(secret);
    EXPECT_EQ(text.view().size(), 81u);
    const auto back = from_recovery_form(text.view());
    ASSERT_TRUE(back) << back.error();
    EXPECT_EQ(back->view(), secret.view());
  }
}

TEST(RecoveryForm, NamesTheGroupOfEveryTypo) {
  const Secret secret(samples::filled(32, 200));
  const std::string text(recovery_form(secret).view());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ' || text[i] == '\n') continue;
    for (const char c : kBase32Digits) {
      if (c == text[i]) continue;
      std::string wrong = text;
      wrong[i] = c;
      const auto refused = from_recovery_form(wrong);
      ASSERT_FALSE(refused);
      const std::string group = "group " + std::to_string(i / 9 + 1) + " of the recovery form (\"" +
                                wrong.substr(i / 9 * 9, 8) + "\") is mistyped";
      EXPECT_EQ(refused.error().substr(0, group.size()), group);
    }
  }
}

TEST(RecoveryForm, SeesTwoDigitsOfAGroupExchanged) {
  const std::string text(recovery_form(Secret(samples::filled(32, 31))).view());
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (i % 9 >= 7 || text[i] == text[i + 1]) continue;
    std::string wrong = text;
    std::swap(wrong[i], wrong[i + 1]);
    EXPECT_FALSE(from_recovery_form(wrong)) << i;
  }
}

TEST(RecoveryForm, SaysWhatElseIsWrong) {
  const std::string text(recovery_form(Secret(samples::filled(32, 31))).view());
  const auto error = [](const std::string& wrong) { return from_recovery_form(wrong).error(); };
  const std::string exchanged = text.substr(9, 9) + text.substr(0, 9) + text.substr(18);
  EXPECT_NE(error(exchanged).find("is group 2: the groups are in another order"), std::string::npos)
      << error(exchanged);
  EXPECT_EQ(error(text.substr(0, 72)),
            "the recovery form has 8 groups instead of 9; compare it with the paper");
  EXPECT_NE(error(text.substr(0, 80 - 1)).find("has 7 characters instead of 8"), std::string::npos);
  EXPECT_NE(error("u" + text.substr(1)).find("has the character 'u'"), std::string::npos);
  // Whole groups of two keys.
  const std::string other(recovery_form(Secret(samples::filled(32, 90))).view());
  EXPECT_NE(error(text.substr(0, 45) + other.substr(45)).find("does not fit together"), std::string::npos);
  // As people type it.
  std::string loud = text;
  for (char& c : loud) c = c == ' ' ? '-' : static_cast<char>(toupper(c));
  EXPECT_TRUE(from_recovery_form(loud));
}

}  // namespace
}  // namespace swarmdns::controlplane
