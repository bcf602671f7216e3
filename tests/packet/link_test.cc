// Odd frames around a good query: which are answered, which go to the kernel, which are dropped under which
// name.
#include <gtest/gtest.h>

#include <functional>

#include "tests/packet/harness/node.h"

namespace swarmdns::test {
namespace {

using stats::Counter;

MessageBuilder ask() {
  return MessageBuilder().question("example.com.", kA);
}
MessageBuilder answered() {
  return MessageBuilder()
      .with_flags(0x8180)
      .question("example.com.", kA)
      .record(1, hex("c00c"), kA, kIn, 300, hex("c0000201"));
}

using Change = std::function<void(FrameBuilder&)>;

struct LinkTest : testing::Test {
  LinkTest() { node.store(answered()); }
  static FrameBuilder v4(const Change& change = {}) {
    FrameBuilder frame = over_ipv4(ask().build());
    if (change) change(frame);
    return frame;
  }
  static FrameBuilder v6(const Change& change = {}) {
    FrameBuilder frame = over_ipv6(ask().build());
    if (change) change(frame);
    return frame;
  }
  Node node;
};

TEST_F(LinkTest, Answered) {
  struct Case {
    const char* what;
    Change change;
    bool ipv6_too = true;
  };
  const Case cases[] = {
      {"plain", {}},
      {"one VLAN tag",
       [](auto& f) {
         f.tags = {{0x8100, 0x0064}};
       }},
      {"priority tag",
       [](auto& f) {
         f.tags = {{0x8100, 0xe000}};
       }},
      {"802.1ad tag",
       [](auto& f) {
         f.tags = {{0x88a8, 0x0064}};
       }},
      {"QinQ",
       [](auto& f) {
         f.tags = {{0x88a8, 0x0007}, {0x8100, 0x0064}};
       }},
      {"802.1Q twice",
       [](auto& f) {
         f.tags = {{0x8100, 0x0007}, {0x8100, 0x0064}};
       }},
      {"padding", [](auto& f) { f.padding = Octets(18, std::byte{0}); }},
      {"trailer of the link layer", [](auto& f) { f.padding = hex("deadbeef"); }},
      {"TTL 1", [](auto& f) { f.ttl = 1; }},
      {"low source port", [](auto& f) { f.source_port = 1; }},
      {"source port 53", [](auto& f) { f.source_port = 53; }},
      {"no DF", [](auto& f) { f.fragment = 0; }, false},
      {"no UDP checksum", [](auto& f) { f.udp_checksum = 0; }, false},
      {"UDP shorter than IP",
       [](auto& f) {
         f.ip_length = static_cast<unsigned>((f.ipv6() ? 0 : 20) + 8 + f.payload.size() + 3);
         f.padding = hex("aabbcc");
       }},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    expect_reply(node, v4(c.change), answered().build());
    if (c.ipv6_too) expect_reply(node, v6(c.change), answered().build());
  }
}

TEST_F(LinkTest, Dropped) {
  struct Case {
    const char* what;
    Change change;
    Counter v4;
    Counter v6;
  };
  const Case cases[] = {
      {"foreign MAC", [](auto& f) { f.destination_mac = hex("020000000001"); }, Counter::DropForeignMac,
       Counter::DropForeignMac},
      {"broadcast MAC", [](auto& f) { f.destination_mac = hex("ffffffffffff"); }, Counter::DropForeignMac,
       Counter::DropForeignMac},
      {"three tags",
       [](auto& f) {
         f.tags = {{0x88a8, 1}, {0x8100, 2}, {0x8100, 3}};
       },
       Counter::DropVlanDepth, Counter::DropVlanDepth},
      {"LLDP", [](auto& f) { f.ethertype = 0x88cc; }, Counter::DropEtherType, Counter::DropEtherType},
      {"IP version", [](auto& f) { f.version = 7; }, Counter::DropIpVersion, Counter::DropIpVersion},
      {"IP length beyond the frame", [](auto& f) { f.ip_length = 1000; }, Counter::DropRunt,
       Counter::DropRunt},
      {"UDP length beyond IP", [](auto& f) { f.udp_length = 500; }, Counter::DropUdpLength,
       Counter::DropUdpLength},
      {"UDP length 0", [](auto& f) { f.udp_length = 0; }, Counter::DropUdpLength, Counter::DropUdpLength},
      {"UDP length 7", [](auto& f) { f.udp_length = 7; }, Counter::DropUdpLength, Counter::DropUdpLength},
      {"wrong UDP checksum", [](auto& f) { f.udp_checksum = 0xdead; }, Counter::DropUdpChecksum,
       Counter::DropUdpChecksum},
      {"another port", [](auto& f) { f.destination_port = 853; }, Counter::DropUdpPort, Counter::DropUdpPort},
      {"source port 0", [](auto& f) { f.source_port = 0; }, Counter::DropSourcePortZero,
       Counter::DropSourcePortZero},
      {"group source MAC", [](auto& f) { f.source_mac = hex("010000000001"); }, Counter::DropMartianSource,
       Counter::DropMartianSource},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    expect_drop(node, v4(c.change).build(), c.v4);
    expect_drop(node, v6(c.change).build(), c.v6);
  }
  expect_drop(node, v4([](auto& f) { f.ihl = 4; }).build(), Counter::DropIpHeader);
  expect_drop(node, v4([](auto& f) { f.ip_checksum = 1; }).build(), Counter::DropIpHeader);
  expect_drop(node, v4([](auto& f) { f.destination = "10.53.1.2"; }).build(), Counter::DropForeignAddress);
  expect_drop(node, v4([](auto& f) { f.source = "10.53.1.1"; }).build(), Counter::DropMartianSource);
  expect_drop(node, v4([](auto& f) { f.source = "127.0.0.1"; }).build(), Counter::DropMartianSource);
  expect_drop(node, v6([](auto& f) { f.destination = "fd53:1::2"; }).build(), Counter::DropForeignAddress);
  expect_drop(node, v6([](auto& f) { f.source = "fd53:1::1"; }).build(), Counter::DropMartianSource);
  expect_drop(node, v6([](auto& f) { f.udp_checksum = 0; }).build(), Counter::DropUdpChecksum);
}

TEST_F(LinkTest, ToTheKernel) {
  const auto expect_kernel = [this](const FrameBuilder& frame) {
    const Node::Result result = node.receive(frame.build());
    EXPECT_EQ(result.fate, worker::Fate::ToKernel);
    EXPECT_TRUE(result.reply.empty());
  };
  expect_kernel(v4([](auto& f) { f.fragment = 0x2000; }));
  expect_kernel(v4([](auto& f) { f.fragment = 0x00b9; }));
  expect_kernel(v4([](auto& f) { f.ip_options = hex("01010101"); }));
  expect_kernel(v4([](auto& f) { f.protocol = 6; }));
  expect_kernel(v4([](auto& f) { f.protocol = 1; }));
  expect_kernel(v4([](auto& f) { f.ethertype = 0x0806; }));
  expect_kernel(v6([](auto& f) { f.protocol = 44; }));
  expect_kernel(v6([](auto& f) { f.protocol = 0; }));
  expect_kernel(v6([](auto& f) { f.protocol = 58; }));
}

// Every frame that is cut short ends as a drop, never as an answer.
TEST_F(LinkTest, CutFrames) {
  for (const FrameBuilder& builder : {v4(), v6(), v4([](auto& f) { f.tags = {{0x88a8, 7}, {0x8100, 9}}; })}) {
    const Octets whole = builder.build();
    for (std::size_t length = 0; length < whole.size(); ++length) {
      expect_drop(node, Octets(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)),
                  Counter::DropRunt);
    }
  }
}

TEST_F(LinkTest, ChecksumsVerifiedByTheNic) {
  const FrameBuilder frame = v4([](auto& f) { f.udp_checksum = 0xdead; });
  const Node::Result result = node.receive(frame.build(), true);
  ASSERT_EQ(result.fate, worker::Fate::Reply);
  EXPECT_EQ(check_reply(frame, result.reply).fault, "");
}

}  // namespace
}  // namespace swarmdns::test
