#include "controlplane/swarm/flood_guard.h"

#include <gtest/gtest.h>

#include "tests/unit/controlplane/swarm/fakes.h"

namespace swarmdns::controlplane {
namespace {

using test::FakeCache;

v1::Mutation negative(const std::string& name, const std::string& zone) {
  v1::Mutation mutation = test::Chain::mutation(1, name, 1);
  v1::CacheEntry& entry = *mutation.mutable_entry();
  entry.set_negative(true);
  if (!zone.empty()) {
    std::string soa = FakeCache::wire(zone);
    soa += std::string("\x00\x06\x00\x01\x00\x00\x00\x3c\x00\x16", 10) + std::string(22, '\0');
    entry.set_sections(soa);
    entry.set_authorities(1);
  }
  return mutation;
}

TEST(FloodGuard, TheZoneIsTheOneWhoseSoaIsThere) {
  EXPECT_EQ(zone_of_negative(negative("x.y.Example.com", "EXAMPLE.com").entry()),
            FakeCache::wire("example.com"));
  EXPECT_EQ(zone_of_negative(negative("x.y.example.com", "").entry()), FakeCache::wire("y.example.com"));
  v1::Mutation compressed = negative("x.example.com", "");
  // A pointer to "example.com" within the question.
  compressed.mutable_entry()->set_sections(
      std::string("\xc0\x0e\x00\x06\x00\x01\x00\x00\x00\x3c\x00\x00", 12));
  compressed.mutable_entry()->set_authorities(1);
  EXPECT_EQ(zone_of_negative(compressed.entry()), FakeCache::wire("example.com"));
  v1::Mutation broken = negative("x.example.com", "");
  broken.mutable_entry()->set_sections("\xc0\xff");
  broken.mutable_entry()->set_authorities(9);
  EXPECT_EQ(zone_of_negative(broken.entry()), FakeCache::wire("example.com"));
}

TEST(FloodGuard, HoldsBackAFloodOfOneZoneAndNothingElse) {
  FloodGuard guard({10, 100});
  int admitted = 0;
  for (int i = 0; i < 1000; ++i)
    admitted +=
        guard.admit(negative("r" + std::to_string(i) + ".victim.example", "victim.example"), 5000) ? 1 : 0;
  EXPECT_EQ(admitted, 10);
  EXPECT_EQ(guard.held_back(), 990U);
  EXPECT_TRUE(guard.admit(negative("x.other.example", "other.example"), 5500));
  for (int i = 0; i < 100; ++i)
    EXPECT_TRUE(guard.admit(test::Chain::mutation(1, "r" + std::to_string(i) + ".victim.example", 1), 5500));
  EXPECT_TRUE(guard.admit(negative("x.victim.example", "victim.example"), 6000)) << "the next second";
}

TEST(FloodGuard, ManyZonesDoNotMakeItGrow) {
  FloodGuard guard({10, 100});
  int admitted = 0;
  for (int i = 0; i < 10'000; ++i)
    admitted +=
        guard.admit(negative("x.z" + std::to_string(i) + ".example", "z" + std::to_string(i) + ".example"), 0)
            ? 1
            : 0;
  EXPECT_EQ(admitted, 110);
}

}  // namespace
}  // namespace swarmdns::controlplane
