#include "proto/dns/rdata.h"

#include <gtest/gtest.h>

#include <vector>

#include "proto/dns/header.h"
#include "proto/dns/name_text.h"
#include "tests/unit/proto/dns/helpers.h"

namespace swarmdns::dns {
namespace {

using test::hex;
using test::Octets;
using test::wire;

// A message with the question "example.com." (at 12) and one record, whose RDATA may point to 0xc00c.
class One {
 public:
  One(Type type, const Octets& rdata, Class klass = Class::IN, std::uint32_t ttl = 60)
      : message_(test::header(0x8180, 1, 1, 0, 0) + test::question("example.com.", Type::A)) {
    const std::size_t at = message_.size();
    message_ = message_ + test::record(hex("c00c"), type, ttl, rdata, klass);
    view_.emplace(RecordView::parse(message_, at).value());
  }
  const RecordView& view() const { return *view_; }

 private:
  Octets message_;
  std::optional<RecordView> view_;
};

Octets expanded(const RecordView& record) {
  Octets out(expanded_rdata_bound(record.rdata().size()));
  out.resize(expand_rdata(record, out).value());
  return out;
}

TEST(Rdata, LayoutsFollowRfc3597) {
  EXPECT_EQ(rdata_layout(Type::NS).rule, NameRule::Compress);
  EXPECT_EQ(rdata_layout(Type::SOA).names, 2);
  EXPECT_EQ(rdata_layout(Type::MX).prefix, 2);
  for (const Type type : {Type::RP, Type::AFSDB, Type::RT, Type::SIG, Type::PX, Type::NXT, Type::NAPTR,
                          Type::SRV, Type::KX, Type::DNAME}) {
    EXPECT_EQ(rdata_layout(type).rule, NameRule::ReceiveOnly) << to_text(type);
  }
  for (const Type type : {Type::RRSIG, Type::NSEC, Type::SVCB, Type::HTTPS}) {
    EXPECT_EQ(rdata_layout(type).rule, NameRule::Forbidden) << to_text(type);
  }
  for (const Type type : {Type::A, Type::TXT, Type::OPT, Type::DS, static_cast<Type>(65280)}) {
    EXPECT_EQ(rdata_layout(type).rule, NameRule::None) << to_text(type);
  }
}

TEST(Rdata, ExpandUndoesCompression) {
  EXPECT_EQ(expanded(One(Type::NS, hex("03 6e7331 c00c")).view()), wire("ns1.example.com."));
  EXPECT_EQ(expanded(One(Type::MX, hex("000a 02 6d78 c00c")).view()), hex("000a") + wire("mx.example.com."));
  EXPECT_EQ(expanded(One(Type::SRV, hex("0001 0002 0035 c00c")).view()),
            hex("0001 0002 0035") + wire("example.com."));
  const Octets numbers = hex("00000001 00000002 00000003 00000004 00000005");
  EXPECT_EQ(expanded(One(Type::SOA, hex("c00c 01 61 c00c") + numbers).view()),
            wire("example.com.") + wire("a.example.com.") + numbers);
  EXPECT_EQ(expanded(One(Type::NAPTR, hex("0001 0002 01 75 03 453255 00 c00c")).view()),
            hex("0001 0002 01 75 03 453255 00") + wire("example.com."));
  // Opaque types are never touched, whatever they look like.
  EXPECT_EQ(expanded(One(Type::TXT, hex("c00c")).view()), hex("c00c"));
  EXPECT_EQ(expanded(One(static_cast<Type>(65280), hex("c00c")).view()), hex("c00c"));
}

TEST(Rdata, ExpandNeedsRoom) {
  const One one(Type::NS, hex("03 6e7331 c00c"));
  const std::size_t need = wire("ns1.example.com.").size();
  for (std::size_t size = 0; size < need; ++size) {
    Octets out(size);
    EXPECT_EQ(expand_rdata(one.view(), out).error(), Error::NoSpace) << size;
  }
  Octets out(need);
  EXPECT_EQ(expand_rdata(one.view(), out), need);
  EXPECT_EQ(expand_rdata(One(Type::A, hex("c0000201")).view(), MutableBytes(out).first(3)).error(),
            Error::NoSpace);
}

TEST(Rdata, NamesStayInsideRdata) {
  // The label runs past RDLENGTH into octets that the message does have.
  Octets message = test::header(0x8180, 0, 2, 0, 0) + test::record(hex("00"), Type::NS, 1, hex("03 61")) +
                   test::record(hex("00"), Type::A, 1, hex("c0000201"));
  const auto record = RecordView::parse(message, 12);
  ASSERT_TRUE(record);
  EXPECT_EQ(check_rdata(*record).error(), Error::BadRdata);
  EXPECT_EQ(first_rdata_name(*record).error(), Error::BadRdata);
  Octets out(1000);
  EXPECT_EQ(expand_rdata(*record, out).error(), Error::BadRdata);
}

TEST(Rdata, CheckAcceptsWhatIsRight) {
  const Octets numbers(20);
  EXPECT_TRUE(check_rdata(One(Type::A, hex("c0000201")).view()));
  EXPECT_TRUE(check_rdata(One(Type::AAAA, Octets(16)).view()));
  EXPECT_TRUE(check_rdata(One(Type::SOA, hex("c00c c00c") + numbers).view()));
  EXPECT_TRUE(check_rdata(One(Type::RRSIG, Octets(18) + wire("example.com.") + Octets(64)).view()));
  EXPECT_TRUE(check_rdata(One(Type::NSEC, wire("a.example.com.") + hex("0001 40")).view()));
  EXPECT_TRUE(check_rdata(One(Type::HTTPS, hex("0001 00")).view()));
  EXPECT_TRUE(check_rdata(One(Type::A, {}, Class::ANY).view()));  // RFC 2136 2.4
  EXPECT_TRUE(check_rdata(One(Type::NS, {}, Class::NONE).view()));
  EXPECT_TRUE(check_rdata(One(Type::A, hex("c00c 0001"), Class::CH).view()));
  EXPECT_TRUE(check_rdata(One(static_cast<Type>(999), hex("c0ff ee")).view()));
}

TEST(Rdata, CheckRefusesWhatIsWrong) {
  const Octets numbers(20);
  EXPECT_EQ(check_rdata(One(Type::A, hex("c00002")).view()).error(), Error::BadRdata);
  EXPECT_EQ(check_rdata(One(Type::A, hex("c000020101")).view()).error(), Error::BadRdata);
  EXPECT_EQ(check_rdata(One(Type::AAAA, Octets(4)).view()).error(), Error::BadRdata);
  EXPECT_EQ(check_rdata(One(Type::NS, {}).view()).error(), Error::BadRdata);
  EXPECT_EQ(check_rdata(One(Type::NS, hex("00 00")).view()).error(), Error::BadRdata);
  EXPECT_EQ(check_rdata(One(Type::MX, hex("00")).view()).error(), Error::BadRdata);
  EXPECT_EQ(check_rdata(One(Type::SOA, hex("c00c c00c") + Octets(19)).view()).error(), Error::BadRdata);
  EXPECT_EQ(check_rdata(One(Type::SOA, hex("c00c c00c") + Octets(21)).view()).error(), Error::BadRdata);
  EXPECT_EQ(check_rdata(One(Type::NAPTR, hex("0001 0002 05 75")).view()).error(), Error::BadRdata);
  EXPECT_EQ(check_rdata(One(Type::RRSIG, Octets(18) + hex("c00c") + Octets(64)).view()).error(),
            Error::CompressionForbidden);
  EXPECT_EQ(check_rdata(One(Type::HTTPS, hex("0001 c00c")).view()).error(), Error::CompressionForbidden);
  EXPECT_EQ(check_rdata(One(Type::CNAME, hex("c000")).view()).error(), Error::PointerIntoHeader);
  EXPECT_EQ(check_rdata(One(Type::CNAME, hex("c0ff")).view()).error(), Error::ForwardPointer);
  EXPECT_EQ(check_rdata(One(Type::CNAME, hex("4000")).view()).error(), Error::BadLabelType);
}

TEST(Rdata, VisitsEachNameInOrder) {
  std::vector<std::string> seen;
  const auto visit = [&](const Name& n) { seen.push_back(to_text(n)); };
  ASSERT_TRUE(for_each_rdata_name(One(Type::SOA, hex("c00c 01 61 c00c") + Octets(20)).view(), visit));
  EXPECT_EQ(seen, (std::vector<std::string>{"example.com.", "a.example.com."}));
  seen.clear();
  ASSERT_TRUE(for_each_rdata_name(One(Type::A, hex("c0000201")).view(), visit));
  EXPECT_TRUE(seen.empty());
  EXPECT_EQ(for_each_rdata_name(One(Type::PTR, hex("c000")).view(), visit).error(), Error::PointerIntoHeader);
}

TEST(Rdata, FirstName) {
  EXPECT_EQ(to_text(*first_rdata_name(One(Type::CNAME, hex("c00c")).view())), "example.com.");
  EXPECT_EQ(to_text(*first_rdata_name(One(Type::MX, hex("0005 c00c")).view())), "example.com.");
  EXPECT_EQ(first_rdata_name(One(Type::A, hex("c0000201")).view()).error(), Error::BadRdata);
  EXPECT_EQ(first_rdata_name(One(Type::NS, {}, Class::NONE).view()).error(), Error::BadRdata);
}

TEST(Rdata, SoaNumbersAndNegativeTtl) {
  const Octets names = hex("c00c c00c");
  const Octets numbers = hex("78563412 00000002 00000003 00000004 0000012c");
  const auto soa = soa_numbers(One(Type::SOA, names + numbers).view());
  ASSERT_TRUE(soa);
  EXPECT_EQ(soa->serial, 0x78563412U);
  EXPECT_EQ(soa->refresh, 2U);
  EXPECT_EQ(soa->retry, 3U);
  EXPECT_EQ(soa->expire, 4U);
  EXPECT_EQ(soa->minimum, 300U);
  // RFC 2308 5: the lesser of the two.
  EXPECT_EQ(negative_ttl(One(Type::SOA, names + numbers, Class::IN, 60).view()), 60U);
  EXPECT_EQ(negative_ttl(One(Type::SOA, names + numbers, Class::IN, 3600).view()), 300U);
  // RFC 2181 8 holds for both.
  EXPECT_EQ(negative_ttl(One(Type::SOA, names + numbers, Class::IN, 0x80000000U).view()), 0U);
  const Octets negative = hex("00000001 00000002 00000003 00000004 80000000");
  EXPECT_EQ(negative_ttl(One(Type::SOA, names + negative, Class::IN, 60).view()), 0U);
  EXPECT_EQ(soa_numbers(One(Type::NS, hex("c00c")).view()).error(), Error::BadRdata);
  EXPECT_EQ(soa_numbers(One(Type::SOA, names + Octets(19)).view()).error(), Error::BadRdata);
  EXPECT_EQ(soa_numbers(One(Type::SOA, {}).view()).error(), Error::BadRdata);
}

}  // namespace
}  // namespace swarmdns::dns
