// Which frames take the fast path, which go to the kernel, and the name of every drop.
#include <gtest/gtest.h>

#include "dataplane/net/frame.h"
#include "tests/packet/harness/frame.h"

namespace swarmdns::net {
namespace {

using stats::Counter;
using test::FrameBuilder;
using test::hex;
using test::Octets;

Address at(const char* text) {
  return *Address::parse(text);
}

const PortIdentity& port() {
  static const PortIdentity identity({.mac = {2, 0, 0, 0, 0, 0x53},
                                      .service = {at("10.53.1.1"), at("fd53:1::1")},
                                      .local = {at("10.53.1.9"), at("fd53:1::9")},
                                      .martians = {}});
  return identity;
}

FrameBuilder v4() {
  FrameBuilder frame;
  frame.payload = hex("00112233445566778899aabbccddeeff01");
  return frame;
}

FrameBuilder v6() {
  FrameBuilder frame = v4();
  frame.source = "fd53:1::100";
  frame.destination = "fd53:1::1";
  return frame;
}

struct Result {
  Verdict verdict;
  FrameInfo info;
};

Result parse(const Octets& frame, bool checksum_good = false) {
  // A copy of exactly the frame's size, so that a sanitizer sees a read behind it.
  const auto exact = std::make_unique<std::byte[]>(frame.size());
  std::copy(frame.begin(), frame.end(), exact.get());
  Result result{};
  result.verdict = parse_frame({exact.get(), frame.size()}, port(), checksum_good, result.info);
  return result;
}

void expect_fast(const Octets& frame, bool checksum_good = false) {
  const Result result = parse(frame, checksum_good);
  EXPECT_EQ(result.verdict, Verdict::FastPath) << "reason " << static_cast<int>(result.info.reason);
}

void expect_drop(const Octets& frame, Counter reason) {
  const Result result = parse(frame);
  EXPECT_EQ(result.verdict, Verdict::Drop);
  EXPECT_EQ(static_cast<int>(result.info.reason), static_cast<int>(reason));
}

void expect_kernel(const Octets& frame, Counter reason) {
  const Result result = parse(frame);
  EXPECT_EQ(result.verdict, Verdict::Exception);
  EXPECT_EQ(static_cast<int>(result.info.reason), static_cast<int>(reason));
}

template <class Change>
Octets changed(FrameBuilder frame, Change change) {
  change(frame);
  return frame.build();
}

TEST(Headers, PlainIpv4) {
  const Result result = parse(v4().build());
  ASSERT_EQ(result.verdict, Verdict::FastPath);
  EXPECT_EQ(result.info.l3, 14);
  EXPECT_EQ(result.info.l4, 34);
  EXPECT_EQ(result.info.payload, 42);
  EXPECT_EQ(result.info.payload_len, 17);
  EXPECT_FALSE(result.info.ipv6);
  EXPECT_EQ(result.info.source_port, 40000);
  EXPECT_EQ(result.info.source, at("10.53.1.100"));
  EXPECT_EQ(result.info.destination, at("10.53.1.1"));
}

TEST(Headers, PlainIpv6) {
  const Result result = parse(v6().build());
  ASSERT_EQ(result.verdict, Verdict::FastPath);
  EXPECT_EQ(result.info.l4, 54);
  EXPECT_EQ(result.info.payload, 62);
  EXPECT_EQ(result.info.payload_len, 17);
  EXPECT_TRUE(result.info.ipv6);
  EXPECT_EQ(result.info.source, at("fd53:1::100"));
}

TEST(Headers, UpToTwoVlanTags) {
  for (FrameBuilder frame : {v4(), v6()}) {
    const std::size_t plain = parse(frame.build()).info.payload;
    frame.tags = {{0x8100, 100}};
    EXPECT_EQ(parse(frame.build()).verdict, Verdict::FastPath);
    EXPECT_EQ(parse(frame.build()).info.payload, plain + 4);
    frame.tags = {{0x88a8, 7}, {0x8100, 0xe064}};
    EXPECT_EQ(parse(frame.build()).verdict, Verdict::FastPath);
    EXPECT_EQ(parse(frame.build()).info.payload, plain + 8);
    frame.tags = {{0x88a8, 7}, {0x8100, 1}, {0x8100, 2}};
    expect_drop(frame.build(), Counter::DropVlanDepth);
  }
}

TEST(Headers, EthernetPaddingIsNotPartOfTheDatagram) {
  for (FrameBuilder frame : {v4(), v6()}) {
    frame.padding = Octets(13, std::byte{0xee});
    EXPECT_EQ(parse(frame.build()).verdict, Verdict::FastPath);
    EXPECT_EQ(parse(frame.build()).info.payload_len, 17);
  }
}

TEST(Headers, EveryCutFrameIsARunt) {
  for (FrameBuilder frame : {v4(), v6()}) {
    frame.tags = {{0x8100, 1}};
    const Octets whole = frame.build();
    for (std::size_t length = 0; length < whole.size(); ++length) {
      expect_drop(Octets(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)),
                  Counter::DropRunt);
    }
  }
}

TEST(Headers, MacFilter) {
  expect_drop(changed(v4(), [](auto& f) { f.destination_mac = hex("020000000054"); }),
              Counter::DropForeignMac);
  // A unicast datagram inside a broadcast or multicast frame: RFC 1122 3.3.6.
  expect_drop(changed(v4(), [](auto& f) { f.destination_mac = hex("ffffffffffff"); }),
              Counter::DropForeignMac);
  expect_drop(changed(v4(), [](auto& f) { f.destination_mac = hex("01005e000001"); }),
              Counter::DropForeignMac);
  expect_drop(changed(v6(), [](auto& f) { f.destination_mac = hex("333300000001"); }),
              Counter::DropForeignMac);
  expect_drop(changed(v4(), [](auto& f) { f.source_mac = hex("01005e000001"); }), Counter::DropMartianSource);
}

TEST(Headers, EtherTypes) {
  expect_kernel(changed(v4(), [](auto& f) { f.ethertype = 0x0806; }), Counter::ToKernelArp);
  expect_kernel(changed(v4(),
                        [](auto& f) {
                          f.ethertype = 0x0806;
                          f.destination_mac = hex("ffffffffffff");
                        }),
                Counter::ToKernelArp);
  expect_drop(changed(v4(), [](auto& f) { f.ethertype = 0x88cc; }), Counter::DropEtherType);
  expect_drop(changed(v4(), [](auto& f) { f.ethertype = 0x0040; }), Counter::DropEtherType);
  expect_drop(changed(v4(), [](auto& f) { f.ethertype = 0x86dd; }), Counter::DropIpVersion);
  expect_drop(changed(v6(), [](auto& f) { f.ethertype = 0x0800; }), Counter::DropIpVersion);
}

TEST(Headers, Ipv4HeaderFaults) {
  expect_drop(changed(v4(), [](auto& f) { f.version = 5; }), Counter::DropIpVersion);
  for (unsigned ihl = 0; ihl < 5; ++ihl) {
    expect_drop(changed(v4(), [ihl](auto& f) { f.ihl = ihl; }), Counter::DropIpHeader);
  }
  expect_drop(changed(v4(), [](auto& f) { f.ip_length = 19; }), Counter::DropIpHeader);
  expect_drop(changed(v4(), [](auto& f) { f.ip_length = 46; }), Counter::DropRunt);
  expect_drop(changed(v4(), [](auto& f) { f.ip_checksum = 0x1234; }), Counter::DropIpHeader);
  expect_drop(changed(v4(), [](auto& f) { f.ihl = 15; }),
              Counter::DropIpHeader);  // its checksum covers other octets
}

TEST(Headers, ExtremesOfTimeToLiveAreTaken) {
  // RFC 1122 3.2.1.7 and RFC 8200 3: the last host does not drop for it.
  for (const unsigned ttl : {0U, 1U, 255U}) {
    expect_fast(changed(v4(), [ttl](auto& f) { f.ttl = ttl; }));
    expect_fast(changed(v6(), [ttl](auto& f) { f.ttl = ttl; }));
  }
}

TEST(Headers, FragmentsAndOptionsAreForTheKernel) {
  expect_fast(changed(v4(), [](auto& f) { f.fragment = 0; }));
  expect_fast(changed(v4(), [](auto& f) { f.fragment = 0x4000; }));
  for (const unsigned fragment : {0x2000U, 0x0001U, 0x1fffU, 0x6000U}) {
    expect_kernel(changed(v4(), [fragment](auto& f) { f.fragment = fragment; }), Counter::ToKernelFragment);
  }
  expect_kernel(changed(v4(), [](auto& f) { f.ip_options = hex("94040000"); }), Counter::ToKernelOptions);
  expect_kernel(changed(v4(), [](auto& f) { f.ip_options = Octets(40, std::byte{1}); }),
                Counter::ToKernelOptions);
  expect_kernel(changed(v6(), [](auto& f) { f.protocol = 44; }), Counter::ToKernelFragment);
  for (const unsigned next : {0U, 43U, 50U, 51U, 60U, 135U, 139U, 140U}) {
    expect_kernel(changed(v6(), [next](auto& f) { f.protocol = next; }), Counter::ToKernelOptions);
  }
}

TEST(Headers, FragmentsForOthersAreDropped) {
  expect_drop(changed(v4(),
                      [](auto& f) {
                        f.destination = "10.53.1.2";
                        f.fragment = 0x2000;
                      }),
              Counter::DropForeignAddress);
  expect_drop(changed(v6(),
                      [](auto& f) {
                        f.destination = "fd53:1::2";
                        f.protocol = 44;
                      }),
              Counter::DropForeignAddress);
}

TEST(Headers, OtherProtocols) {
  expect_kernel(changed(v4(), [](auto& f) { f.protocol = 1; }), Counter::ToKernelIcmp);
  expect_kernel(changed(v4(), [](auto& f) { f.protocol = 6; }), Counter::ToKernelTcp);
  expect_kernel(changed(v4(), [](auto& f) { f.protocol = 132; }), Counter::ToKernelOther);
  expect_kernel(changed(v6(), [](auto& f) { f.protocol = 58; }), Counter::ToKernelIcmp);
  expect_kernel(changed(v6(), [](auto& f) { f.protocol = 6; }), Counter::ToKernelTcp);
  expect_kernel(changed(v6(), [](auto& f) { f.protocol = 59; }), Counter::ToKernelOther);
  for (const unsigned protocol : {1U, 6U}) {
    expect_drop(changed(v4(),
                        [protocol](auto& f) {
                          f.destination = "10.53.1.2";
                          f.protocol = protocol;
                        }),
                Counter::DropForeignAddress);
  }
  // A SYN that seems to come from ourselves ("land").
  expect_drop(changed(v4(),
                      [](auto& f) {
                        f.source = "10.53.1.1";
                        f.protocol = 6;
                      }),
              Counter::DropMartianSource);
}

TEST(Headers, NeighbourDiscoveryReachesTheKernel) {
  FrameBuilder solicitation = v6();
  solicitation.protocol = 58;
  solicitation.destination = "ff02::1:ff00:1";
  solicitation.destination_mac = hex("3333ff000001");
  expect_kernel(solicitation.build(), Counter::ToKernelIcmp);
  solicitation.source = "::";  // duplicate address detection
  expect_kernel(solicitation.build(), Counter::ToKernelIcmp);
  solicitation.source = "fe80::1";
  solicitation.destination = "fe80::53";
  solicitation.destination_mac = test::kServerMac;
  expect_kernel(solicitation.build(), Counter::ToKernelIcmp);

  FrameBuilder mld = v6();
  mld.protocol = 0;
  mld.destination = "ff02::1";
  mld.destination_mac = hex("333300000001");
  expect_kernel(mld.build(), Counter::ToKernelOptions);
  mld.protocol = 17;  // mDNS and the like
  expect_drop(mld.build(), Counter::DropForeignMac);
  mld.protocol = 58;
  mld.destination = "ff05::2";
  expect_drop(mld.build(), Counter::DropForeignMac);
  mld.destination = "fd53:1::1";  // multicast frame, unicast datagram
  expect_drop(mld.build(), Counter::DropForeignMac);
  Octets cut = solicitation.build();
  cut[0] = std::byte{0x33};
  cut.resize(14 + 39);
  expect_drop(cut, Counter::DropRunt);
}

TEST(Headers, DestinationAddress) {
  for (const char* text :
       {"10.53.1.2", "10.53.1.9", "255.255.255.255", "224.0.0.251", "0.0.0.0", "127.0.0.1"}) {
    expect_drop(changed(v4(), [text](auto& f) { f.destination = text; }), Counter::DropForeignAddress);
  }
  for (const char* text : {"fd53:1::2", "fd53:1::9", "ff02::1", "fe80::1", "::", "::1"}) {
    expect_drop(changed(v6(), [text](auto& f) { f.destination = text; }), Counter::DropForeignAddress);
  }
}

TEST(Headers, SourceAddress) {
  for (const char* text :
       {"10.53.1.1", "10.53.1.9", "127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255"}) {
    expect_drop(changed(v4(), [text](auto& f) { f.source = text; }), Counter::DropMartianSource);
  }
  for (const char* text : {"fd53:1::1", "fd53:1::9", "::", "::1", "ff02::1", "::10.53.1.100"}) {
    expect_drop(changed(v6(), [text](auto& f) { f.source = text; }), Counter::DropMartianSource);
  }
}

// An IPv6 datagram from ::ffff:a.b.c.d would pass for IPv4 in the ACL and the rate limiter.
TEST(Headers, Ipv4MappedAddressesAreNotOnTheWire) {
  Octets frame = v6().build();
  const Octets mapped = hex("00000000000000000000ffff 0a350164");
  Octets source = frame;
  std::copy(mapped.begin(), mapped.end(), source.begin() + 22);
  expect_drop(source, Counter::DropMartianSource);
  const Octets service = hex("00000000000000000000ffff 0a350101");
  std::copy(service.begin(), service.end(), frame.begin() + 38);
  expect_drop(frame, Counter::DropForeignAddress);
}

TEST(Headers, UdpPorts) {
  for (const FrameBuilder& frame : {v4(), v6()}) {
    for (const unsigned destination : {0U, 52U, 54U, 5353U, 13568U}) {  // 13568: 53 in the wrong order
      expect_drop(changed(frame, [destination](auto& f) { f.destination_port = destination; }),
                  Counter::DropUdpPort);
    }
    expect_drop(changed(frame, [](auto& f) { f.source_port = 0; }), Counter::DropSourcePortZero);
    expect_fast(changed(frame, [](auto& f) { f.source_port = 53; }));
    expect_fast(changed(frame, [](auto& f) { f.source_port = 65535; }));
  }
}

TEST(Headers, UdpLength) {
  for (const FrameBuilder& frame : {v4(), v6()}) {
    for (const unsigned length : {0U, 1U, 7U, 26U, 65535U}) {
      expect_drop(changed(frame, [length](auto& f) { f.udp_length = length; }), Counter::DropUdpLength);
    }
    expect_drop(changed(frame, [&frame](auto& f) { f.ip_length = frame.ipv6() ? 7 : 27; }),
                Counter::DropUdpLength);
  }
}

TEST(Headers, UdpShorterThanTheIpPayload) {
  for (FrameBuilder frame : {v4(), v6()}) {
    const auto full = static_cast<unsigned>(8 + frame.payload.size());
    frame.ip_length = (frame.ipv6() ? 0U : 20U) + full + 6;
    frame.padding = Octets(6, std::byte{0x77});
    const Result result = parse(frame.build());
    EXPECT_EQ(result.verdict, Verdict::FastPath);
    EXPECT_EQ(result.info.payload_len, 17);
  }
}

TEST(Headers, UdpChecksum) {
  for (const FrameBuilder& frame : {v4(), v6()}) {
    expect_drop(changed(frame, [](auto& f) { f.udp_checksum = 0x1234; }), Counter::DropUdpChecksum);
    // Every single flipped bit of the datagram that is under no other check.
    const Octets good = frame.build();
    for (std::size_t i = good.size() - frame.payload.size(); i < good.size(); ++i) {
      for (unsigned bit = 0; bit < 8; ++bit) {
        Octets flipped = good;
        flipped[i] ^= static_cast<std::byte>(1U << bit);
        expect_drop(flipped, Counter::DropUdpChecksum);
      }
    }
  }
  const Result absent = parse(changed(v4(), [](auto& f) { f.udp_checksum = 0; }));
  EXPECT_EQ(absent.verdict, Verdict::FastPath);
  EXPECT_TRUE(absent.info.checksum_absent);
  expect_drop(changed(v6(), [](auto& f) { f.udp_checksum = 0; }), Counter::DropUdpChecksum);
}

TEST(Headers, ChecksumsTheNicHasVerifiedAreNotLookedAt) {
  expect_fast(changed(v4(), [](auto& f) { f.udp_checksum = 0x1234; }), true);
  expect_fast(changed(v4(), [](auto& f) { f.ip_checksum = 0x1234; }), true);
  expect_fast(changed(v6(), [](auto& f) { f.udp_checksum = 0x1234; }), true);
  EXPECT_EQ(parse(changed(v6(), [](auto& f) { f.udp_checksum = 0; }), true).verdict, Verdict::Drop);
}

TEST(Headers, EmptyDatagram) {
  for (const FrameBuilder& frame : {v4(), v6()}) {
    const Result result = parse(changed(frame, [](auto& f) { f.payload.clear(); }));
    EXPECT_EQ(result.verdict, Verdict::FastPath);  // the DNS stage names it
    EXPECT_EQ(result.info.payload_len, 0);
  }
}

}  // namespace
}  // namespace swarmdns::net
