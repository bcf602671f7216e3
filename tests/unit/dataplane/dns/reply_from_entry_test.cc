#include <gtest/gtest.h>

#include "dataplane/dns/reply.h"
#include "proto/dns/types.h"
#include "tests/packet/harness/entry.h"
#include "tests/packet/harness/message.h"

namespace swarmdns::dns {
namespace {

using test::hex;
using test::MessageBuilder;
using test::Octets;

constexpr cache::Seconds kBorn = 1U << 20;
const Octets kOwner = hex("c00c");
const Octets kAddress = hex("c0000201");

ServiceView service() {
  ServiceView view;
  view.nsid = "n1";
  return view;
}

// One query and the memory that its reply is built in.
struct Exchange {
  Octets buffer;
  Query query;
  std::size_t asked_len;

  explicit Exchange(const MessageBuilder& message, Transport transport = Transport::Udp,
                    std::size_t capacity = 4096) {
    buffer = message.build();
    asked_len = buffer.size();
    buffer.resize(capacity, std::byte{0xee});
    parse_query(buffer, static_cast<std::uint16_t>(asked_len), transport, query);
  }

  // The reply message; its sum is checked on the way, and that nothing was written behind it.
  Octets reply(const cache::EntryImage& image, cache::Seconds now = kBorn, bool stale = false) {
    const std::size_t length = build_from_entry(query, image.entry(), now, stale, service());
    return finish(length);
  }
  Octets finish(std::size_t length) {
    EXPECT_LE(length, buffer.size());
    for (std::size_t i = std::max(length, asked_len); i < buffer.size(); ++i) {
      if (buffer[i] != std::byte{0xee}) ADD_FAILURE() << "written behind the reply at " << i;
    }
    Octets out(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(length));
    if (query.reply_sum != net::kUnknownSum) {
      EXPECT_EQ(query.reply_sum % 0xffff, net::sum_bytes(out.data(), out.size()) % 0xffffU);
    }
    return out;
  }
};

MessageBuilder ask(std::string_view name = "www.example.com.", unsigned type = test::kA) {
  return MessageBuilder().question(name, type);
}

// A response of two addresses and a TXT of odd length, so that TTLs lie at odd and even offsets.
cache::EntryImage mixed(std::string_view name, unsigned flags = 0x8180) {
  return test::entry_from_response(MessageBuilder()
                                       .with_flags(flags)
                                       .question(name, test::kA)
                                       .record(1, kOwner, test::kA, 1, 300, kAddress)
                                       .record(1, kOwner, test::kTxt, 1, 200, hex("0178"))
                                       .record(2, kOwner, test::kTxt, 1, 100, hex("02 7879"))
                                       .record(3, kOwner, test::kA, 1, 0x12345, kAddress)
                                       .build(),
                                   {.rules = {.max_ttl_s = 0x7fffffff}});
}

// The reply that a plain implementation would write.
Octets expected(std::string_view name, unsigned flags, std::uint32_t age, const Octets& opt = {}) {
  const auto left = [age](std::uint32_t ttl) { return ttl > age ? ttl - age : 0; };
  MessageBuilder out = MessageBuilder()
                           .with_flags(flags)
                           .question(name, test::kA)
                           .record(1, kOwner, test::kA, 1, left(300), kAddress)
                           .record(1, kOwner, test::kTxt, 1, left(200), hex("0178"))
                           .record(2, kOwner, test::kTxt, 1, left(100), hex("02 7879"))
                           .record(3, kOwner, test::kA, 1, left(0x12345), kAddress);
  if (!opt.empty()) {
    out.raw(opt);
    out.counts[3] += 1;
  }
  return out.build();
}

TEST(BuildFromEntry, NamesOfOddAndEvenLengthAtAnyAge) {
  for (const char* name : {"a.", "ab.", "abc.", "www.example.com.", "www.example.coma."}) {
    const auto image = mixed(name);
    for (const std::uint32_t age : {0U, 1U, 99U, 100U, 101U, 255U, 300U, 0x12345U, 0x20000U}) {
      Exchange exchange(ask(name));
      EXPECT_EQ(test::to_hex(exchange.reply(image, kBorn + age)), test::to_hex(expected(name, 0x8180, age)))
          << name;
      EXPECT_NE(exchange.query.reply_sum, net::kUnknownSum);
      Exchange edns(ask(name).opt(1232, true));
      EXPECT_EQ(test::to_hex(edns.reply(image, kBorn + age)),
                test::to_hex(expected(name, 0x8180, age, hex("00 0029 04d0 00 00 8000 0000"))))
          << name;
    }
  }
}

// The TTLs of most answers are equal, and written by other code than those that differ.
TEST(BuildFromEntry, EqualTtlsInAnyNumberAtOddAndEvenOctets) {
  for (const char* name : {"a.", "ab."}) {
    for (unsigned records = 1; records <= 9; ++records) {
      const auto message = [&](std::uint32_t ttl) {
        MessageBuilder out = MessageBuilder().with_flags(0x8180).question(name, test::kTxt);
        // Of odd length and different, so that each is a record of its own.
        for (unsigned i = 0; i < records; ++i)
          out.record(1, kOwner, test::kTxt, 1, ttl,
                     hex(i % 2 == 0 ? "0278"
                                      "79"
                                    : "0178"));
        return out.build();
      };
      const auto image = test::entry_from_response(message(70'000), {.rules = {.max_ttl_s = 0x7fffffff}});
      EXPECT_NE(image.entry().odd_ttls, cache::Entry::kMixedTtls);
      for (const std::uint32_t age : {0U, 1U, 4'465U, 70'000U, 80'000U}) {
        Exchange exchange(ask(name, test::kTxt));
        EXPECT_EQ(test::to_hex(exchange.reply(image, kBorn + age)),
                  test::to_hex(message(age < 70'000 ? 70'000 - age : 0)))
            << name << records << " at " << age;
      }
    }
  }
  EXPECT_EQ(mixed("a.").entry().odd_ttls, cache::Entry::kMixedTtls);
}

TEST(BuildFromEntry, ClockBeforeBirthCountsAsNoAge) {
  Exchange exchange(ask("a."));
  EXPECT_EQ(exchange.reply(mixed("a."), kBorn - 5), expected("a.", 0x8180, 0));
}

TEST(BuildFromEntry, QuestionKeepsItsCaseAndSurplusGoes) {
  MessageBuilder message = ask("wWw.ExAmPlE.CoM.");
  message.raw(hex("deadbeef"));  // octets behind the question
  Exchange exchange(message);
  EXPECT_EQ(exchange.reply(mixed("www.example.com.")), expected("wWw.ExAmPlE.CoM.", 0x8180, 0));
}

TEST(BuildFromEntry, Flags) {
  const auto flags = [](unsigned query_flags, bool dnssec_ok, unsigned upstream, bool stale = false) {
    MessageBuilder message = ask().with_flags(query_flags);
    if (dnssec_ok) message.opt(1232, true);
    Exchange exchange(message);
    return test::get16(exchange.reply(mixed("www.example.com.", upstream), kBorn, stale), 2);
  };
  EXPECT_EQ(flags(0x0100, false, 0x8180), 0x8180U);
  EXPECT_EQ(flags(0x0000, false, 0x8180), 0x8080U);  // RD as asked
  EXPECT_EQ(flags(0x0110, false, 0x8190), 0x8190U);  // CD as asked
  EXPECT_EQ(flags(0x07ef, false, 0x8180), 0x8180U);  // AA, TC, RA, Z, rcode of the query do not come back
  // AD only when it is so and somebody asked: by AD or by DO (RFC 6840 5.8).
  EXPECT_EQ(flags(0x0100, false, 0x81a0), 0x8180U);
  EXPECT_EQ(flags(0x0120, false, 0x81a0), 0x81a0U);
  EXPECT_EQ(flags(0x0100, true, 0x81a0), 0x81a0U);
  EXPECT_EQ(flags(0x0120, true, 0x8180), 0x8180U);
  EXPECT_EQ(flags(0x0120, true, 0x81a0, true), 0x8180U);  // stale data is not vouched for
  EXPECT_EQ(flags(0x0100, false, 0x8580), 0x8180U);       // never AA
}

TEST(BuildFromEntry, Stale) {
  const auto image = mixed("a.");
  Exchange exchange(ask("a.").opt());
  const Octets reply = exchange.reply(image, kBorn + 100000, true);
  for (const std::uint16_t offset : image.entry().ttl_offsets())
    EXPECT_EQ(test::get32(reply, 19U + offset), 30U);
  const Octets opt(reply.end() - 17, reply.end());
  EXPECT_EQ(test::to_hex(opt), test::to_hex(hex("00 0029 04d0 00 00 0000 0006 000f 0002 0003")));
}

TEST(BuildFromEntry, StaleNxDomainHasItsOwnCode) {
  const Octets soa = test::join(
      {test::wire_name("ns."), test::wire_name("h."), hex("00000001 00000002 00000003 00000004 00000005")});
  const auto image = test::entry_from_response(MessageBuilder()
                                                   .with_flags(0x8183)
                                                   .question("no.", test::kA)
                                                   .record(2, hex("00"), test::kSoa, 1, 60, soa)
                                                   .build());
  Exchange exchange(ask("no.").opt());
  const Octets reply = exchange.reply(image, kBorn + 1000, true);
  EXPECT_EQ(test::get16(reply, reply.size() - 2), 19U);
  EXPECT_EQ(test::get16(reply, 2) & 15, 3U);
  EXPECT_EQ(exchange.query.rcode, 3);
}

TEST(BuildFromEntry, ErrorCodeOfTheUpstreamIsPassedOn) {
  const auto image = test::entry_from_response(MessageBuilder()
                                                   .with_flags(0x8182)
                                                   .question("bogus.", test::kA)
                                                   .opt(1232, false, test::option(15, hex("0006")))
                                                   .build());
  Exchange with(ask("bogus.").opt());
  const Octets reply = with.reply(image);
  EXPECT_EQ(test::get16(reply, reply.size() - 2), 6U);
  EXPECT_EQ(test::get16(reply, 2), 0x8182U);
  Exchange without(ask("bogus."));
  EXPECT_EQ(without.reply(image).size(), 12 + 7 + 4U);
}

// 12 + 17 + 4 octets of header and question, 25 A records of 16 octets in the answer, 8 in the additional
// section.
cache::EntryImage large() {
  MessageBuilder message = MessageBuilder().with_flags(0x8180).question("www.example.com.", test::kA);
  for (unsigned i = 0; i < 25; ++i) message.record(1, kOwner, test::kA, 1, 300, kAddress);
  for (unsigned i = 0; i < 8; ++i) message.record(3, hex("c010"), test::kA, 1, 300, kAddress);
  return test::entry_from_response(message.build());
}

TEST(BuildFromEntry, TruncationLadder) {
  const auto image = large();
  constexpr std::size_t kFront = 12 + 17 + 4;
  constexpr std::size_t kAnswers = 25 * 16;
  constexpr std::size_t kAll = kAnswers + 8 * 16;
  struct Case {
    bool edns;
    unsigned payload;
    std::size_t size;
    bool truncated;
    unsigned answers, additionals;
  };
  const Case cases[] = {
      {false, 512, kFront + kAnswers, false, 25, 0},  // 561 octets do not fit, 433 do
      {true, 512, kFront + kAnswers + 11, false, 25, 1}, {true, 571, kFront + kAnswers + 11, false, 25, 1},
      {true, 572, kFront + kAll + 11, false, 25, 9},     {true, 4096, kFront + kAll + 11, false, 25, 9},
  };
  for (const Case& c : cases) {
    MessageBuilder message = ask();
    if (c.edns) message.opt(c.payload);
    Exchange exchange(message);
    const Octets reply = exchange.reply(image, kBorn + 10);
    EXPECT_EQ(reply.size(), c.size) << c.payload;
    EXPECT_EQ((test::get16(reply, 2) & 0x200) != 0, c.truncated);
    EXPECT_EQ(test::get16(reply, 6), c.answers);
    EXPECT_EQ(test::get16(reply, 10), c.additionals);
    EXPECT_EQ(test::get32(reply, kFront + 6), 290U);
    EXPECT_EQ(test::get32(reply, kFront + kAnswers - 10), 290U);
  }
}

TEST(BuildFromEntry, TruncatedCarriesQuestionAndOptAlone) {
  MessageBuilder message = MessageBuilder().with_flags(0x81a0).question("www.example.com.", test::kA);
  for (unsigned i = 0; i < 40; ++i) message.record(1, kOwner, test::kA, 1, 300, kAddress);
  const auto image = test::entry_from_response(message.build());
  Exchange plain(ask());
  EXPECT_EQ(plain.reply(image),
            MessageBuilder().with_flags(0x8380).question("www.example.com.", test::kA).build());
  Exchange edns(ask().opt(512, true));
  EXPECT_EQ(test::to_hex(edns.reply(image)), test::to_hex(MessageBuilder()
                                                              .with_flags(0x8380)
                                                              .question("www.example.com.", test::kA)
                                                              .opt(1232, true)
                                                              .build()));
  Exchange tcp(ask(), Transport::Tcp);
  EXPECT_EQ(tcp.reply(image).size(), 12 + 21 + 40 * 16U);
}

TEST(BuildFromEntry, OwnLimitAndCapacityHoldToo) {
  MessageBuilder message = MessageBuilder().with_flags(0x8180).question("www.example.com.", test::kA);
  for (unsigned i = 0; i < 80; ++i) message.record(1, kOwner, test::kA, 1, 300, kAddress);
  const auto image = test::entry_from_response(message.build());
  Exchange generous(ask().opt(4096));  // 1,313 octets; we send 1,232
  EXPECT_EQ(test::get16(generous.reply(image), 2), 0x8380U);
  Exchange tcp(ask().opt(4096), Transport::Tcp);
  EXPECT_EQ(tcp.reply(image).size(), 12 + 21 + 80 * 16 + 11U);
  Exchange small(ask(), Transport::Tcp, 600);
  EXPECT_EQ(test::get16(small.reply(image), 2), 0x8380U);
  for (std::size_t capacity = 33; capacity < 60; ++capacity) {  // not even room for OPT, then only for that
    Exchange tiny(ask().opt(), Transport::Tcp, std::max<std::size_t>(capacity, 44));
    EXPECT_LE(tiny.reply(image).size(), 44U);
  }
}

TEST(BuildFromEntry, OptionsOfTheReply) {
  const auto image = mixed("a.");
  Exchange exchange(ask("a.").opt(1232, false, test::join({test::option(3, {}), test::option(11, {})})),
                    Transport::Tcp);
  exchange.query.server_cookie_due = true;
  exchange.query.edns.client_cookie.fill(std::byte{0xc1});
  exchange.query.reply_cookie.fill(std::byte{0x5e});
  const Octets reply = exchange.reply(image, kBorn + 1);
  const Octets options =
      test::join({test::option(10, test::join({Octets(8, std::byte{0xc1}), Octets(16, std::byte{0x5e})})),
                  test::option(11, hex("0064")), test::option(3, hex("6e31"))});
  Octets opt = hex("00 0029 04d0 00 00 0000");
  test::put16(opt, static_cast<unsigned>(options.size()));
  test::put(opt, options);
  EXPECT_EQ(test::to_hex(reply), test::to_hex(expected("a.", 0x8180, 1, opt)));
  Exchange udp(ask("a.").opt(1232, false, test::option(11, {})));
  EXPECT_EQ(udp.reply(image).size(), expected("a.", 0x8180, 0).size() + 11);  // keepalive is for TCP only
}

TEST(BuildFromEntry, FromASavedQuestion) {
  const auto image = mixed("www.example.com.");
  Exchange exchange(ask("WWW.example.com.").opt(1232, true));
  struct Saved {
    Transport transport;
    std::uint16_t id, flags, qtype;
    std::uint8_t qname_len;
    std::uint16_t limit;
    bool cookie_valid, server_cookie_due;
    std::array<std::byte, 16> reply_cookie;
    EdnsState edns;
    net::Address source;
    std::uint64_t hash;
    std::array<std::byte, 256> qname;
  } saved;
  save_query(exchange.query, saved);
  const Octets direct = exchange.reply(image, kBorn + 7);

  Octets fresh(1400, std::byte{0xaa});
  Query query;
  ASSERT_TRUE(restore_query(saved, fresh, query));
  const std::size_t length = build_from_entry(query, image.entry(), kBorn + 7, false, service());
  fresh.resize(length);
  EXPECT_EQ(test::to_hex(fresh), test::to_hex(direct));
  EXPECT_EQ(query.reply_sum, exchange.query.reply_sum);
}

}  // namespace
}  // namespace swarmdns::dns
