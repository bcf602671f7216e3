#include "dataplane/control/entry_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataplane/cache/origin_set.h"
#include "tests/unit/dataplane/control/sample_entries.h"

namespace swarmdns::control {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kNow = 2'000'000'500;  // ms of the cache clock; half a second past a full one

DecodeRules rules() {
  DecodeRules rules;
  rules.now_ms = kNow;
  rules.max_ttl_s = 86400;
  rules.stale_max_s = 3600;
  return rules;
}

TEST(EntryCodec, ComesBackAsItWent) {
  v1::CacheEntry message = a_entry("www.example.com");
  message.mutable_key()->set_dnssec_ok(true);
  message.mutable_key()->set_view(3);
  message.set_authenticated(true);
  message.set_ede(4);
  const auto image = from_message(message, rules());
  ASSERT_TRUE(image) << image.error().text;
  EXPECT_EQ(image->entry().born, 2'000'000U);
  EXPECT_EQ(image->entry().expires, 2'000'300U);
  v1::CacheEntry back;
  to_message(image->entry(), 2'000'000'000, back);
  EXPECT_EQ(back.SerializeAsString(), message.SerializeAsString());
}

TEST(EntryCodec, TimesAreRoundedSoThatNothingLivesLonger) {
  const auto image = from_message(a_entry("a.example"), rules()).value();
  v1::CacheEntry out;
  to_message(image.entry(), 2'000'010'001, out);
  EXPECT_EQ(out.age_s(), 11U);
  EXPECT_EQ(out.remaining_ms(), 289'999);
  // On another node, 1.5 s later by the wall clock.
  DecodeRules later = rules();
  later.elapsed_ms = 1500;
  const auto again = from_message(out, later).value();
  EXPECT_EQ(again.entry().expires, 2'000'287U) << "13 s of the record's 300 are gone";
  EXPECT_EQ(again.entry().born, 2'000'000U - 13);
}

TEST(EntryCodec, ExpiredIsStaleWithinItsTimeAndThenRefused) {
  v1::CacheEntry message = a_entry("a.example");
  message.set_age_s(400);
  message.set_remaining_ms(-100'000);
  const auto stale = from_message(message, rules());
  ASSERT_TRUE(stale) << stale.error().text;
  EXPECT_EQ(stale->entry().expires, 1'999'900U);
  DecodeRules later = rules();
  later.elapsed_ms = 3'500'000;
  const auto gone = from_message(message, later);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().fault, DecodeFault::Expired);
  DecodeRules strict = rules();
  strict.stale_max_s = 0;
  EXPECT_EQ(from_message(message, strict).error().fault, DecodeFault::Expired);
}

TEST(EntryCodec, RemainingLifeIsBoundByTheRecordsAndTheConfiguration) {
  v1::CacheEntry message = a_entry("a.example", 60);
  message.set_remaining_ms(1'000'000'000'000);
  EXPECT_EQ(from_message(message, rules()).value().entry().expires, 2'000'060U);
  message.set_age_s(20);
  EXPECT_EQ(from_message(message, rules()).value().entry().expires, 2'000'040U);
  DecodeRules strict = rules();
  strict.max_ttl_s = 10;
  EXPECT_EQ(from_message(message, strict).value().entry().expires, 2'000'010U);
}

TEST(EntryCodec, AbsurdTimesDoNoHarm) {
  v1::CacheEntry message = a_entry("a.example");
  message.set_remaining_ms(std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(from_message(message, rules()).error().fault, DecodeFault::Expired);
  message.set_remaining_ms(std::numeric_limits<std::int64_t>::max());
  message.set_age_s(std::numeric_limits<std::uint32_t>::max());
  EXPECT_EQ(from_message(message, rules()).error().fault, DecodeFault::Expired);
  DecodeRules later = rules();
  later.elapsed_ms = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(from_message(a_entry("a.example"), later).error().fault, DecodeFault::Expired);
}

TEST(EntryCodec, RefusalsNameTheField) {
  const auto fault = [](const std::function<void(v1::CacheEntry&)>& spoil) {
    v1::CacheEntry message = a_entry("a.example");
    spoil(message);
    const auto image = from_message(message, rules());
    EXPECT_FALSE(image);
    if (image) return std::string();
    EXPECT_EQ(image.error().fault, message.rcode() == 2 ? DecodeFault::Failure : DecodeFault::Malformed);
    return image.error().text;
  };
  EXPECT_THAT(fault([](auto& m) { m.mutable_key()->clear_qname(); }), HasSubstr("key.qname"));
  EXPECT_THAT(fault([](auto& m) { m.mutable_key()->set_qname("\3abc"); }), HasSubstr("name"));
  EXPECT_THAT(fault([](auto& m) { m.mutable_key()->set_qname(std::string("\1A\0", 3)); }), HasSubstr("name"));
  EXPECT_THAT(fault([](auto& m) { m.mutable_key()->set_qtype(65536 + 1); }), HasSubstr("key.qtype"));
  EXPECT_THAT(fault([](auto& m) { m.mutable_key()->set_qtype(0); }), testing::Not(""));
  EXPECT_THAT(fault([](auto& m) { m.mutable_key()->set_view(256); }), HasSubstr("key.view"));
  EXPECT_THAT(fault([](auto& m) { m.set_rcode(2); }), HasSubstr("rcode"));
  EXPECT_THAT(fault([](auto& m) { m.set_rcode(16); }), HasSubstr("rcode"));
  EXPECT_THAT(fault([](auto& m) { m.set_answers(2); }), testing::Not(""));
  EXPECT_THAT(fault([](auto& m) { m.set_answers(65537); }), HasSubstr("answers"));
  EXPECT_THAT(fault([](auto& m) { m.set_sections(m.sections().substr(0, 10)); }), testing::Not(""));
  EXPECT_THAT(fault([](auto& m) { m.set_sections(std::string(70000, 'x')); }), HasSubstr("sections"));
  // A pointer that goes forwards.
  EXPECT_THAT(fault([](auto& m) { m.mutable_sections()->replace(0, 2, be16(0xc020)); }), testing::Not(""));
}

TEST(EntryCodec, OfAnotherNodeNeitherADNorAViewIsTaken) {
  v1::CacheEntry message = a_entry("a.example");
  message.set_authenticated(true);
  message.mutable_origin()->set_node(3);
  message.mutable_origin()->set_sequence(1);
  const auto image = from_message(message, rules());
  ASSERT_TRUE(image) << image.error().text;
  EXPECT_EQ(image->entry().flags & cache::Entry::kAuthenticated, 0);
  message.mutable_key()->set_view(1);
  ASSERT_FALSE(from_message(message, rules()));
  EXPECT_EQ(from_message(message, rules()).error().fault, DecodeFault::View);
  message.mutable_origin()->set_node(0);
  EXPECT_NE(from_message(message, rules())->entry().flags & cache::Entry::kAuthenticated, 0);
}

TEST(EntryCodec, OriginsAreANodeAndItsNumber) {
  v1::CacheEntry message = a_entry("a.example");
  EXPECT_EQ(origin_of(message)->sequence, 0U);
  message.mutable_origin()->set_node(65535);
  EXPECT_THAT(origin_of(message).error().text, HasSubstr("origin.sequence"));
  message.mutable_origin()->set_sequence(cache::OriginSet::kMostNumber);
  EXPECT_EQ(origin_of(message)->node, 65535);
  EXPECT_EQ(origin_of(message)->sequence, cache::OriginSet::kMostNumber);
  message.mutable_origin()->set_sequence(cache::OriginSet::kMostNumber + 1);
  EXPECT_THAT(origin_of(message).error().text, HasSubstr("origin.sequence"));
  message.mutable_origin()->set_node(65536);
  EXPECT_THAT(origin_of(message).error().text, HasSubstr("origin.node"));
}

}  // namespace
}  // namespace swarmdns::control
