#include "proto/dns/writer.h"

#include <gtest/gtest.h>

#include <array>

#include "proto/dns/edns_write.h"
#include "proto/dns/message.h"
#include "proto/dns/name_text.h"
#include "tests/unit/proto/dns/helpers.h"

namespace swarmdns::dns {
namespace {

using test::hex;
using test::name;
using test::Octets;
using test::wire;

Octets copy(Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

TEST(Writer, QuestionAndCompressedAnswer) {
  std::array<std::byte, 512> buffer;
  Writer writer(buffer);
  writer.set_id(0x1234);
  writer.set_flags(Flags(0x8180));
  ASSERT_TRUE(writer.question(name("www.example.com."), Type::A, Class::IN));
  ASSERT_TRUE(writer.record(Section::Answer, name("www.example.com."), Type::CNAME, Class::IN, 60,
                            wire("a.example.com.")));
  ASSERT_TRUE(
      writer.record(Section::Answer, name("a.example.com."), Type::A, Class::IN, 60, hex("c0000201")));
  EXPECT_EQ(copy(writer.message()), test::header(0x8180, 1, 2, 0, 0) +
                                        test::question("www.example.com.", Type::A) +
                                        hex("c00c 0005 0001 0000003c 0004 01 61 c010") +
                                        hex("c02d 0001 0001 0000003c 0004 c0000201"));
}

TEST(Writer, CompressionModes) {
  const auto write = [](Compression mode) {
    Octets buffer(512);
    Writer writer(buffer, mode);
    EXPECT_TRUE(writer.question(name("www.example.com."), Type::NS, Class::IN));
    EXPECT_TRUE(writer.record(Section::Answer, name("WWW.example.com."), Type::NS, Class::IN, 1,
                              wire("ns.example.COM.")));
    buffer.resize(writer.size());
    return buffer;
  };
  const Octets head = test::header(0, 1, 1, 0, 0, 0) + test::question("www.example.com.", Type::NS);
  EXPECT_EQ(write(Compression::None),
            head + test::record(wire("WWW.example.com."), Type::NS, 1, wire("ns.example.COM.")));
  EXPECT_EQ(write(Compression::ExactCase),
            head + test::record(hex("03 575757 c010"), Type::NS, 1, wire("ns.example.COM.")));
  EXPECT_EQ(write(Compression::IgnoreCase),
            head + test::record(hex("c00c"), Type::NS, 1, hex("02 6e73 c010")));
}

TEST(Writer, NamesOfLaterTypesAreNotCompressed) {  // RFC 3597 4
  std::array<std::byte, 512> buffer;
  Writer writer(buffer);
  ASSERT_TRUE(writer.question(name("example."), Type::SRV, Class::IN));
  const Octets srv = hex("0001 0002 0035") + wire("example.");
  ASSERT_TRUE(writer.record(Section::Answer, name("example."), Type::SRV, Class::IN, 1, srv));
  const auto parsed = Message::parse(writer.message());
  ASSERT_TRUE(parsed);
  EXPECT_EQ(copy(parsed->answers().begin()->rdata()), srv);
}

TEST(Writer, RootIsNeverAPointer) {
  std::array<std::byte, 512> buffer;
  Writer writer(buffer);
  ASSERT_TRUE(writer.question(NameView(), Type::NS, Class::IN));
  ASSERT_TRUE(writer.record(Section::Answer, NameView(), Type::NS, Class::IN, 1, hex("00")));
  EXPECT_EQ(copy(writer.message().subspan(17)), hex("00 0002 0001 00000001 0001 00"));
}

TEST(Writer, RawRdataMayHoldNoPointers) {
  std::array<std::byte, 512> buffer;
  Writer writer(buffer);
  ASSERT_TRUE(writer.question(name("example."), Type::NS, Class::IN));
  const std::size_t before = writer.size();
  EXPECT_EQ(writer.record(Section::Answer, name("example."), Type::NS, Class::IN, 1, hex("c00c")).error(),
            Error::CompressionForbidden);
  EXPECT_EQ(writer.record(Section::Answer, name("example."), Type::NS, Class::IN, 1, hex("01")).error(),
            Error::BadRdata);
  EXPECT_EQ(
      writer.record(Section::Answer, name("example."), Type::MX, Class::IN, 1, hex("0001 00 00")).error(),
      Error::BadRdata);
  EXPECT_EQ(writer.size(), before);
  EXPECT_EQ(writer.header().view().ancount(), 0);
}

TEST(Writer, CopiesRecordsOfAnotherMessage) {
  // Pointers of the source name other offsets than those of the copy.
  const Octets source = test::header(0x8180, 1, 1, 0, 0) + test::question("pad.pad.example.", Type::MX) +
                        test::record(hex("c00c"), Type::MX, 0x80000007U, hex("000a 02 6d78 c014"));
  const auto parsed = Message::parse(source);
  ASSERT_TRUE(parsed);
  std::array<std::byte, 512> buffer;
  Writer writer(buffer);
  ASSERT_TRUE(writer.question(name("x.example."), Type::MX, Class::IN));
  const RecordView record = *parsed->answers().begin();
  ASSERT_TRUE(writer.record(Section::Authority, record));
  ASSERT_TRUE(writer.record(Section::Authority, record, 5));
  const auto back = Message::parse(writer.message());
  ASSERT_TRUE(back);
  ASSERT_EQ(back->authority().size(), 2U);
  RecordIterator it = back->authority().begin();
  EXPECT_EQ(to_text(*it->owner()), "pad.pad.example.");
  EXPECT_EQ(it->raw_ttl(), 0x80000007U);
  EXPECT_EQ(to_text(*first_rdata_name(*it)), "mx.example.");
  ++it;
  EXPECT_EQ(it->ttl(), 5U);
}

TEST(Writer, ABufferTooSmallForAHeader) {
  for (std::size_t size = 0; size < 12; ++size) {
    Octets buffer(size, std::byte{0x55});
    Writer writer(buffer);
    writer.set_id(1);
    writer.set_flags(Flags(0xffff));
    writer.set_truncated();
    EXPECT_EQ(writer.question(NameView(), Type::A, Class::IN).error(), Error::NoSpace);
    EXPECT_EQ(writer.raw_record(Section::Additional, hex("00 0029 04d0 00000000 0000")).error(),
              Error::NoSpace);
    EXPECT_TRUE(writer.message().empty());
    EXPECT_EQ(buffer, Octets(size, std::byte{0x55}));
  }
}

TEST(Writer, EveryLimitLeavesAValidMessage) {
  const Octets soa = wire("ns.example.org.") + wire("root.example.org.") + Octets(20);
  std::size_t last = 0;
  for (std::size_t limit = 12; limit < 160; ++limit) {
    Octets buffer(limit + 1, std::byte{0x77});
    Writer writer(MutableBytes(buffer).first(limit));
    const bool q = writer.question(name("www.example.com."), Type::A, Class::IN).has_value();
    const bool a =
        writer.record(Section::Answer, name("www.example.com."), Type::A, Class::IN, 1, hex("c0000201"))
            .has_value();
    const bool s =
        writer.record(Section::Authority, name("example.org."), Type::SOA, Class::IN, 1, soa).has_value();
    ASSERT_LE(writer.size(), limit);
    ASSERT_GE(writer.size(), last);
    last = writer.size();
    EXPECT_EQ(buffer.back(), std::byte{0x77});
    const auto parsed = Message::parse(writer.message());
    ASSERT_TRUE(parsed) << limit << " " << to_text(parsed.error());
    EXPECT_EQ(parsed->question_count(), q ? 1U : 0U);
    EXPECT_EQ(parsed->answers().size(), a ? 1U : 0U);
    EXPECT_EQ(parsed->authority().size(), s ? 1U : 0U);
  }
  EXPECT_GT(last, 100U);
}

TEST(Writer, LimitKeepsRoomForAnOpt) {
  std::array<std::byte, 100> buffer;
  Writer writer(buffer);
  ASSERT_TRUE(writer.question(name("example."), Type::A, Class::IN));
  writer.set_limit(buffer.size() - kOptFixedSize);
  while (writer.record(Section::Answer, name("example."), Type::A, Class::IN, 1, hex("c0000201"))) {
  }
  writer.set_truncated();
  writer.set_limit(100000);
  EXPECT_EQ(writer.limit(), buffer.size());
  std::array<std::byte, kOptFixedSize> space;
  ASSERT_TRUE(writer.raw_record(Section::Additional, OptWriter(space, {}).finish()));
  const auto parsed = Message::parse(writer.message());
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->flags().tc());
  EXPECT_TRUE(parsed->opt());
  EXPECT_EQ(parsed->answers().size(), 4U);  // 25 + 4 * 16 = 89 octets
}

TEST(Writer, RollBackForgetsNamesToo) {
  std::array<std::byte, 512> buffer;
  Writer writer(buffer);
  ASSERT_TRUE(writer.question(name("a."), Type::A, Class::IN));
  const Writer::Mark mark = writer.mark();
  ASSERT_TRUE(writer.record(Section::Answer, name("gone.b."), Type::A, Class::IN, 1, hex("c0000201")));
  ASSERT_TRUE(writer.record(Section::Additional, name("gone.b."), Type::A, Class::IN, 1, hex("c0000202")));
  writer.roll_back(mark);
  EXPECT_EQ(writer.header().view().ancount(), 0);
  EXPECT_EQ(writer.header().view().arcount(), 0);
  // Earlier sections are open again, and "gone.b." must be spelt out.
  ASSERT_TRUE(writer.record(Section::Answer, name("x.a."), Type::A, Class::IN, 1, hex("c0000203")));
  ASSERT_TRUE(writer.record(Section::Answer, name("gone.b."), Type::A, Class::IN, 1, hex("c0000204")));
  const auto parsed = Message::parse(writer.message());
  ASSERT_TRUE(parsed);
  EXPECT_EQ(to_text(*std::ranges::next(parsed->answers().begin())->owner()), "gone.b.");
}

TEST(Writer, SectionsComeInOrder) {
  std::array<std::byte, 512> buffer;
  Writer writer(buffer);
  const Octets a = hex("c0000201");
  EXPECT_EQ(writer.record(Section::Question, name("a."), Type::A, Class::IN, 1, a).error(),
            Error::WrongSection);
  ASSERT_TRUE(writer.record(Section::Authority, name("a."), Type::A, Class::IN, 1, a));
  EXPECT_EQ(writer.record(Section::Answer, name("a."), Type::A, Class::IN, 1, a).error(),
            Error::WrongSection);
  EXPECT_EQ(writer.question(name("a."), Type::A, Class::IN).error(), Error::WrongSection);
  ASSERT_TRUE(writer.record(Section::Additional, name("a."), Type::A, Class::IN, 1, a));
  EXPECT_TRUE(Message::parse(writer.message()));
}

TEST(Writer, RawRecordMustBeOneRecord) {
  std::array<std::byte, 512> buffer;
  Writer writer(buffer);
  const Octets good = hex("00 0029 04d0 00000000 0000");
  EXPECT_TRUE(writer.raw_record(Section::Additional, good));
  EXPECT_EQ(writer.raw_record(Section::Question, good).error(), Error::WrongSection);
  EXPECT_EQ(writer.raw_record(Section::Additional, good + hex("00")).error(), Error::TrailingBytes);
  EXPECT_EQ(writer.raw_record(Section::Additional, Bytes(good).first(10)).error(), Error::Truncated);
  EXPECT_EQ(writer.raw_record(Section::Additional, hex("00 0029 04d0 00000000 0001")).error(),
            Error::Truncated);
  EXPECT_EQ(writer.raw_record(Section::Additional, hex("c00c 0029 04d0 00000000 0000")).error(),
            Error::CompressionForbidden);
  EXPECT_EQ(writer.header().view().arcount(), 1);
}

TEST(Writer, CountsStopAt65535) {
  // Records of 11 octets fill the 64 KiB long before the counter does; only questions of the root get
  // further.
  Octets buffer(70000);
  Writer writer(buffer);
  int written = 0;
  while (writer.question(NameView(), Type::A, Class::IN)) ++written;
  EXPECT_EQ(written, (65535 - 12) / 5);
  EXPECT_LE(writer.size(), 65535U);
}

TEST(Writer, NoPointerBeyond14Bits) {
  Octets buffer(65535);
  Writer writer(buffer);
  ASSERT_TRUE(writer.question(name("q."), Type::TXT, Class::IN));
  ASSERT_TRUE(writer.record(Section::Answer, name("q."), Type::TXT, Class::IN, 1, Octets(0x4000)));
  const Name far = name("far.away.");
  ASSERT_TRUE(writer.record(Section::Answer, far, Type::A, Class::IN, 1, hex("c0000201")));
  const std::size_t second = writer.size();
  ASSERT_TRUE(writer.record(Section::Answer, far, Type::A, Class::IN, 1, hex("c0000201")));
  EXPECT_EQ(writer.size() - second, far.size() + 14);
  // The early name is still pointed to.
  const std::size_t third = writer.size();
  ASSERT_TRUE(writer.record(Section::Answer, name("q."), Type::A, Class::IN, 1, hex("c0000201")));
  EXPECT_EQ(writer.size() - third, 2U + 14U);
  EXPECT_TRUE(Message::parse(writer.message()));
}

TEST(Writer, ManyNamesBeyondTheTableStayCorrect) {
  Octets buffer(65535);
  Writer writer(buffer);
  ASSERT_TRUE(writer.question(name("q."), Type::A, Class::IN));
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE(writer.record(Section::Answer, name("n" + std::to_string(i) + ".x.q."), Type::NS, Class::IN,
                              1, wire("m" + std::to_string(i % 7) + ".q.")));
  }
  const auto parsed = Message::parse(writer.message());
  ASSERT_TRUE(parsed);
  int i = 0;
  for (const RecordView& record : parsed->answers()) {
    EXPECT_EQ(to_text(*record.owner()), "n" + std::to_string(i) + ".x.q.");
    EXPECT_EQ(to_text(*first_rdata_name(record)), "m" + std::to_string(i % 7) + ".q.");
    ++i;
  }
  EXPECT_EQ(i, 500);
}

TEST(Writer, RandomMessagesSurviveTheRoundTrip) {
  test::Random random(3);
  for (int round = 0; round < 500; ++round) {
    Octets buffer(65535);
    const auto mode = static_cast<Compression>(random.below(3));
    Writer writer(buffer, mode);
    std::vector<Name> owners;
    std::vector<Name> targets;
    const Name base = test::random_name(random);
    for (int i = 0; i < 30; ++i) {
      Name owner = test::random_name(random);
      (void)owner.append(base);
      Name target = test::random_name(random);
      (void)target.append(random.below(2) == 0 || owners.empty() ? base.view() : owners.back().view());
      owners.push_back(owner);
      targets.push_back(target);
      ASSERT_TRUE(writer.record(Section::Answer, owner, Type::CNAME, Class::IN, 1, target.wire()));
    }
    const auto parsed = Message::parse(writer.message());
    ASSERT_TRUE(parsed) << to_text(parsed.error());
    std::size_t i = 0;
    for (const RecordView& record : parsed->answers()) {
      const Name owner = *record.owner();
      const Name target = *first_rdata_name(record);
      if (mode == Compression::IgnoreCase) {
        EXPECT_TRUE(owner == owners[i] && target == targets[i]);
      } else {
        EXPECT_TRUE(identical(owner, owners[i]) && identical(target, targets[i]));
      }
      ++i;
    }
    EXPECT_EQ(i, owners.size());
  }
}

}  // namespace
}  // namespace swarmdns::dns
