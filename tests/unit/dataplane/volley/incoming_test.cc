#include "dataplane/volley/incoming.h"

#include <gtest/gtest.h>

#include "tests/unit/dataplane/volley/support.h"

namespace swarmdns::volley {
namespace {

using test::FrameBuilder;
using test::Octets;

IncomingRules rules() {
  return {.own_mac = support::kOwnMac,
          .target_v4 = net::Address::parse("10.53.1.1"),
          .target_v6 = net::Address::parse("fd53:1::1")};
}

// As the server sends it.
FrameBuilder reply(bool v6) {
  FrameBuilder frame;
  frame.destination_mac = test::kClientMac;
  frame.source_mac = test::kServerMac;
  frame.source = v6 ? "fd53:1::1" : "10.53.1.1";
  frame.destination = v6 ? "fd53:1:1::7" : "10.53.1.70";
  frame.source_port = 53;
  frame.destination_port = 50123;
  frame.payload = Octets(33, std::byte{0x5a});
  return frame;
}

FrameKind kind_of(const FrameBuilder& frame, bool good = false) {
  return classify(frame.build(), rules(), good).kind;
}

TEST(Incoming, FindsTheDatagram) {
  for (const bool v6 : {false, true}) {
    FrameBuilder frame = reply(v6);
    frame.padding = Octets(7, std::byte{0xee});
    const Octets octets = frame.build();
    const Incoming in = classify(octets, rules(), false);
    ASSERT_EQ(in.kind, FrameKind::Datagram);
    EXPECT_EQ(in.v6, v6);
    EXPECT_EQ(in.port, 50123);
    EXPECT_EQ(Octets(in.message.begin(), in.message.end()), frame.payload);
    const Octets to = test::address(frame.destination);
    EXPECT_TRUE(std::equal(to.begin(), to.end(), in.destination));
  }
}

TEST(Incoming, TakesIpv4Options) {
  FrameBuilder frame = reply(false);
  frame.ip_options = test::hex("01010101");
  EXPECT_EQ(kind_of(frame), FrameKind::Datagram);
}

TEST(Incoming, VerifiesChecksums) {
  for (const bool v6 : {false, true}) {
    FrameBuilder frame = reply(v6);
    frame.udp_checksum = 0x1234;
    EXPECT_EQ(kind_of(frame), FrameKind::BadChecksum);
    EXPECT_EQ(kind_of(frame, true), FrameKind::Datagram);  // the NIC knows better
    IncomingRules lax = rules();
    lax.verify_checksums = false;
    EXPECT_EQ(classify(frame.build(), lax, false).kind, FrameKind::Datagram);
    frame.udp_checksum = 0;
    EXPECT_EQ(kind_of(frame), v6 ? FrameKind::BadChecksum : FrameKind::Datagram);
  }
  FrameBuilder frame = reply(false);
  frame.ip_checksum = 0x1234;
  EXPECT_EQ(kind_of(frame), FrameKind::BadChecksum);
}

TEST(Incoming, PassesOverWhatIsNotOurs) {
  FrameBuilder frame = reply(false);
  frame.source = "10.53.1.2";
  EXPECT_EQ(kind_of(frame), FrameKind::Other);
  frame = reply(true);
  frame.source = "fd53:1::2";
  EXPECT_EQ(kind_of(frame), FrameKind::Other);
  frame = reply(false);
  frame.source_port = 54;
  EXPECT_EQ(kind_of(frame), FrameKind::Other);
  frame = reply(false);
  frame.destination_mac = test::hex("020000000099");
  EXPECT_EQ(kind_of(frame), FrameKind::Other);
  frame = reply(false);
  frame.protocol = 6;
  EXPECT_EQ(kind_of(frame), FrameKind::Other);
  frame = reply(false);
  frame.fragment = 0x2000;
  EXPECT_EQ(kind_of(frame), FrameKind::Fragment);
}

TEST(Incoming, WantsItsVlanAndNoOther) {
  FrameBuilder frame = reply(true);
  frame.tags = {{0x8100, 0x6064}};  // priority 3, VLAN 100
  EXPECT_EQ(kind_of(frame), FrameKind::Other);
  IncomingRules tagged = rules();
  tagged.vlan = 100;
  EXPECT_EQ(classify(frame.build(), tagged, false).kind, FrameKind::Datagram);
  tagged.vlan = 101;
  EXPECT_EQ(classify(frame.build(), tagged, false).kind, FrameKind::Other);
  frame.tags.clear();
  EXPECT_EQ(classify(frame.build(), tagged, false).kind, FrameKind::Other);
}

TEST(Incoming, LengthsAreBelievedOnlyInsideTheFrame) {
  for (const bool v6 : {false, true}) {
    for (const unsigned length : {0U, 7U, 42U, 65535U}) {
      FrameBuilder frame = reply(v6);
      frame.udp_length = length;
      const auto kind = kind_of(frame, true);
      EXPECT_EQ(kind, FrameKind::Other) << length;
    }
    FrameBuilder frame = reply(v6);
    frame.ip_length = 500;
    EXPECT_EQ(kind_of(frame, true), FrameKind::Other);
    const Octets whole = reply(v6).build();
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const Octets cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_EQ(classify(cut, rules(), true).kind, FrameKind::Other) << size;
    }
  }
}

}  // namespace
}  // namespace swarmdns::volley
