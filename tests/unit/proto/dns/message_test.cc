#include "proto/dns/message.h"

#include <gtest/gtest.h>

#include "proto/dns/name_text.h"
#include "proto/dns/text.h"
#include "tests/unit/proto/dns/helpers.h"

namespace swarmdns::dns {
namespace {

using test::hex;
using test::Octets;

const Octets kOpt = hex("00 0029 04d0 00 00 8000 0000");

// CNAME and A in the answer, SOA in authority, glue and OPT in additional.
Octets full_message() {
  return test::header(0x81a0, 1, 2, 1, 2) + test::question("www.example.com.", Type::A) +
         test::record(hex("c00c"), Type::CNAME, 60, hex("01 61 c010")) +
         test::record(hex("c02d"), Type::A, 61, hex("c0000201")) +
         test::record(hex("c010"), Type::SOA, 62, hex("02 6e73 c010 c010") + Octets(20)) +
         test::record(hex("02 6e73 c010"), Type::AAAA, 63, Octets(16)) + kOpt;
}

Error error_of(const Octets& wire, const ParseRules& rules = {}) {
  const auto message = Message::parse(wire, rules);
  EXPECT_FALSE(message);
  return message ? Error::Truncated : message.error();
}

TEST(Message, WalksAllSections) {
  const Octets wire = full_message();
  const auto message = Message::parse(wire);
  ASSERT_TRUE(message) << to_text(message.error());
  EXPECT_EQ(message->id(), 0x1234);
  EXPECT_TRUE(message->flags().ad());
  ASSERT_TRUE(message->question());
  EXPECT_EQ(to_text(message->question()->name), "www.example.com.");
  EXPECT_EQ(message->answers().size(), 2U);
  std::vector<std::uint32_t> ttls;
  for (const auto& record : message->answers()) ttls.push_back(record.ttl());
  for (const auto& record : message->authority()) ttls.push_back(record.ttl());
  for (const auto& record : message->additional()) {
    if (record.type() != Type::OPT) ttls.push_back(record.ttl());
  }
  EXPECT_EQ(ttls, (std::vector<std::uint32_t>{60, 61, 62, 63}));
  ASSERT_TRUE(message->opt());
  EXPECT_TRUE(message->opt()->dnssec_ok);
  EXPECT_EQ(message->answers().offset(), 12U + 21U);
  EXPECT_TRUE(message->section(Section::Question).empty());
  EXPECT_EQ(message->wire().size(), wire.size());
}

TEST(Message, EveryCutIsAnError) {
  const Octets wire = full_message();
  for (std::size_t size = 0; size < wire.size(); ++size) {
    EXPECT_EQ(error_of(Octets(wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(size))),
              Error::Truncated)
        << size;
  }
}

TEST(Message, TrailingBytes) {
  const Octets wire = full_message() + hex("00");
  EXPECT_EQ(error_of(wire), Error::TrailingBytes);
  const auto message = Message::parse(wire, {.allow_trailing_bytes = true});
  ASSERT_TRUE(message);
  EXPECT_EQ(message->wire().size(), wire.size() - 1);
}

TEST(Message, CountsThatPromiseTooMuch) {
  Octets wire = full_message();
  wire[7] = std::byte{3};  // ANCOUNT: takes a record of the next section, and the last is missing
  EXPECT_FALSE(Message::parse(wire));
  EXPECT_EQ(error_of(test::header(0, 0, 0xffff, 0, 0)), Error::Truncated);
  EXPECT_EQ(error_of(test::header(0, 0xffff, 0, 0, 0)), Error::Truncated);
}

TEST(Message, QuestionCounts) {
  const auto none = Message::parse(test::header(0, 0, 0, 0, 0));
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->question());
  const Octets two =
      test::header(0, 2, 0, 0, 0) + test::question("a.", Type::A) + test::question("b.", Type::NS);
  const auto message = Message::parse(two);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->question_count(), 2U);
  EXPECT_EQ(to_text(message->question(0).name), "a.");
  EXPECT_EQ(to_text(message->question(1).name), "b.");
  EXPECT_EQ(message->question(1).type, Type::NS);
}

TEST(Message, OptOnlyOnceAndOnlyInAdditional) {
  EXPECT_EQ(error_of(test::header(0, 0, 0, 0, 2) + kOpt + kOpt), Error::DuplicateOpt);
  EXPECT_EQ(error_of(test::header(0, 0, 1, 0, 0) + kOpt), Error::BadOpt);
  EXPECT_EQ(error_of(test::header(0, 0, 0, 1, 0) + kOpt), Error::BadOpt);
  EXPECT_EQ(error_of(test::header(0, 0, 0, 0, 1) + test::record(test::wire("a."), Type::OPT, 0, {})),
            Error::BadOpt);
  EXPECT_EQ(
      error_of(test::header(0, 0, 0, 0, 1) + test::record(hex("00"), Type::OPT, 0, hex("000a 0009 00"))),
      Error::BadOption);
}

TEST(Message, RcodeIncludesTheUpperBits) {
  const Octets wire = test::header(0x8007, 0, 0, 0, 1) + hex("00 0029 04d0 01 00 0000 0000");
  EXPECT_EQ(Message::parse(wire)->rcode(), Rcode::BadCookie);
  EXPECT_EQ(Message::parse(test::header(0x8003, 0, 0, 0, 0))->rcode(), Rcode::NXDomain);
}

TEST(Message, OwnersAreFollowedThroughTheirPointers) {
  // The owner points backwards into RDATA that is no name.
  const Octets wire = test::header(0x8000, 0, 2, 0, 0) +
                      test::record(hex("00"), Type::A, 1, hex("80808080")) +
                      test::record(hex("c017"), Type::A, 1, hex("c0000201"));
  EXPECT_EQ(error_of(wire), Error::BadLabelType);
  // Two records that would go round in a circle.
  const Octets loop = test::header(0x8000, 0, 1, 0, 0) + hex("01 61 c00c") + Octets(10);
  EXPECT_EQ(error_of(loop), Error::PointerLoop);
}

TEST(Message, RdataIsCheckedUnlessTheRulesSayNo) {
  const Octets wire = test::header(0x8000, 0, 1, 0, 0) + test::record(hex("00"), Type::NS, 1, hex("c0ff"));
  EXPECT_EQ(error_of(wire), Error::ForwardPointer);
  EXPECT_TRUE(Message::parse(wire, {.check_rdata = false}));
  const Octets bad_a = test::header(0x8000, 0, 1, 0, 0) + test::record(hex("00"), Type::A, 1, hex("00"));
  EXPECT_EQ(error_of(bad_a), Error::BadRdata);
}

TEST(Message, EveryChangedOctetIsSafe) {
  const Octets wire = full_message();
  std::size_t accepted = 0;
  for (std::size_t i = 0; i < wire.size(); ++i) {
    for (unsigned v = 0; v < 256; ++v) {
      Octets changed = wire;
      changed[i] = static_cast<std::byte>(v);
      const auto message = Message::parse(changed);
      if (!message) continue;
      ++accepted;
      std::size_t records = 0;
      for (const Section section : {Section::Answer, Section::Authority, Section::Additional}) {
        for (const RecordView& record : message->section(section)) {
          EXPECT_TRUE(record.owner());
          ++records;
        }
      }
      EXPECT_EQ(records,
                message->answers().size() + message->authority().size() + message->additional().size());
      EXPECT_FALSE(message_to_text(*message).empty());
    }
  }
  EXPECT_GT(accepted, wire.size());  // most changes of TTLs and addresses are no errors
}

}  // namespace
}  // namespace swarmdns::dns
