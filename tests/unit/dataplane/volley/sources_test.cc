#include "dataplane/volley/sources.h"

#include <gtest/gtest.h>

#include <set>

namespace swarmdns::volley {
namespace {

std::expected<Sources, std::string> make(std::initializer_list<const char*> prefixes, std::uint32_t most,
                                         std::initializer_list<const char*> taken = {}) {
  std::vector<net::Prefix> parsed;
  for (const char* prefix : prefixes) parsed.push_back(*net::Prefix::parse(prefix));
  std::vector<net::Address> addresses;
  for (const char* address : taken) addresses.push_back(*net::Address::parse(address));
  return Sources::make(parsed, most, addresses, 1);
}

TEST(Sources, LeavesNetworkAndBroadcastOut) {
  const auto sources = make({"10.53.1.64/26"}, 65536);
  ASSERT_TRUE(sources);
  ASSERT_EQ(sources->count(false), 62U);
  EXPECT_EQ(sources->address(false, 0).to_text(), "10.53.1.65");
  EXPECT_EQ(sources->address(false, 61).to_text(), "10.53.1.126");
  EXPECT_EQ(sources->count(true), 0U);
}

TEST(Sources, TakesSinglesAndPairsWhole) {
  EXPECT_EQ(make({"10.0.0.1"}, 10)->count(false), 1U);
  EXPECT_EQ(make({"10.0.0.2/31"}, 10)->count(false), 2U);
  EXPECT_EQ(make({"fd53::2/127"}, 10)->count(true), 2U);
  EXPECT_EQ(make({"fd53::/126"}, 10)->count(true), 3U);
}

TEST(Sources, SpreadsClientsOverWidePrefixes) {
  const auto sources = make({"fd53:1::/48"}, 1000);
  ASSERT_EQ(sources->count(true), 1000U);
  std::set<std::uint64_t> networks;  // of 64 bits
  for (std::uint32_t i = 0; i < 1000; ++i) {
    networks.insert(sources->address(true, i).high());
    EXPECT_TRUE(net::Prefix::parse("fd53:1::/48")->contains(sources->address(true, i)));
  }
  EXPECT_EQ(networks.size(), 1000U);
  EXPECT_EQ(make({"::/0"}, 10)->count(true), 10U);
  EXPECT_EQ(make({"0.0.0.0/0"}, 10)->count(false), 10U);
}

TEST(Sources, NeverTakesTheServersAddress) {
  const auto sources = make({"10.53.1.0/29"}, 100, {"10.53.1.1"});
  EXPECT_EQ(sources->count(false), 5U);
  for (std::uint32_t i = 0; i < 5; ++i) EXPECT_NE(sources->address(false, i).to_text(), "10.53.1.1");
  EXPECT_FALSE(sources->owns(*net::Address::parse("10.53.1.1")));
  EXPECT_TRUE(sources->owns(*net::Address::parse("10.53.1.5")));
  EXPECT_FALSE(sources->owns(*net::Address::parse("10.53.1.9")));
  EXPECT_FALSE(make({"10.53.1.1"}, 100, {"10.53.1.1"}));
}

TEST(Sources, GivesOctetsAndTheirSum) {
  const auto sources = make({"192.0.2.7", "2001:db8::7"}, 1);
  EXPECT_EQ(net::fold_sum(sources->sum(false, 0)), net::sum_bytes(sources->octets(false, 0), 4));
  EXPECT_EQ(net::fold_sum(sources->sum(true, 0)), net::sum_bytes(sources->octets(true, 0), 16));
  EXPECT_EQ(sources->octets(false, 0)[3], std::byte{7});
  EXPECT_EQ(sources->octets(true, 0)[15], std::byte{7});
}

}  // namespace
}  // namespace swarmdns::volley
