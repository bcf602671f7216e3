#include "dataplane/volley/reply_check.h"

#include <gtest/gtest.h>

#include "tests/unit/dataplane/volley/support.h"

namespace swarmdns::volley {
namespace {

using test::hex;
using test::MessageBuilder;
using test::Octets;

constexpr unsigned kReply = 0x8180;

class ReplyCheckTest : public ::testing::Test {
 protected:
  void expect(std::string_view text) { expectations_ = *Expectations::parse(text, "e", list_); }

  [[nodiscard]] Judgement judge(const Octets& message, std::uint8_t options = 0,
                                std::uint32_t question = 0) const {
    Query query;
    query.question = question;
    query.options = options;
    return ReplyCheck(rules_, list_, frames_, expectations_).judge(message, query);
  }
  [[nodiscard]] static MessageBuilder reply(unsigned flags = kReply) {
    return MessageBuilder().with_flags(flags).question("www.example.", test::kA);
  }
  [[nodiscard]] static MessageBuilder answer(const char* address = "192.0.2.1") {
    return reply().record(1, hex("c00c"), test::kA, test::kIn, 60, test::address(address));
  }

  ReplyRules rules_;
  const QueryList list_ = support::list_of("www.example. A\nmx.example. MX\n");
  const Sources sources_ = support::sources_of({"10.53.1.64/26"});
  const QueryFrames frames_{support::frame_options(), list_, sources_};
  Expectations expectations_;
};

TEST_F(ReplyCheckTest, TakesAGoodReply) {
  const Judgement judgement = judge(answer().opt().build());
  EXPECT_EQ(judgement.result, Count::Received);
  EXPECT_EQ(judgement.rcode, 0);
  EXPECT_FALSE(judgement.truncated || judgement.wrong_rcode || judgement.wrong_answer);
}

TEST_F(ReplyCheckTest, WantsAReply) {
  EXPECT_EQ(judge(reply(0x0100).build()).result, Count::NotReply);
  EXPECT_EQ(judge(reply(0xa000).build()).result, Count::NotReply);  // NOTIFY
}

TEST_F(ReplyCheckTest, WantsItsQuestionToTheOctet) {
  const auto with = [](const char* name, unsigned type, unsigned klass = test::kIn) {
    return MessageBuilder().with_flags(kReply).question(name, type, klass).build();
  };
  EXPECT_EQ(judge(with("www.Example.", test::kA)).result, Count::WrongQuestion);
  EXPECT_EQ(judge(with("wwx.example.", test::kA)).result, Count::WrongQuestion);
  EXPECT_EQ(judge(with("www.example.", test::kAaaa)).result, Count::WrongQuestion);
  EXPECT_EQ(judge(with("www.example.", test::kA, test::kCh)).result, Count::WrongQuestion);
  EXPECT_EQ(judge(MessageBuilder().with_flags(kReply).build()).result, Count::WrongQuestion);
  EXPECT_EQ(judge(reply().count(0, 2).build()).result, Count::WrongQuestion);
}

TEST_F(ReplyCheckTest, WantsRecordsThatFillTheMessage) {
  EXPECT_EQ(judge(answer().count(1, 2).build()).result, Count::Malformed);
  EXPECT_EQ(judge(answer().count(1, 0).build()).result, Count::Malformed);
  EXPECT_EQ(judge(answer().raw(hex("00")).build()).result, Count::Malformed);
  EXPECT_EQ(judge(answer().opt().opt().build()).result, Count::Malformed);
  EXPECT_EQ(judge(reply().record(1, hex("00"), test::kOpt, 1232, 0, {}).build()).result, Count::Malformed);
  EXPECT_EQ(judge(answer().opt(1232, false, hex("000a 0008 01")).build()).result, Count::Malformed);
  const Octets whole = answer().opt().build();
  for (std::size_t size = 12; size < whole.size(); ++size) {
    const Octets cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_NE(judge(cut).result, Count::Received) << size;
  }
}

TEST_F(ReplyCheckTest, StrictLooksIntoRecords) {
  const Octets short_address = reply().record(1, hex("c00c"), test::kA, test::kIn, 60, hex("0102")).build();
  EXPECT_EQ(judge(short_address).result, Count::Received);
  rules_.strict = true;
  EXPECT_EQ(judge(short_address).result, Count::Malformed);
  EXPECT_EQ(judge(answer().build()).result, Count::Received);
}

TEST_F(ReplyCheckTest, RcodesWithTheBitsOfOpt) {
  EXPECT_FALSE(judge(reply(kReply | 3).build()).wrong_rcode);  // NXDOMAIN
  EXPECT_TRUE(judge(reply(kReply | 2).build()).wrong_rcode);   // SERVFAIL
  const Judgement badvers = judge(reply().opt(1232, false, {}, 0, 1).build());
  EXPECT_EQ(badvers.rcode, 16);
  EXPECT_TRUE(badvers.wrong_rcode);
  EXPECT_TRUE(judge(reply().opt(1232, false, {}, 0, 255).build()).wrong_rcode);
  rules_.good_rcodes = 1U << 2;
  EXPECT_FALSE(judge(reply(kReply | 2).build()).wrong_rcode);
  EXPECT_TRUE(judge(reply().build()).wrong_rcode);
}

TEST_F(ReplyCheckTest, WantsItsOwnCookie) {
  Query query;
  query.options = kEdns | kCookie;
  Octets cookie(8);
  std::ranges::copy(frames_.cookie(query), cookie.begin());
  test::put(cookie, hex("0102030405060708"));
  const auto with = [&](const Octets& data) {
    return reply().opt(1232, false, test::option(10, data)).build();
  };
  EXPECT_EQ(judge(with(cookie), kEdns | kCookie).result, Count::Received);
  EXPECT_EQ(judge(reply().opt().build(), kEdns | kCookie).result, Count::Received);
  EXPECT_EQ(judge(with(cookie), kEdns).result, Count::WrongCookie);  // was not sent one
  cookie[3] ^= std::byte{1};
  EXPECT_EQ(judge(with(cookie), kEdns | kCookie).result, Count::WrongCookie);
}

TEST_F(ReplyCheckTest, ComparesAnswers) {
  expect("www.example. A NOERROR 192.0.2.1 | 192.0.2.2\n");
  const auto two = [](const char* first, const char* second) {
    return reply()
        .record(1, hex("c00c"), test::kA, test::kIn, 60, test::address(first))
        .record(1, hex("c00c"), test::kA, test::kIn, 60, test::address(second))
        .build();
  };
  EXPECT_FALSE(judge(two("192.0.2.1", "192.0.2.2")).wrong_answer);
  EXPECT_FALSE(judge(two("192.0.2.2", "192.0.2.1")).wrong_answer);
  EXPECT_TRUE(judge(two("192.0.2.1", "192.0.2.3")).wrong_answer);
  EXPECT_TRUE(judge(two("192.0.2.1", "192.0.2.1")).wrong_answer);
  EXPECT_TRUE(judge(answer().build()).wrong_answer);
  EXPECT_TRUE(judge(reply().build()).wrong_answer);
  const Judgement missing = judge(reply(kReply | 3).build());
  EXPECT_TRUE(missing.wrong_rcode);  // NXDOMAIN is good only where nothing else is expected
  const Judgement cut = judge(reply(kReply | 0x200).build());
  EXPECT_TRUE(cut.truncated);
  EXPECT_FALSE(cut.wrong_answer);
}

TEST_F(ReplyCheckTest, ATruncatedReplyDoesNotSayHowTheQuestionEnds) {
  expect("www.example. A NXDOMAIN\n");
  EXPECT_FALSE(judge(reply(kReply | 0x200).build()).wrong_rcode);
  EXPECT_FALSE(judge(reply(kReply | 0x200 | 3).build()).wrong_rcode);
  EXPECT_TRUE(judge(reply(kReply | 0x200 | 2).build()).wrong_rcode);  // an error is one, cut or not
  EXPECT_TRUE(judge(reply(kReply).build()).wrong_rcode);
}

TEST_F(ReplyCheckTest, FollowsAliases) {
  expect("www.example. A NOERROR 192.0.2.1\n");
  const auto aliased = [](std::string_view owner) {
    return reply()
        .record(1, hex("c00c"), test::kCname, test::kIn, 60, test::wire_name("cdn.Other."))
        .record(1, test::wire_name(owner), test::kA, test::kIn, 60, test::address("192.0.2.1"))
        .build();
  };
  EXPECT_FALSE(judge(aliased("CDN.other.")).wrong_answer);
  EXPECT_TRUE(judge(aliased("www.example.")).wrong_answer);
  EXPECT_TRUE(judge(aliased("elsewhere.")).wrong_answer);
}

TEST_F(ReplyCheckTest, DecompressesNamesInRecords) {
  expect("mx.example. MX NOERROR 10 mail.EXAMPLE.\n");
  const Octets message = MessageBuilder()
                             .with_flags(kReply)
                             .question("mx.example.", 15)
                             .record(1, hex("c00c"), 15, test::kIn, 60, hex("000a 04 6d61696c c00f"))
                             .build();
  EXPECT_FALSE(judge(message, 0, 1).wrong_answer);
}

TEST_F(ReplyCheckTest, NoRecordsCanBeExpected) {
  expect("www.example. A NOERROR -\n");
  EXPECT_FALSE(judge(reply().build()).wrong_answer);
  EXPECT_TRUE(judge(answer().build()).wrong_answer);
}

TEST_F(ReplyCheckTest, EchoWantsTheQueryBack) {
  rules_.echo = true;
  const auto query = MessageBuilder().question("www.example.", test::kA);
  EXPECT_EQ(judge(query.build()).result, Count::Received);
  EXPECT_EQ(judge(answer().build()).result, Count::NotReply);
  EXPECT_EQ(judge(query.build(), kEdns).result, Count::Malformed);  // OPT is missing
  EXPECT_EQ(judge(MessageBuilder().question("wwx.example.", test::kA).build()).result, Count::WrongQuestion);
}

}  // namespace
}  // namespace swarmdns::volley
