#include "dataplane/volley/query_frames.h"

#include <gtest/gtest.h>

#include "tests/unit/dataplane/volley/support.h"

namespace swarmdns::volley {
namespace {

using support::frame_options;
using support::list_of;
using support::sources_of;
using support::take_apart;

constexpr Outstanding::Flow kFlow{50001, 0xbeef};

class QueryFramesTest : public ::testing::Test {
 protected:
  static QueryFrames frames(const FrameOptions& options, const QueryList& list, const Sources& sources) {
    QueryFrames out(options, list, sources);
    for (const bool v6 : {false, true}) out.set_peer(v6, support::kServerMac);
    return out;
  }

  // Names of odd and even length: the parts behind them begin at odd and even octets.
  const QueryList list_ = list_of("www.example.com. A\nw.example.com. AAAA\nab.example.com. TXT\n. NS\n");
  const Sources sources_ = sources_of({"10.53.1.64/26", "fd53:1:1::/64"});
};

Query query_of(std::uint32_t question, bool v6, std::uint8_t options, std::uint32_t source = 3) {
  Query query;
  query.question = question;
  query.v6 = v6;
  query.options = options;
  query.source = source;
  return query;
}

TEST_F(QueryFramesTest, EveryOctetIsRight) {
  for (const auto vlan : {std::optional<std::uint16_t>(), std::optional<std::uint16_t>(100)}) {
    FrameOptions options = frame_options();
    options.vlan = vlan;
    const QueryFrames made = frames(options, list_, sources_);
    for (std::uint32_t question = 0; question < list_.size(); ++question) {
      for (const std::uint8_t kind : {0, 1, 3, 5, 7}) {
        for (const bool v6 : {false, true}) {
          const Query query = query_of(question, v6, kind);
          std::array<std::byte, QueryFrames::kMaxFrame> frame;
          frame.fill(std::byte{0xcc});
          const std::size_t size = made.write(query, kFlow, frame.data());
          ASSERT_LE(size, frame.size());
          const auto sent = take_apart(std::span(frame).first(size), v6, vlan);
          ASSERT_EQ(sent.fault, "") << question << " " << unsigned{kind} << " " << v6;
          EXPECT_EQ(sent.source_port, 50001U);
          EXPECT_EQ(sent.source, sources_.address(v6, 3).to_text());
          test::Octets wanted;
          test::put16(wanted, 0xbeef);
          test::put16(wanted, 0x0100);
          test::put16(wanted, 1);
          test::put32(wanted, 0);
          test::put16(wanted, kind != 0);
          test::put(wanted, list_.question(question));
          if (kind != 0) {
            test::put(wanted, test::hex("00 0029 04d0 0000"));
            test::put16(wanted, (kind & kDnssecOk) != 0 ? 0x8000 : 0);
            test::put16(wanted, (kind & kCookie) != 0 ? 12 : 0);
            if ((kind & kCookie) != 0) test::put(wanted, test::option(10, made.cookie(query)));
          }
          EXPECT_EQ(test::to_hex(sent.message), test::to_hex(wanted));
          EXPECT_EQ(made.message_size(query), wanted.size());
        }
      }
    }
  }
}

TEST_F(QueryFramesTest, ChecksumIsNeverZero) {
  const QueryFrames made = frames(frame_options(), list_, sources_);
  const Query query = query_of(0, false, 0);
  for (unsigned id = 0; id < 65536; ++id) {  // one of these makes the sum come out all ones
    std::array<std::byte, QueryFrames::kMaxFrame> frame;
    const std::size_t size = made.write(query, {50001, static_cast<std::uint16_t>(id)}, frame.data());
    ASSERT_EQ(take_apart(std::span(frame).first(size), false).fault, "") << id;
  }
}

TEST_F(QueryFramesTest, RandomCaseTurnsLettersAlone) {
  FrameOptions options = frame_options();
  options.random_case = true;
  const QueryList list = list_of("a-1.EXAMPLE-zZ\\200@[`{.com. A\n");
  const QueryFrames made = frames(options, list, sources_);
  std::set<std::string> seen;
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    Query query = query_of(0, true, kEdns);
    query.case_seed = seed;
    std::array<std::byte, QueryFrames::kMaxFrame> frame;
    const std::size_t size = made.write(query, kFlow, frame.data());
    const auto sent = take_apart(std::span(frame).first(size), true);
    ASSERT_EQ(sent.fault, "");
    const std::size_t length = list.question(0).size();
    const auto asked = std::span(sent.message).subspan(12, length);
    EXPECT_TRUE(made.same_question(query, asked.data()));
    const auto plain = list.question(0);
    for (std::size_t i = 0; i < length; ++i) {
      const auto was = std::to_integer<int>(plain[i]);
      const auto is = std::to_integer<int>(asked[i]);
      const bool letter = was < 128 && std::isalpha(was) != 0;
      EXPECT_TRUE(is == was || (letter && is == (was ^ 0x20))) << i;
    }
    seen.insert(test::to_hex(asked));
    query.case_seed = seed + 1000;
    EXPECT_FALSE(made.same_question(query, asked.data()));
  }
  EXPECT_GT(seen.size(), 45U);
}

TEST_F(QueryFramesTest, QuestionsAreComparedWithTheirCase) {
  const QueryFrames made = frames(frame_options(), list_, sources_);
  test::Octets question(list_.question(0).begin(), list_.question(0).end());
  EXPECT_TRUE(made.same_question(query_of(0, false, 0), question.data()));
  question[1] ^= std::byte{0x20};
  EXPECT_FALSE(made.same_question(query_of(0, false, 0), question.data()));
}

TEST_F(QueryFramesTest, EachClientHasItsCookie) {
  const QueryFrames made = frames(frame_options(), list_, sources_);
  EXPECT_EQ(made.cookie(query_of(0, false, kCookie, 1)), made.cookie(query_of(1, false, kCookie, 1)));
  EXPECT_NE(made.cookie(query_of(0, false, kCookie, 1)), made.cookie(query_of(0, false, kCookie, 2)));
  EXPECT_NE(made.cookie(query_of(0, false, kCookie, 1)), made.cookie(query_of(0, true, kCookie, 1)));
}

}  // namespace
}  // namespace swarmdns::volley
