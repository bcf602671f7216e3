#include "proto/dns/record.h"

#include <gtest/gtest.h>

#include "proto/dns/header.h"
#include "tests/unit/proto/dns/helpers.h"

namespace swarmdns::dns {
namespace {

using test::hex;
using test::Octets;

const Octets kQuestion = test::header(0x8180, 1, 1, 0, 0) + test::question("www.example.", Type::A);

TEST(Record, FieldsAndOffsets) {
  const Octets message = kQuestion + test::record(hex("c00c"), Type::A, 300, hex("c0000201")) + hex("ff");
  const std::size_t at = kQuestion.size();
  const auto record = RecordView::parse(message, at);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->type(), Type::A);
  EXPECT_EQ(record->klass(), Class::IN);
  EXPECT_EQ(record->ttl(), 300U);
  EXPECT_EQ(record->offset(), at);
  EXPECT_EQ(record->ttl_offset(), at + 6);
  EXPECT_EQ(record->rdata_offset(), at + 12);
  EXPECT_EQ(record->end(), message.size() - 1);
  EXPECT_EQ(Octets(record->rdata().begin(), record->rdata().end()), hex("c0000201"));
  EXPECT_EQ(to_text(*record->owner()), "www.example.");
  EXPECT_TRUE(record->owner_is(test::name("WWW.EXAMPLE.")));
  EXPECT_FALSE(record->owner_is(test::name("example.")));
}

TEST(Record, EveryCutIsTruncated) {
  const Octets message = kQuestion + test::record(hex("c00c"), Type::A, 300, hex("c0000201"));
  for (std::size_t size = kQuestion.size(); size < message.size(); ++size) {
    EXPECT_EQ(RecordView::parse(Bytes(message).first(size), kQuestion.size()).error(), Error::Truncated)
        << size;
  }
}

TEST(Record, RdataMustLieInside) {
  Octets message = kQuestion + test::record(hex("c00c"), Type::A, 300, hex("c0000201"));
  message[kQuestion.size() + 11] = std::byte{5};
  EXPECT_EQ(RecordView::parse(message, kQuestion.size()).error(), Error::Truncated);
  message[kQuestion.size() + 10] = std::byte{0xff};
  EXPECT_EQ(RecordView::parse(message, kQuestion.size()).error(), Error::Truncated);
}

TEST(Record, TtlWithTheTopBitIsZero) {  // RFC 2181 8
  EXPECT_EQ(clean_ttl(0x7fffffffU), 0x7fffffffU);
  EXPECT_EQ(clean_ttl(0x80000000U), 0U);
  EXPECT_EQ(clean_ttl(0xffffffffU), 0U);
  const Octets message = kQuestion + test::record(hex("c00c"), Type::A, 0x80000001U, hex("c0000201"));
  const auto record = RecordView::parse(message, kQuestion.size());
  EXPECT_EQ(record->ttl(), 0U);
  EXPECT_EQ(record->raw_ttl(), 0x80000001U);
}

TEST(Record, OwnerThatGoesWrongBehindItsPointer) {
  // The pointer is backwards, but what it names is not a name.
  const Octets message = test::header(0x8180, 0, 1, 0, 0) + hex("80 61 00") +
                         test::record(hex("c00c"), Type::A, 1, hex("c0000201"));
  const auto record = RecordView::parse(message, 15);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->owner().error(), Error::BadLabelType);
  EXPECT_FALSE(record->owner_is(NameView()));
}

}  // namespace
}  // namespace swarmdns::dns
