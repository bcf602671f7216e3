#include <gtest/gtest.h>

#include "dataplane/dns/reply.h"
#include "proto/dns/types.h"
#include "tests/packet/harness/message.h"

namespace swarmdns::dns {
namespace {

using test::hex;
using test::MessageBuilder;
using test::Octets;

ServiceView service() {
  ServiceView view;
  view.nsid = "n1";
  view.version = "SwarmDNS 0.1";
  view.identity = "node-1";
  return view;
}

Octets answer(const MessageBuilder& message, const ServiceView& view = service(),
              std::size_t capacity = 2048) {
  Octets buffer = message.build();
  const auto length = static_cast<std::uint16_t>(buffer.size());
  buffer.resize(std::max(capacity, buffer.size()), std::byte{0xee});
  Query query;
  parse_query(buffer, length, Transport::Udp, query);
  buffer.resize(build_local(query, view));
  if (query.reply_sum != net::kUnknownSum && !buffer.empty()) {
    EXPECT_EQ(query.reply_sum % 0xffff, net::sum_bytes(buffer.data(), buffer.size()) % 0xffffU);
  }
  return buffer;
}

TEST(BuildLocal, ErrorsWithAndWithoutQuestion) {
  EXPECT_EQ(answer(MessageBuilder().question("a.", 1).question("b.", 1)),
            hex("1234 8181 0000 0000 0000 0000"));
  EXPECT_EQ(answer(MessageBuilder().with_flags(0x2900).question("a.", 1)),
            hex("1234 a984 0000 0000 0000 0000"));
  EXPECT_EQ(answer(MessageBuilder().question("a.", 1, 4)),
            MessageBuilder().with_flags(0x8185).question("a.", 1, 4).build());
  EXPECT_EQ(answer(MessageBuilder().question("a.", 128).opt()),
            MessageBuilder()
                .with_flags(0x8181)
                .question("a.", 128)
                .opt(1232, false, test::option(15, hex("001e")))
                .build());
}

TEST(BuildLocal, BadVersHasItsUpperBitsInOpt) {
  EXPECT_EQ(
      test::to_hex(answer(MessageBuilder().question("a.", 1).opt(1232, true, {}, 1))),
      test::to_hex(MessageBuilder().with_flags(0x8180).question("a.", 1).opt(1232, true, {}, 0, 1).build()));
}

TEST(BuildLocal, ExtendedRcodeWithoutOptIsServFail) {
  Octets buffer = MessageBuilder().question("a.", 1).build();
  Query query;
  parse_query(buffer, static_cast<std::uint16_t>(buffer.size()), Transport::Udp, query);
  query.rcode = to_u16(Rcode::BadCookie);
  ASSERT_EQ(build_status(query, service()), buffer.size());
  EXPECT_EQ(test::get16(buffer, 2), 0x8182U);
}

TEST(BuildLocal, Truncated) {
  Octets buffer = MessageBuilder().question("A.b.", 1).opt(1232).build();
  Query query;
  parse_query(buffer, static_cast<std::uint16_t>(buffer.size()), Transport::Udp, query);
  query.action = Action::Truncate;
  buffer.resize(build_local(query, service()));
  EXPECT_EQ(test::to_hex(buffer),
            test::to_hex(MessageBuilder().with_flags(0x8380).question("A.b.", 1).opt(1232).build()));
}

TEST(BuildLocal, LookupAndDropBuildNothing) {
  EXPECT_TRUE(answer(MessageBuilder().question("a.", 1)).empty());
  EXPECT_TRUE(answer(MessageBuilder().with_flags(0x8100).question("a.", 1)).empty());
}

Octets chaos_reply(std::string_view name, std::string_view text) {
  Octets rdata;
  test::put8(rdata, static_cast<unsigned>(text.size()));
  test::put_text(rdata, text);
  return MessageBuilder()
      .with_flags(0x8180)
      .question(name, 16, 3)
      .record(1, hex("c00c"), 16, 3, 0, rdata)
      .build();
}

TEST(Chaos, Names) {
  for (const char* name : {"version.bind.", "VERSION.server."}) {
    EXPECT_EQ(test::to_hex(answer(MessageBuilder().question(name, 16, 3))),
              test::to_hex(chaos_reply(name, "SwarmDNS 0.1")));
  }
  for (const char* name : {"id.server.", "HostName.bind."}) {
    EXPECT_EQ(test::to_hex(answer(MessageBuilder().question(name, 16, 3))),
              test::to_hex(chaos_reply(name, "node-1")));
  }
}

TEST(Chaos, AllElseIsRefused) {
  for (const char* name :
       {".", "bind.", "authors.bind.", "version.bind.example.", "xversion.bind.", "id.serverx."}) {
    EXPECT_EQ(answer(MessageBuilder().question(name, 16, 3)),
              MessageBuilder().with_flags(0x8185).question(name, 16, 3).build());
  }
  EXPECT_EQ(test::get16(answer(MessageBuilder().question("version.bind.", 16, 3), ServiceView{}), 2),
            0x8185U);
  // Another type at a name that is there: no data.
  EXPECT_EQ(answer(MessageBuilder().question("version.bind.", 1, 3)),
            MessageBuilder().with_flags(0x8180).question("version.bind.", 1, 3).build());
}

TEST(Chaos, LongTextsAreCutToACharacterString) {
  ServiceView view = service();
  view.version = std::string(300, 'v');
  const Octets reply = answer(MessageBuilder().question("version.bind.", 16, 3), view);
  EXPECT_EQ(test::to_hex(reply), test::to_hex(chaos_reply("version.bind.", std::string(255, 'v'))));
}

TEST(Any, OneHinfo) {
  const Octets rdata = hex("07 52464338343832 00");
  EXPECT_EQ(test::to_hex(answer(MessageBuilder().question("ExAmple.com.", 255).opt(1232, true))),
            test::to_hex(MessageBuilder()
                             .with_flags(0x8180)
                             .question("ExAmple.com.", 255)
                             .record(1, hex("c00c"), 13, 1, 3600, rdata)
                             .opt(1232, true)
                             .build()));
}

// Nothing is written beyond the memory there is, whatever it is.
TEST(BuildLocal, EveryCapacity) {
  const MessageBuilder queries[] = {
      MessageBuilder().question("version.bind.", 16, 3).opt(4096, true, test::option(3, {})),
      MessageBuilder().question("example.com.", 255).opt(4096, false, test::option(3, {})),
      MessageBuilder().question("example.com.", 128).opt(),
      MessageBuilder().question("version.bind.", 16, 3),
  };
  for (const MessageBuilder& message : queries) {
    const std::size_t asked = message.build().size();
    for (std::size_t capacity = asked; capacity < asked + 60; ++capacity) {
      const Octets reply = answer(message, service(), capacity);  // a sanitizer sees more than the size tells
      EXPECT_LE(reply.size(), capacity);
      EXPECT_GE(reply.size(), 12U);
    }
  }
}

}  // namespace
}  // namespace swarmdns::dns
