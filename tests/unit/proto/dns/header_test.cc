#include "proto/dns/header.h"

#include <gtest/gtest.h>

#include "tests/unit/proto/dns/helpers.h"

namespace swarmdns::dns {
namespace {

using test::hex;

TEST(Header, ReadsEachField) {
  const auto data = hex("beef 8583 0001 0002 0003 0004");
  const auto header = HeaderView::parse(data);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->id(), 0xbeef);
  EXPECT_EQ(header->qdcount(), 1);
  EXPECT_EQ(header->ancount(), 2);
  EXPECT_EQ(header->nscount(), 3);
  EXPECT_EQ(header->arcount(), 4);
  const Flags flags = header->flags();
  EXPECT_TRUE(flags.qr() && flags.aa() && flags.rd() && flags.ra());
  EXPECT_FALSE(flags.tc() || flags.z() || flags.ad() || flags.cd());
  EXPECT_EQ(flags.opcode(), Opcode::Query);
  EXPECT_EQ(flags.rcode(), Rcode::NXDomain);
}

TEST(Header, NeedsTwelveOctets) {
  test::Octets data(11);
  EXPECT_EQ(HeaderView::parse(data).error(), Error::Truncated);
  EXPECT_EQ(HeaderEdit::parse(data).error(), Error::Truncated);
  data.resize(12);
  EXPECT_TRUE(HeaderView::parse(data));
  EXPECT_TRUE(HeaderEdit::parse(data));
}

TEST(Header, EachFlagHasItsBitAndNoOther) {
  // RFC 1035 4.1.1 and RFC 2535 6.1.
  EXPECT_EQ(Flags().set_qr(true).bits(), 0x8000);
  EXPECT_EQ(Flags().set_aa(true).bits(), 0x0400);
  EXPECT_EQ(Flags().set_tc(true).bits(), 0x0200);
  EXPECT_EQ(Flags().set_rd(true).bits(), 0x0100);
  EXPECT_EQ(Flags().set_ra(true).bits(), 0x0080);
  EXPECT_EQ(Flags().set_z(true).bits(), 0x0040);
  EXPECT_EQ(Flags().set_ad(true).bits(), 0x0020);
  EXPECT_EQ(Flags().set_cd(true).bits(), 0x0010);
  EXPECT_EQ(Flags().set_opcode(Opcode::Update).bits(), 0x2800);
  EXPECT_EQ(Flags().set_rcode(Rcode::Refused).bits(), 0x0005);
  EXPECT_EQ(Flags(0xffff).set_qr(false).bits(), 0x7fff);
  EXPECT_EQ(Flags(0xffff).set_cd(false).bits(), 0xffef);
  EXPECT_EQ(Flags(0xffff).set_opcode(Opcode::Query).bits(), 0x87ff);
  EXPECT_EQ(Flags(0xffff).set_rcode(Rcode::NoError).bits(), 0xfff0);
  EXPECT_EQ(Flags().set_rcode(Rcode::BadCookie).bits(), 0x0007);  // 23 = 1 * 16 + 7
}

TEST(Header, EditsInPlace) {
  test::Octets data(12, std::byte{0xff});
  HeaderEdit edit(data.data());
  edit.set_id(0x0102);
  edit.set_flags(Flags().set_qr(true).set_ra(true));
  edit.set_counts(1, 2, 3, 4);
  EXPECT_EQ(data, hex("0102 8080 0001 0002 0003 0004"));
  EXPECT_EQ(edit.view().arcount(), 4);
}

}  // namespace
}  // namespace swarmdns::dns
