#include "proto/dns/edns.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "tests/unit/proto/dns/helpers.h"

namespace swarmdns::dns {
namespace {

using test::hex;
using test::Octets;

// An OPT record behind a header.
Octets opt_message(const Octets& options, std::uint32_t ttl = 0, std::uint16_t payload = 1232) {
  return test::header(0, 0, 0, 0, 1) +
         test::record(hex("00"), Type::OPT, ttl, options, static_cast<Class>(payload));
}

TEST(Opt, FieldsOfTheFixedPart) {
  const Octets message = opt_message({}, 0x01008001U, 4096);
  const auto opt = Opt::parse(message, 12);
  ASSERT_TRUE(opt);
  EXPECT_EQ(opt->payload_size, 4096);
  EXPECT_EQ(opt->extended_rcode, 1);
  EXPECT_EQ(opt->version, 0);
  EXPECT_TRUE(opt->dnssec_ok);
  EXPECT_EQ(opt->z, 1);
  EXPECT_TRUE(opt->options.empty());
  EXPECT_EQ(opt->rcode(Flags()), Rcode::BadVers);
  EXPECT_EQ(opt->rcode(Flags().set_rcode(Rcode::YXRRSet)), Rcode::BadCookie);
  EXPECT_EQ(Opt::parse(opt_message({}, 0x00050000U), 12)->version, 5);
  EXPECT_FALSE(Opt::parse(opt_message({}, 0x00007fffU), 12)->dnssec_ok);
}

TEST(Opt, SmallPayloadMeans512) {  // RFC 6891 6.2.3
  EXPECT_EQ(Opt::parse(opt_message({}, 0, 0), 12)->udp_payload(), 512);
  EXPECT_EQ(Opt::parse(opt_message({}, 0, 511), 12)->udp_payload(), 512);
  EXPECT_EQ(Opt::parse(opt_message({}, 0, 513), 12)->udp_payload(), 513);
  EXPECT_EQ(Opt::parse(opt_message({}, 0, 65535), 12)->udp_payload(), 65535);
}

TEST(Opt, OwnerMustBeTheRootItself) {
  const Octets named = test::header(0, 0, 0, 0, 1) + test::record(test::wire("a."), Type::OPT, 0, {});
  EXPECT_EQ(Opt::parse(named, 12).error(), Error::BadOpt);
  // A pointer to a root label is no zero octet.
  const Octets pointed =
      test::header(0, 0, 0, 0, 1) + hex("00") + test::record(hex("c00c"), Type::OPT, 0, {});
  EXPECT_EQ(Opt::parse(pointed, 13).error(), Error::BadOpt);
  const Octets other = test::header(0, 0, 0, 0, 1) + test::record(hex("00"), Type::A, 0, hex("c0000201"));
  EXPECT_EQ(Opt::parse(other, 12).error(), Error::BadOpt);
  EXPECT_EQ(Opt::parse(other, 500).error(), Error::Truncated);
}

TEST(Opt, WalksOptionsInOrder) {
  const Octets message =
      opt_message(hex("000a 0008 0102030405060708  0003 0000  fde9 0001 ff  000a 0001 00"));
  const auto opt = Opt::parse(message, 12);
  ASSERT_TRUE(opt);
  std::vector<std::pair<unsigned, std::size_t>> seen;
  for (const Option option : opt->options)
    seen.emplace_back(static_cast<unsigned>(option.code), option.data.size());
  EXPECT_EQ(seen, (std::vector<std::pair<unsigned, std::size_t>>{{10, 8}, {3, 0}, {65001, 1}, {10, 1}}));
  EXPECT_EQ(opt->find(OptionCode::Cookie)->size(), 8U);  // the first of two
  EXPECT_TRUE(opt->find(OptionCode::NSID)->empty());
  EXPECT_FALSE(opt->find(OptionCode::Padding));
}

TEST(Opt, OptionsThatRunPastRdata) {
  const Octets whole = hex("000a 0008 0102030405060708 000c 0002 0000");
  ASSERT_TRUE(Opt::parse(opt_message(whole), 12));
  for (std::size_t size = 1; size < whole.size(); ++size) {
    const Octets cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    if (size == 12) {  // exactly the first option
      EXPECT_TRUE(Opt::parse(opt_message(cut), 12));
    } else {
      EXPECT_EQ(Opt::parse(opt_message(cut), 12).error(), Error::BadOption) << size;
    }
  }
  EXPECT_EQ(Opt::parse(opt_message(hex("000a ffff 00")), 12).error(), Error::BadOption);
}

TEST(Options, CookieLengthsOfRfc7873) {
  for (std::size_t size = 0; size <= 50; ++size) {
    const bool good = size == 8 || (size >= 16 && size <= 40);
    const Octets data(size, std::byte{7});
    const auto cookie = parse_cookie(data);
    EXPECT_EQ(cookie.has_value(), good) << size;
    if (good) {
      EXPECT_EQ(cookie->client.size(), 8U);
      EXPECT_EQ(cookie->server.size(), size - 8);
    } else {
      EXPECT_EQ(cookie.error(), Error::BadOption);
    }
  }
}

TEST(Options, ClientSubnet) {
  const Octets v4 = hex("0001 18 00 c00002");
  const auto subnet = parse_client_subnet(v4);
  ASSERT_TRUE(subnet);
  EXPECT_EQ(subnet->family, 1);
  EXPECT_EQ(subnet->source_prefix, 24);
  EXPECT_EQ(subnet->scope_prefix, 0);
  EXPECT_EQ(Octets(subnet->address.begin(), subnet->address.begin() + 4), hex("c0000200"));
  EXPECT_TRUE(parse_client_subnet(hex("0001 00 00")));
  EXPECT_TRUE(parse_client_subnet(hex("0002 38 30 20010db8123456")));
  EXPECT_TRUE(parse_client_subnet(hex("0001 19 00 c0000280")));
}

TEST(Options, ClientSubnetBrokenForms) {  // RFC 7871 6 and 7.1
  for (const char* bad : {
           "", "0001 18", "0001 1800",  // cut
           "0000 00 00", "0003 00 00",  // family unknown
           "0001 21 00 c000020100",     // prefix of 33
           "0001 18 21 c00002",         // scope of 33
           "0002 81 00 0000000000000000000000000000000000",
           "0001 18 00 c0000201",  // an octet too many
           "0001 18 00 c000",      // one too few
           "0001 19 00 c0000281",  // a bit behind the prefix
       }) {
    EXPECT_FALSE(parse_client_subnet(hex(bad))) << bad;
  }
}

TEST(Options, ExtendedError) {  // RFC 8914 2
  const auto plain = parse_extended_error(hex("0006"));
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->code, EdeCode::DnssecBogus);
  EXPECT_TRUE(plain->text.empty());
  const Octets with_text = hex("0012 6e6f 00");
  EXPECT_EQ(parse_extended_error(with_text)->text, "no");
  EXPECT_EQ(parse_extended_error(with_text)->code, EdeCode::Prohibited);
  EXPECT_EQ(parse_extended_error(hex("00")).error(), Error::BadOption);
  EXPECT_EQ(mnemonic(EdeCode::StaleAnswer), "Stale Answer");
  EXPECT_EQ(mnemonic(static_cast<EdeCode>(9999)), "");
  std::set<std::string_view> words;
  for (unsigned code = 0; code <= 30; ++code) words.insert(mnemonic(static_cast<EdeCode>(code)));
  EXPECT_EQ(words.size(), 31U);  // all codes of the registry, each with words of its own
  EXPECT_FALSE(words.contains(""));
}

TEST(Options, TcpKeepalive) {  // RFC 7828 3.1
  EXPECT_FALSE(parse_tcp_keepalive({})->timeout);
  EXPECT_EQ(parse_tcp_keepalive(hex("012c"))->timeout, 300);
  EXPECT_EQ(parse_tcp_keepalive(hex("01")).error(), Error::BadOption);
  EXPECT_EQ(parse_tcp_keepalive(hex("010203")).error(), Error::BadOption);
}

}  // namespace
}  // namespace swarmdns::dns
