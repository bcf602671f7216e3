#include "controlplane/ledger/trust.h"

#include <gtest/gtest.h>

#include "tests/unit/controlplane/ledger/samples.h"

namespace swarmdns::controlplane {
namespace {

const samples::Ledger& ledger() {
  static const samples::Ledger made;
  return made;
}

TEST(TrustFile, GoesThereAndBack) {
  Trust trust = samples::trust();
  trust.sets.push_back({.from_height = 100, .needed = 3, .voters = samples::voters(5)});
  const std::string text = format_trust(trust);
  const auto again = parse_trust(text);
  ASSERT_TRUE(again) << again.error();
  EXPECT_EQ(format_trust(*again), text);
  EXPECT_TRUE(parse_trust("# comment\n\n" + text + "\n# end"));
}

TEST(TrustFile, ErrorsNameTheLineAndTheMend) {
  const std::string key = format_vkey(samples::vkey(1));
  const std::string other = format_vkey(samples::vkey(2));
  const auto error = [](const std::string& lines) {
    const auto trust = parse_trust("swarmdns/trust@v1\n" + lines);
    return trust ? "" : trust.error();
  };
  EXPECT_EQ(error("origin o\nvoters from 0 needed 1\nvoter " + key + "\n"), "");
  EXPECT_EQ(parse_trust("origin o\n").error(), "trust file, line 1: it begins with swarmdns/trust@v1");
  EXPECT_EQ(error(""), "trust file: there is no line \"origin ORIGIN\"");
  EXPECT_EQ(error("origin o\n"), "trust file: there are no voters");
  EXPECT_EQ(error("origin o\norigin p\n"),
            "trust file, line 3: there is an origin already; one file is for one log");
  EXPECT_EQ(error("origin o\nvoter " + key + "\n"),
            "trust file, line 3: a line \"voters from HEIGHT needed NUMBER\" comes before it");
  EXPECT_EQ(error("origin o\nvoters from 0 needed 2\nvoter " + key + "\n"),
            "trust file: voters from 0: 2 are needed, 1 are listed");
  EXPECT_EQ(error("origin o\nvoters from 0 needed 1\nvoter " + key + "\nvoter " + key + "\n"),
            "trust file, line 5: this voter's key is listed twice");
  EXPECT_EQ(
      error("origin o\nvoters from 5 needed 1\nvoter " + key + "\nvoters from 5 needed 1\nvoter " + other),
      "trust file, line 5: the heights of voters rise from set to set");
  for (const char* bad : {"voters", "voters from 0", "voters from 0 needed 0", "voters from 0 needed x",
                          "voters from -1 needed 1", "voters from 0 needed 65", "voters to 0 needed 1"}) {
    EXPECT_EQ(error(bad), "trust file, line 2: write \"voters from HEIGHT needed NUMBER\", the number from 1")
        << bad;
  }
  EXPECT_NE(error("origin o\nvoters from 0 needed 1\nvoter nonsense\n"), "");
  EXPECT_NE(error("nonsense\n"), "");
  EXPECT_NE(error("origin  o\n"), "");
}

TEST(Trust, VotersAreThoseOfTheHeight) {
  Trust trust = samples::trust();
  trust.sets[0].from_height = 10;
  trust.sets.push_back({.from_height = 20, .needed = 1, .voters = {samples::vkey(4)}});
  EXPECT_EQ(trust.at(9), nullptr);
  EXPECT_EQ(trust.at(10), &trust.sets[0]);
  EXPECT_EQ(trust.at(19), &trust.sets[0]);
  EXPECT_EQ(trust.at(20), &trust.sets[1]);
  // Heights are half the sizes.
  EXPECT_TRUE(check_trusted(ledger().note(38, {1, 2}), trust));
  EXPECT_FALSE(check_trusted(ledger().note(38, {4}), trust));
  EXPECT_TRUE(check_trusted(ledger().note(40, {4}), trust));
  EXPECT_EQ(check_trusted(ledger().note(40, {1, 2}), trust).error(),
            "cosigned by 0 of 1 voters; 1 are needed");
  EXPECT_EQ(check_trusted(ledger().note(10, {1, 2}), trust).error(),
            "the trust file has no voters for height 5");
}

TEST(Trust, AnotherLogIsNotTrusted) {
  Trust trust = samples::trust();
  trust.origin = checkpoint_origin(samples::kSwarm, 2);
  EXPECT_EQ(check_trusted(ledger().note(40, {1, 2, 3}), trust).error(),
            "it is of the log swarmdns/a0a1a2a3a4a5a6a7a8a9aaabacadaeaf/1, the trust file of "
            "swarmdns/a0a1a2a3a4a5a6a7a8a9aaabacadaeaf/2");
}

}  // namespace
}  // namespace swarmdns::controlplane
