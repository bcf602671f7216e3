#include "dataplane/volley/neighbour.h"

#include <gtest/gtest.h>

#include "tests/unit/dataplane/volley/support.h"

namespace swarmdns::volley {
namespace {

using test::hex;
using test::Octets;

Neighbours::Options options() {
  return {.own_mac = support::kOwnMac,
          .next_hop_v4 = net::Address::parse("10.53.1.1"),
          .next_hop_v6 = net::Address::parse("fd53:1::1")};
}

Octets arp(unsigned operation, const char* sender, const char* target) {
  Octets frame = hex("ffffffffffff 020000000053 0806 0001 0800 06 04");
  test::put16(frame, operation);
  test::put(frame, hex("020000000053"));
  test::put(frame, test::address(sender));
  test::put(frame, hex("000000000000"));
  test::put(frame, test::address(target));
  return frame;
}

Octets neighbour_message(unsigned type, const char* from, const char* to, const char* target,
                         const Octets& options, unsigned hop_limit = 255) {
  Octets icmp;
  test::put16(icmp, type << 8);
  test::put16(icmp, 0);
  test::put32(icmp, 0);
  test::put(icmp, test::address(target));
  test::put(icmp, options);
  Octets pseudo = test::address(from);
  test::put(pseudo, test::address(to));
  test::put16(pseudo, static_cast<unsigned>(icmp.size()));
  test::put16(pseudo, 58);
  const unsigned sum = test::internet_checksum(icmp, ~test::internet_checksum(pseudo) & 0xffff);
  icmp[2] = static_cast<std::byte>(sum >> 8);
  icmp[3] = static_cast<std::byte>(sum & 0xff);
  Octets frame = hex("333300000001 020000000053 86dd 60000000");
  test::put16(frame, static_cast<unsigned>(icmp.size()));
  test::put8(frame, 58);
  test::put8(frame, hop_limit);
  test::put(frame, test::address(from));
  test::put(frame, test::address(to));
  test::put(frame, icmp);
  return frame;
}

// The answer, or nothing.
Octets handle(Neighbours& neighbours, const Octets& frame, std::uint16_t l3 = 14) {
  Octets out(Neighbours::kMaxFrame, std::byte{0xcc});
  out.resize(neighbours.handle(frame, l3, out.data()));
  return out;
}

class NeighboursTest : public ::testing::Test {
 protected:
  const Sources sources_ = support::sources_of({"10.53.1.64/26", "fd53:1:1::/64"});
  Neighbours neighbours_{options(), sources_};
};

TEST_F(NeighboursTest, AsksByArp) {
  Octets out(Neighbours::kMaxFrame);
  out.resize(neighbours_.ask(false, out.data()));
  EXPECT_EQ(test::to_hex(out),
            test::to_hex(hex("ffffffffffff 0200000000c1 0806 0001 0800 06 04 0001 0200000000c1 0a350141 "
                             "000000000000 0a350101")));
}

TEST_F(NeighboursTest, AsksByNeighbourSolicitation) {
  Octets out(Neighbours::kMaxFrame);
  out.resize(neighbours_.ask(true, out.data()));
  ASSERT_EQ(out.size(), 14U + 40 + 32);
  EXPECT_EQ(test::to_hex(std::span(out).first(14)), test::to_hex(hex("3333ff000001 0200000000c1 86dd")));
  const auto ip = std::span(out).subspan(14);
  EXPECT_EQ(test::get8(ip, 7), 255U);
  EXPECT_EQ(Octets(ip.begin() + 24, ip.begin() + 40), test::address("ff02::1:ff00:1"));
  Octets pseudo(ip.begin() + 8, ip.begin() + 40);
  test::put16(pseudo, 32);
  test::put16(pseudo, 58);
  const auto icmp = ip.subspan(40);
  EXPECT_EQ(test::internet_checksum(icmp, ~test::internet_checksum(pseudo) & 0xffff), 0U);
  EXPECT_EQ(test::get8(icmp, 0), 135U);
  EXPECT_EQ(Octets(icmp.begin() + 8, icmp.begin() + 24), test::address("fd53:1::1"));
  EXPECT_EQ(test::to_hex(icmp.subspan(24)), test::to_hex(hex("0101 0200000000c1")));
}

TEST_F(NeighboursTest, LearnsFromTheNextHopAlone) {
  EXPECT_FALSE(neighbours_.complete());
  handle(neighbours_, arp(2, "10.53.1.9", "10.53.1.65"));
  EXPECT_TRUE(neighbours_.wanted(false));
  handle(neighbours_, arp(2, "10.53.1.1", "10.53.1.65"));
  ASSERT_TRUE(neighbours_.mac(false));
  EXPECT_EQ(*neighbours_.mac(false), support::kServerMac);
  handle(neighbours_,
         neighbour_message(136, "fd53:1::2", "fd53:1:1::7", "fd53:1::2", hex("0201 020000000099")));
  EXPECT_TRUE(neighbours_.wanted(true));
  handle(neighbours_,
         neighbour_message(136, "fd53:1::1", "fd53:1:1::7", "fd53:1::1", hex("0201 020000000053")));
  EXPECT_TRUE(neighbours_.complete());
  EXPECT_EQ(*neighbours_.mac(true), support::kServerMac);
}

TEST_F(NeighboursTest, AnswersArpForItsClients) {
  EXPECT_EQ(test::to_hex(handle(neighbours_, arp(1, "10.53.1.1", "10.53.1.99"))),
            test::to_hex(hex("020000000053 0200000000c1 0806 0001 0800 06 04 0002 0200000000c1 0a350163 "
                             "020000000053 0a350101")));
  EXPECT_TRUE(handle(neighbours_, arp(1, "10.53.1.1", "10.53.1.2")).empty());
  EXPECT_TRUE(handle(neighbours_, arp(2, "10.53.1.1", "10.53.1.99")).empty());
}

TEST_F(NeighboursTest, AnswersSolicitationsForItsClients) {
  const Octets reply = handle(neighbours_, neighbour_message(135, "fe80::1", "ff02::1:ff00:7", "fd53:1:1::7",
                                                             hex("0101 020000000053")));
  ASSERT_EQ(reply.size(), 14U + 40 + 32);
  EXPECT_EQ(test::to_hex(std::span(reply).first(14)), test::to_hex(hex("020000000053 0200000000c1 86dd")));
  const auto ip = std::span(reply).subspan(14);
  EXPECT_EQ(test::get8(ip, 7), 255U);
  EXPECT_EQ(Octets(ip.begin() + 8, ip.begin() + 24), test::address("fd53:1:1::7"));
  EXPECT_EQ(Octets(ip.begin() + 24, ip.begin() + 40), test::address("fe80::1"));
  EXPECT_EQ(test::get32(ip, 44), 0x60000000U);  // solicited, override
  EXPECT_EQ(test::to_hex(ip.subspan(64)), test::to_hex(hex("0201 0200000000c1")));
  // Not for others.
  EXPECT_TRUE(handle(neighbours_, neighbour_message(135, "fe80::1", "ff02::1:ff00:7", "fd53:2::7",
                                                    hex("0101 020000000053")))
                  .empty());
}

TEST_F(NeighboursTest, AnswersProbesWithoutTheOption) {
  const Octets reply =
      handle(neighbours_, neighbour_message(135, "fe80::1", "fd53:1:1::7", "fd53:1:1::7", {}));
  ASSERT_FALSE(reply.empty());
  EXPECT_EQ(test::to_hex(std::span(reply).first(6)), test::to_hex(hex("020000000053")));
}

TEST_F(NeighboursTest, AnswersDuplicateDetectionToAll) {
  const Octets reply = handle(neighbours_, neighbour_message(135, "::", "ff02::1:ff00:7", "fd53:1:1::7", {}));
  ASSERT_FALSE(reply.empty());
  EXPECT_EQ(test::to_hex(std::span(reply).first(6)), test::to_hex(hex("333300000001")));
  EXPECT_EQ(test::get32(reply, 14 + 44), 0x20000000U);
}

TEST_F(NeighboursTest, RefusesWhatCameFromAfarOrIsDamaged) {
  const Octets option = hex("0101 020000000053");
  EXPECT_TRUE(
      handle(neighbours_, neighbour_message(135, "fe80::1", "ff02::1:ff00:7", "fd53:1:1::7", option, 64))
          .empty());
  Octets damaged = neighbour_message(135, "fe80::1", "ff02::1:ff00:7", "fd53:1:1::7", option);
  damaged.back() ^= std::byte{1};
  EXPECT_TRUE(handle(neighbours_, damaged).empty());
  // An option of length 0 must not be walked for ever.
  EXPECT_FALSE(handle(neighbours_, neighbour_message(135, "fe80::1", "ff02::1:ff00:7", "fd53:1:1::7",
                                                     hex("0500 000000000000")))
                   .empty());
}

TEST_F(NeighboursTest, KeepsToItsVlan) {
  Neighbours::Options tagged = options();
  tagged.vlan = 100;
  Neighbours neighbours(tagged, sources_);
  Octets frame = arp(1, "10.53.1.1", "10.53.1.99");
  const Octets tag = hex("81000064");
  frame.insert(frame.begin() + 12, tag.begin(), tag.end());
  const Octets reply = handle(neighbours, frame, 18);
  ASSERT_EQ(reply.size(), 18U + 28);
  EXPECT_EQ(test::to_hex(std::span(reply).subspan(12, 6)), test::to_hex(hex("8100 0064 0806")));
}

}  // namespace
}  // namespace swarmdns::volley
