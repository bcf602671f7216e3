// Whole frames written out: what goes over the wire, to be read beside the RFCs. Checksums stand as 0 (or
// anything) in the text and are put in by the plain algorithm of bytes.h.
#include <gtest/gtest.h>

#include "tests/packet/harness/node.h"

namespace swarmdns::test {
namespace {

void store_example(Node& node) {
  const auto example = MessageBuilder()
                           .with_flags(0x8180)
                           .question("example.com.", kA)
                           .record(1, hex("c00c"), kA, kIn, 300, hex("c0000201"));
  node.store(example);
  node.store(example, cache::kKeyDnssecOk);
}

struct Golden {
  const char* what;
  const char* query;
  const char* reply;
};

const Golden kFrames[] = {
    {"A over IPv4, mixed case",
     R"(020000000053 0200000000c1 0800                          # Ethernet
        4500 0039 beef 4000 39 11 6b31 0a350164 0a350101        # IPv4: 57 octets, DF, TTL 57
        9c40 0035 0025 dead                                     # UDP: 40000 to 53; see below
        1234 0100 0001 0000 0000 0000                           # RD
        07 4578616d706c65 03 434f4d 00 0001 0001)",
     R"(0200000000c1 020000000053 0800
        4500 0049 0000 4000 40 11 0000 0a350101 0a350164        # no identification, DF, TTL 64
        0035 9c40 0035 0000
        1234 8180 0001 0001 0000 0000                           # QR RD RA
        07 4578616d706c65 03 434f4d 00 0001 0001                # the case is the client's
        c00c 0001 0001 0000012c 0004 c0000201)"},
    {"A over IPv6 with EDNS and DO, two VLAN tags, padded",
     R"(020000000053 0200000000c1 88a8 0007 8100 0064 86dd
        6000 0000 0030 11 39 20010db8000100000000000000000077 fd530001000000000000000000000001
        9c40 0035 0030 dead
        1234 0120 0001 0000 0000 0001
        07 6578616d706c65 03 636f6d 00 0001 0001
        00 0029 04d0 00 00 8000 0000
        0000000000)",
     R"(0200000000c1 020000000053 88a8 0007 8100 0064 86dd
        6000 0000 0040 11 40 fd530001000000000000000000000001 20010db8000100000000000000000077
        0035 9c40 0040 0000
        1234 8180 0001 0001 0000 0001
        07 6578616d706c65 03 636f6d 00 0001 0001
        c00c 0001 0001 0000012c 0004 c0000201
        00 0029 04d0 00 00 8000 0000)"},
};

struct Layout {
  std::size_t ip;
  bool v6;
  std::size_t udp() const { return ip + (v6 ? 40 : 20); }
};

Layout layout_of(const Octets& frame) {
  std::size_t at = 12;
  while (get16(frame, at) == 0x8100 || get16(frame, at) == 0x88a8) at += 4;
  return {at + 2, get16(frame, at) == 0x86dd};
}

// Puts the right checksums into a frame whose text leaves them open, by the plain algorithm.
Octets with_checksums(Octets frame) {
  const Layout layout = layout_of(frame);
  const auto set = [&frame](std::size_t at, unsigned value) {
    frame[at] = static_cast<std::byte>(value >> 8);
    frame[at + 1] = static_cast<std::byte>(value & 0xff);
  };
  const std::size_t udp = layout.udp();
  const std::size_t addresses = layout.v6 ? layout.ip + 8 : layout.ip + 12;
  if (!layout.v6) {
    set(layout.ip + 10, 0);
    set(layout.ip + 10, internet_checksum(std::span(frame).subspan(layout.ip, 20)));
  }
  const unsigned length = get16(frame, udp + 4);
  Octets summed(frame.begin() + static_cast<std::ptrdiff_t>(addresses),
                frame.begin() + static_cast<std::ptrdiff_t>(udp));
  put16(summed, 17);
  put16(summed, length);
  set(udp + 6, 0);
  put(summed, std::span(frame).subspan(udp, length));
  set(udp + 6, internet_checksum(summed));
  return frame;
}

TEST(Golden, Frames) {
  for (const Golden& golden : kFrames) {
    Node node;
    store_example(node);
    const Octets query = with_checksums(hex(golden.query));
    const Node::Result result = node.receive(query);
    ASSERT_EQ(result.fate, worker::Fate::Reply) << golden.what;
    EXPECT_EQ(to_hex(result.reply), to_hex(with_checksums(hex(golden.reply)))) << golden.what;
  }
}

// The same frame with a checksum of 0 in IPv4: the reply has one all the same.
TEST(Golden, ReplyToAQueryWithoutChecksum) {
  Node node;
  store_example(node);
  Octets query = with_checksums(hex(kFrames[0].query));
  query[40] = query[41] = std::byte{0};
  const Node::Result result = node.receive(query);
  ASSERT_EQ(result.fate, worker::Fate::Reply);
  EXPECT_EQ(to_hex(result.reply), to_hex(with_checksums(hex(kFrames[0].reply))));
}

}  // namespace
}  // namespace swarmdns::test
