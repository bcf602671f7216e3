#include <gtest/gtest.h>

#include "dataplane/net/frame.h"
#include "tests/packet/harness/frame.h"

namespace swarmdns::net {
namespace {

using test::FrameBuilder;
using test::Octets;

const PortIdentity& port() {
  static const PortIdentity identity({.mac = {2, 0, 0, 0, 0, 0x53},
                                      .service = {*Address::parse("10.53.1.1"), *Address::parse("fd53:1::1")},
                                      .local = {},
                                      .martians = {}});
  return identity;
}

std::vector<FrameBuilder> kinds() {
  FrameBuilder v4;
  v4.payload = Octets(30, std::byte{0x5a});
  FrameBuilder v6 = v4;
  v6.source = "2001:db8::7";
  v6.destination = "fd53:1::1";
  std::vector<FrameBuilder> out{v4, v6};
  for (FrameBuilder frame : {v4, v6}) {
    frame.tags = {{0x88a8, 0x6007}, {0x8100, 0xe064}};
    frame.udp_checksum.reset();
    out.push_back(frame);
  }
  FrameBuilder absent = v4;
  absent.udp_checksum = 0;
  out.push_back(absent);
  return out;
}

Octets reply_message(std::size_t length) {
  Octets message(length);
  for (std::size_t i = 0; i < length; ++i) message[i] = static_cast<std::byte>(i * 37 + 11);
  return message;
}

TEST(TurnAround, RepliesOfEveryLengthAreRight) {
  for (const FrameBuilder& query : kinds()) {
    for (std::size_t length = 12; length < 1300; length += length < 80 ? 1 : 97) {
      Octets frame = query.build();
      FrameInfo info;
      ASSERT_EQ(parse_frame(frame, port(), false, info), Verdict::FastPath);
      frame.resize(2048, std::byte{0xcc});
      const Octets message = reply_message(length);
      std::copy(message.begin(), message.end(), frame.begin() + info.payload);
      for (const std::uint32_t sum : {kUnknownSum, std::uint32_t{sum_bytes(message.data(), length)}}) {
        Octets reply = frame;
        const std::size_t size = finish_reply(reply, info, length, sum);
        reply.resize(size);
        const auto checked = test::check_reply(query, reply);
        EXPECT_EQ(checked.fault, "") << length;
        EXPECT_EQ(checked.message, message);
      }
    }
  }
}

// A computed checksum of 0 goes out as 0xFFFF (RFC 768; for IPv6 a 0 would even be dropped).
TEST(TurnAround, ChecksumIsNeverZero) {
  for (const FrameBuilder& query : kinds()) {
    Octets frame = query.build();
    FrameInfo info;
    ASSERT_EQ(parse_frame(frame, port(), false, info), Verdict::FastPath);
    frame.resize(2048);
    unsigned seen = 0;
    for (unsigned word = 0; word <= 0xffff; ++word) {  // one of these makes the sum come out all ones
      frame[info.payload] = static_cast<std::byte>(word >> 8);
      frame[info.payload + 1] = static_cast<std::byte>(word);
      std::fill(frame.begin() + info.payload + 2, frame.begin() + info.payload + 12, std::byte{0});
      Octets reply(frame.begin(), frame.begin() + info.payload + 12);
      finish_reply(reply, info, 12);
      const unsigned checksum = test::get16(reply, info.l4 + 6U);
      ASSERT_NE(checksum, 0U);
      if (checksum == 0xffff) {
        ++seen;
        EXPECT_EQ(test::check_reply(query, reply).fault, "");
      }
    }
    EXPECT_GE(seen, 1U);
  }
}

TEST(TurnAround, ReplyInAnotherBuffer) {
  for (const FrameBuilder& query : kinds()) {
    const Octets frame = query.build();
    FrameInfo info;
    ASSERT_EQ(parse_frame(frame, port(), false, info), Verdict::FastPath);
    std::array<std::byte, kMaxHeaders> saved;
    const std::size_t saved_len = save_headers(frame, info, saved);
    ASSERT_EQ(saved_len, info.payload);

    Octets fresh(1514, std::byte{0xaa});
    ASSERT_TRUE(restore_headers(std::span(saved).first(saved_len), fresh));
    const Octets message = reply_message(77);
    std::copy(message.begin(), message.end(), fresh.begin() + info.payload);
    fresh.resize(finish_reply(fresh, info, message.size()));
    const auto checked = test::check_reply(query, fresh);
    EXPECT_EQ(checked.fault, "");
    EXPECT_EQ(checked.message, message);
  }
}

TEST(TurnAround, HeadersThatDoNotFitAreRefused) {
  const FrameBuilder query = kinds()[3];
  const Octets frame = query.build();
  FrameInfo info;
  ASSERT_EQ(parse_frame(frame, port(), false, info), Verdict::FastPath);
  EXPECT_EQ(info.payload, kMaxHeaders);
  std::array<std::byte, kMaxHeaders - 1> small;
  EXPECT_EQ(save_headers(frame, info, small), 0U);
  Octets tiny(kMaxHeaders - 1);
  EXPECT_FALSE(restore_headers(std::span(frame).first(kMaxHeaders), tiny));
}

}  // namespace
}  // namespace swarmdns::net
