#include "dataplane/dns/query.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>

#include "proto/dns/types.h"
#include "tests/packet/harness/message.h"

namespace swarmdns::dns {
namespace {

using test::hex;
using test::MessageBuilder;
using test::Octets;
using test::option;

// A parsed query with memory of exactly the message's size, so that a sanitizer sees a read behind it.
struct Parsed {
  std::unique_ptr<std::byte[]> memory;
  Query query;

  explicit Parsed(const Octets& message, Transport transport = Transport::Udp)
      : memory(std::make_unique<std::byte[]>(message.size())) {
    std::copy(message.begin(), message.end(), memory.get());
    query.folded.fill(std::byte{0xee});
    parse_query({memory.get(), message.size()}, static_cast<std::uint16_t>(message.size()), transport, query);
  }
  const Query* operator->() const { return &query; }
};

Octets plain(std::string_view name, unsigned type = test::kA, unsigned klass = test::kIn) {
  return MessageBuilder().question(name, type, klass).build();
}

Octets with_options(const Octets& options) {
  return MessageBuilder().question("example.com.", test::kA).opt(1232, false, options).build();
}

void expect_status(const Octets& message, Rcode rcode, bool edns, bool question) {
  const Parsed parsed(message);
  EXPECT_EQ(parsed->action, Action::Status);
  EXPECT_EQ(parsed->rcode, to_u16(rcode));
  EXPECT_EQ(parsed->edns.present, edns);
  EXPECT_EQ(parsed->has_question(), question);
}

TEST(Query, Plain) {
  const Octets message = plain("WwW.eXample.COM.", test::kAaaa);
  const Parsed parsed(message);
  EXPECT_EQ(parsed->action, Action::Lookup);
  EXPECT_EQ(parsed->qtype, test::kAaaa);
  EXPECT_EQ(parsed->qclass, test::kIn);
  EXPECT_EQ(parsed->question_end, message.size());
  EXPECT_TRUE(parsed->recursion_desired());
  EXPECT_FALSE(parsed->edns.present);
  EXPECT_EQ(parsed->limit, 512);
  const Octets folded = test::wire_name("www.example.com.");
  ASSERT_EQ(parsed->qname_len, folded.size());
  EXPECT_EQ(test::to_hex(std::span(parsed->folded).first(folded.size())), test::to_hex(folded));
  EXPECT_EQ(parsed->key().flags, 0);
  EXPECT_EQ(parsed->key().qtype, test::kAaaa);
}

// Every length of name: folded right, zeros behind, and the question's sum is that of the plain algorithm.
TEST(Query, NamesOfEveryLength) {
  std::mt19937 random(3);
  for (unsigned length = 1; length <= 255; ++length) {
    if (length == 2) continue;  // no such name
    Octets name;
    unsigned left = length - 1;
    while (left > 0) {
      unsigned label = left == 64 ? 31 : std::min(left - 1, 63U);
      if (left - 1 - label == 1) --label;  // never leave a single octet, in which no label fits
      test::put8(name, label);
      for (unsigned i = 0; i < label; ++i) test::put8(name, random() & 0xff);
      left -= 1 + label;
    }
    test::put8(name, 0);
    ASSERT_EQ(name.size(), length);
    Octets body = name;
    test::put(body, hex("001c0001"));
    const Parsed parsed(MessageBuilder().count(0, 1).raw(body).build());
    ASSERT_EQ(parsed->action, Action::Lookup) << length;
    ASSERT_EQ(parsed->qname_len, length);
    for (unsigned i = 0; i < (length + 7) / 8 * 8; ++i) {
      unsigned expected = i < length ? std::to_integer<unsigned>(name[i]) : 0;
      if (expected >= 'A' && expected <= 'Z') expected += 32;
      ASSERT_EQ(std::to_integer<unsigned>(parsed->folded[i]), expected) << length << " at " << i;
    }
    const unsigned plain_sum = ~test::internet_checksum(body) & 0xffff;
    ASSERT_EQ(__builtin_bswap16(parsed->question_sum) % 0xffff, plain_sum % 0xffff) << length;
  }
}

TEST(Query, NameFaults) {
  const auto fault = [](const char* body) {
    expect_status(MessageBuilder().count(0, 1).raw(hex(body)).build(), Rcode::FormErr, false, false);
  };
  fault("");
  fault("00");
  fault("00 0001 00");
  fault("c00c 0001 0001");             // compressed
  fault("03777777 c010 0001 0001");    // half compressed
  fault("41 0001 0001 000000000000");  // label type 01
  fault("80 0001 0001 000000000000");  // label type 10
  fault("3f 6161");                    // runs out
  fault("0161 0161 0161 01");
  Octets long_name;
  for (unsigned i = 0; i < 127; ++i) test::put(long_name, hex("0161"));
  Octets longest = long_name;
  test::put(longest, hex("00 0001 0001"));
  EXPECT_EQ(Parsed(MessageBuilder().count(0, 1).raw(longest).build())->action, Action::Lookup);  // 255
  test::put(long_name, hex("0161 00 0001 0001"));
  expect_status(MessageBuilder().count(0, 1).raw(long_name).build(), Rcode::FormErr, false, false);
}

TEST(Query, DroppedUnanswered) {
  const auto reason = [](const Octets& message) {
    const Parsed parsed(message);
    EXPECT_EQ(parsed->action, Action::Drop);
    return parsed->reason;
  };
  EXPECT_EQ(reason({}), stats::Counter::DropShortMessage);
  EXPECT_EQ(reason(Octets(11)), stats::Counter::DropShortMessage);
  EXPECT_EQ(reason(MessageBuilder().with_flags(0x8100).question("a.", 1).build()),
            stats::Counter::DropResponse);
  EXPECT_EQ(reason(MessageBuilder().with_flags(0xa800).build()), stats::Counter::DropResponse);
}

TEST(Query, OtherOpcodesAreNotImplemented) {
  for (unsigned opcode = 1; opcode < 16; ++opcode) {
    expect_status(MessageBuilder().with_flags(opcode << 11).question("a.", 6).build(), Rcode::NotImp, false,
                  false);
  }
  expect_status(MessageBuilder().with_flags(0x3000).build(), Rcode::NotImp, false, false);
}

TEST(Query, QuestionCounts) {
  expect_status(MessageBuilder().build(), Rcode::FormErr, false, false);
  expect_status(MessageBuilder().question("a.", 1).question("b.", 1).build(), Rcode::FormErr, false, false);
  expect_status(MessageBuilder().question("a.", 1).count(0, 0xffff).build(), Rcode::FormErr, false, false);
  expect_status(MessageBuilder().question("a.", 1).count(0, 0x0100).build(), Rcode::FormErr, false, false);
}

TEST(Query, CookieProbe) {
  const Parsed parsed(MessageBuilder().opt(1232, false, option(10, hex("0102030405060708"))).build());
  EXPECT_EQ(parsed->action, Action::Status);
  EXPECT_EQ(parsed->rcode, 0);
  EXPECT_TRUE(parsed->cookie_probe);
  EXPECT_TRUE(parsed->edns.present);
  expect_status(MessageBuilder().opt().build(), Rcode::FormErr, true, false);
  expect_status(MessageBuilder().opt(1232, false, {}, 1).build(), Rcode::BadVers, true, false);
}

TEST(Query, RecordsThatAQueryDoesNotHave) {
  const auto a = hex("c0000201");
  const auto root = hex("00");
  expect_status(MessageBuilder().question("a.", 1).record(1, root, 1, 1, 0, a).build(), Rcode::FormErr, false,
                false);
  expect_status(MessageBuilder().question("a.", 1).record(2, root, 1, 1, 0, a).build(), Rcode::FormErr, false,
                false);
  expect_status(MessageBuilder().question("a.", 1).record(3, root, 1, 1, 0, a).build(), Rcode::FormErr, false,
                true);
  expect_status(MessageBuilder().question("a.", 1).opt().opt().build(), Rcode::FormErr, false, false);
  // TSIG alone, and behind OPT.
  expect_status(MessageBuilder().question("a.", 1).record(3, root, 250, 255, 0, a).build(), Rcode::FormErr,
                false, true);
  expect_status(MessageBuilder().question("a.", 1).opt().record(3, root, 250, 255, 0, a).build(),
                Rcode::FormErr, false, false);
  // OPT with an owner other than the root.
  expect_status(MessageBuilder().question("a.", 1).record(3, hex("016100"), 41, 1232, 0, {}).build(),
                Rcode::FormErr, false, true);
  expect_status(MessageBuilder().question("a.", 1).record(3, hex("c00c"), 41, 1232, 0, {}).build(),
                Rcode::FormErr, false, true);
}

TEST(Query, TrailingOctetsAreIgnored) {
  Octets message = plain("example.com.");
  const std::size_t end = message.size();
  test::put(message, hex("deadbeef"));
  const Parsed parsed(message);
  EXPECT_EQ(parsed->action, Action::Lookup);
  EXPECT_EQ(parsed->question_end, end);
  Octets edns = MessageBuilder().question("example.com.", 1).opt().build();
  test::put(edns, hex("00"));
  EXPECT_EQ(Parsed(edns)->action, Action::Lookup);
}

TEST(Query, Edns) {
  const Parsed parsed(MessageBuilder().question("a.", 1).opt(4096, true).build());
  EXPECT_TRUE(parsed->edns.present);
  EXPECT_TRUE(parsed->edns.dnssec_ok);
  EXPECT_EQ(parsed->limit, 4096);
  EXPECT_EQ(parsed->key().flags, cache::kKeyDnssecOk);
  EXPECT_EQ(Parsed(MessageBuilder().question("a.", 1).opt(0).build())->limit, 512);
  EXPECT_EQ(Parsed(MessageBuilder().question("a.", 1).opt(511).build())->limit, 512);
  EXPECT_EQ(Parsed(MessageBuilder().question("a.", 1).opt(65535).build())->limit, 65535);
  EXPECT_EQ(Parsed(MessageBuilder().question("a.", 1).opt(512).build(), Transport::Tcp)->limit, 65535);
}

TEST(Query, EveryCutOptIsFormErr) {
  const Octets whole = with_options(option(3, hex("")));
  const std::size_t question_end = plain("example.com.").size();
  for (std::size_t length = question_end; length < whole.size(); ++length) {
    expect_status(Octets(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)), Rcode::FormErr,
                  false, true);
  }
}

TEST(Query, CheckingDisabledIsInTheKey) {
  EXPECT_EQ(Parsed(MessageBuilder().with_flags(0x0110).question("a.", 1).build())->key().flags,
            cache::kKeyCheckingDisabled);
  EXPECT_EQ(
      Parsed(MessageBuilder().with_flags(0x0110).question("a.", 1).opt(1232, true).build())->key().flags,
      cache::kKeyCheckingDisabled | cache::kKeyDnssecOk);
}

TEST(Query, BitsOfTheHeaderThatDoNotMatter) {
  // AA, TC, RA, Z, AD and an rcode in a query.
  const Parsed parsed(MessageBuilder().with_flags(0x07ef).question("a.", 1).build());
  EXPECT_EQ(parsed->action, Action::Lookup);
  EXPECT_TRUE(parsed->authentic_data());
}

TEST(Query, UnknownEdnsVersion) {
  expect_status(MessageBuilder().question("a.", 1).opt(1232, false, {}, 1).build(), Rcode::BadVers, true,
                true);
  expect_status(MessageBuilder().question("a.", 1).opt(1232, false, hex("ffff"), 255).build(), Rcode::BadVers,
                true, true);
}

TEST(Query, Options) {
  const Parsed parsed(with_options(
      test::join({option(8, hex("00011800c00002")), option(3, {}), option(11, {}), option(12, Octets(40)),
                  option(65001, hex("00")), option(10, hex("0102030405060708"))})));
  EXPECT_EQ(parsed->action, Action::Lookup);
  EXPECT_TRUE(parsed->edns.nsid);
  EXPECT_TRUE(parsed->edns.keepalive);
  EXPECT_TRUE(parsed->edns.padding);
  EXPECT_EQ(parsed->edns.client_cookie_len, 8);
  EXPECT_EQ(parsed->edns.server_cookie_len, 0);
  EXPECT_EQ(test::to_hex(std::span(parsed->edns.client_cookie)), "01 02 03 04 05 06 07 08");
}

TEST(Query, CookieLengths) {
  for (unsigned length = 0; length <= 48; ++length) {
    const bool good = length == 8 || (length >= 16 && length <= 40);
    const Octets message = with_options(option(10, Octets(length, std::byte{7})));
    if (good) {
      const Parsed parsed(message);
      EXPECT_EQ(parsed->action, Action::Lookup) << length;
      EXPECT_EQ(parsed->edns.server_cookie_len, length - 8);
    } else {
      expect_status(message, Rcode::FormErr, false, true);
    }
  }
}

TEST(Query, FirstOfTwoCookiesCounts) {
  const Parsed parsed(
      with_options(test::join({option(10, hex("0102030405060708")), option(10, Octets(24))})));
  EXPECT_EQ(parsed->edns.server_cookie_len, 0);
  EXPECT_EQ(test::to_hex(std::span(parsed->edns.client_cookie)), "01 02 03 04 05 06 07 08");
}

TEST(Query, OptionsThatRunOver) {
  expect_status(with_options(hex("0003")), Rcode::FormErr, false, true);
  expect_status(with_options(hex("000300")), Rcode::FormErr, false, true);
  expect_status(with_options(hex("00030001")), Rcode::FormErr, false, true);
  expect_status(with_options(hex("0003ffff")), Rcode::FormErr, false, true);
  expect_status(with_options(hex("00030000 00")), Rcode::FormErr, false, true);
}

TEST(Query, NothingIsLeftOfTheQueryBefore) {
  Octets first = MessageBuilder()
                     .with_flags(0x0110)
                     .question("first.example.", 28)
                     .opt(4096, true,
                          test::join({option(3, {}), option(10, Octets(24)), option(11, {}), option(12, {})}))
                     .build();
  Query query;
  parse_query(first, static_cast<std::uint16_t>(first.size()), Transport::Udp, query);
  query.cookie_valid = query.server_cookie_due = true;
  query.ede = 4;
  query.reply_sum = 1;
  Octets second = plain("b.");
  parse_query(second, static_cast<std::uint16_t>(second.size()), Transport::Udp, query);
  EXPECT_FALSE(query.edns.present || query.edns.dnssec_ok || query.edns.nsid || query.edns.keepalive ||
               query.edns.padding);
  EXPECT_EQ(query.edns.client_cookie_len + query.edns.server_cookie_len, 0);
  EXPECT_FALSE(query.cookie_valid || query.server_cookie_due || query.cookie_probe);
  EXPECT_EQ(query.ede, 0);
  EXPECT_EQ(query.rcode, 0);
  EXPECT_EQ(query.limit, 512);
  EXPECT_EQ(query.reply_sum, net::kUnknownSum);
  EXPECT_EQ(query.key().flags, 0);
}

TEST(Query, TypesAndClasses) {
  const auto outcome = [](unsigned type, unsigned klass) {
    const Parsed parsed(plain("example.com.", type, klass));
    return std::tuple(parsed->action, parsed->rcode, parsed->ede);
  };
  const auto lookup = std::tuple(Action::Lookup, 0, 0);
  const auto refused = std::tuple(Action::Status, 5, 0);
  const auto meta = std::tuple(Action::Status, 1, 31);  // FORMERR, EDE 30
  for (const unsigned type :
       {1U, 2U, 12U, 28U, 33U, 43U, 46U, 48U, 64U, 65U, 99U, 127U, 256U, 257U, 32769U, 65534U}) {
    EXPECT_EQ(outcome(type, 1), lookup) << type;
  }
  for (const unsigned type : {0U, 41U, 128U, 200U, 249U, 250U, 253U, 254U})
    EXPECT_EQ(outcome(type, 1), meta) << type;
  EXPECT_EQ(outcome(252, 1), std::tuple(Action::Status, 5, 19));  // AXFR: REFUSED, EDE 18
  EXPECT_EQ(outcome(251, 1), std::tuple(Action::Status, 5, 19));
  EXPECT_EQ(std::get<0>(outcome(255, 1)), Action::AnyHinfo);
  EXPECT_EQ(std::get<0>(outcome(16, 3)), Action::Chaos);
  for (const unsigned klass : {0U, 2U, 4U, 254U, 255U, 256U, 65535U})
    EXPECT_EQ(outcome(1, klass), refused) << klass;
  EXPECT_EQ(outcome(255, 255), refused);
}

TEST(Query, SavedAndRestored) {
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
  };
  for (const char* name : {".", "a.", "WwW.Example.coM.", "abcdefg.hijklmn."}) {
    const Octets message = MessageBuilder().with_flags(0x0130).question(name, 28).opt(1400, true).build();
    Parsed parsed(message);
    parsed.query.source = *net::Address::parse("192.0.2.7");
    parsed.query.hash = 99;
    parsed.query.server_cookie_due = true;
    Saved saved;
    save_query(parsed.query, saved);
    Octets fresh(600, std::byte{0xaa});
    Query query;
    ASSERT_TRUE(restore_query(saved, fresh, query));
    EXPECT_EQ(query.action, Action::Lookup);
    EXPECT_EQ(query.question_end, parsed->question_end);
    EXPECT_EQ(query.question_sum, parsed->question_sum);
    EXPECT_EQ(query.id, parsed->id);
    EXPECT_EQ(query.flags, 0x0130);
    EXPECT_EQ(query.limit, 1400);
    EXPECT_TRUE(query.edns.dnssec_ok && query.server_cookie_due);
    EXPECT_EQ(query.hash, 99U);
    EXPECT_EQ(query.source, parsed->source);
    EXPECT_TRUE(std::equal(fresh.begin() + 12, fresh.begin() + query.question_end, message.begin() + 12));
    Octets small(query.question_end - 1U);
    EXPECT_FALSE(restore_query(saved, small, query));
  }
}

}  // namespace
}  // namespace swarmdns::dns
