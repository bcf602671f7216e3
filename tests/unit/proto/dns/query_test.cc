#include "proto/dns/query.h"

#include <gtest/gtest.h>

#include "tests/unit/proto/dns/helpers.h"

namespace swarmdns::dns {
namespace {

using test::hex;
using test::Octets;

Octets written(const QuerySpec& spec) {
  Octets out(kMaxQuerySize);
  out.resize(write_query(spec, out).value());
  return out;
}

TEST(WriteQuery, WithAndWithoutEdns) {
  const Name name = test::name("example.com.");
  QuerySpec spec{.id = 0xbeef, .name = name, .type = Type::DS, .dnssec_ok = true};
  EXPECT_EQ(written(spec), test::header(0x0100, 1, 0, 0, 1, 0xbeef) +
                               test::question("example.com.", Type::DS) +
                               hex("00 0029 04d0 00 00 8000 0000"));
  spec.payload_size = 0;
  spec.recursion_desired = false;
  spec.checking_disabled = true;
  spec.authentic_data = true;
  EXPECT_EQ(written(spec),
            test::header(0x0030, 1, 0, 0, 0, 0xbeef) + test::question("example.com.", Type::DS));
}

TEST(WriteQuery, NeedsRoom) {
  Octets out(kMaxQuerySize);
  const Name name = test::name("example.com.");
  const QuerySpec spec{.name = name};
  const std::size_t need = written(spec).size();
  EXPECT_EQ(write_query(spec, out), need);
  for (std::size_t size = 0; size < need; ++size) {
    EXPECT_EQ(write_query(spec, MutableBytes(out).first(size)).error(), Error::NoSpace) << size;
  }
}

TEST(WriteQuery, TheLongestNameFits) {
  const std::string l63(63, 'a');
  const Name longest = test::name(l63 + "." + l63 + "." + l63 + "." + std::string(61, 'b'));
  EXPECT_EQ(written({.name = longest}).size(), kMaxQuerySize);
}

TEST(ReplyMatches, IdQrOpcodeAndQuestion) {
  const Name name = test::name("example.com.");
  const QuerySpec spec{.id = 0x1234, .name = name, .type = Type::A};
  const auto matches = [&](const Octets& wire) { return reply_matches(spec, Message::parse(wire).value()); };
  const Octets question = test::question("eXample.com.", Type::A);
  EXPECT_TRUE(matches(test::header(0x8180, 1, 0, 0, 0) + question));
  EXPECT_FALSE(matches(test::header(0x0180, 1, 0, 0, 0) + question));          // no response
  EXPECT_FALSE(matches(test::header(0x8180, 1, 0, 0, 0, 0x1235) + question));  // other ID
  EXPECT_FALSE(matches(test::header(0xa180, 1, 0, 0, 0) + question));          // NOTIFY
  EXPECT_FALSE(matches(test::header(0x8180, 0, 0, 0, 0)));
  EXPECT_FALSE(matches(test::header(0x8180, 2, 0, 0, 0) + question + question));
  EXPECT_FALSE(matches(test::header(0x8180, 1, 0, 0, 0) + test::question("example.com.", Type::AAAA)));
  EXPECT_FALSE(matches(test::header(0x8180, 1, 0, 0, 0) + test::question("example.org.", Type::A)));
  EXPECT_FALSE(
      matches(test::header(0x8180, 1, 0, 0, 0) + test::question("example.com.", Type::A, Class::CH)));
}

}  // namespace
}  // namespace swarmdns::dns
