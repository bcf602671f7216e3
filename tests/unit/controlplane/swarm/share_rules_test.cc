#include "controlplane/swarm/share_rules.h"

#include <gtest/gtest.h>

#include "tests/unit/controlplane/swarm/fakes.h"

namespace swarmdns::controlplane {
namespace {

using test::FakeCache;

TEST(PrivateZones, HoldsWhatIsBelowThem) {
  const std::string more[] = {FakeCache::wire("corp.example")};
  const PrivateZones zones(more);
  for (const char* name : {"corp.example", "a.b.corp.example", "printer.local", "1.2.31.172.in-addr.arpa",
                           "local", "x.home.arpa", "1.0.0.127.in-addr.arpa", "0.0.d.f.ip6.arpa"})
    EXPECT_TRUE(zones.holds(FakeCache::wire(name))) << name;
  for (const char* name : {"example", "acorp.example", "corp.example.com", "localx",
                           "1.2.32.172.in-addr.arpa", "8.8.8.8.in-addr.arpa", "arpa"})
    EXPECT_FALSE(zones.holds(FakeCache::wire(name))) << name;
  EXPECT_FALSE(zones.holds(std::string(1, '\0'))) << "the root";
  EXPECT_FALSE(zones.holds(""));
  EXPECT_FALSE(
      zones.holds("\x3f"
                  "abc"))
      << "a broken name";
  const std::string root[] = {std::string(1, '\0')};
  EXPECT_TRUE(PrivateZones(root).holds(FakeCache::wire("www.example")));
}

TEST(ShareRules, OnlyWhatIsWorthSomethingElsewhere) {
  const PrivateZones zones;
  v1::CacheEntry good = test::Chain::mutation(1, "a.example", 1).entry();
  good.mutable_origin()->set_node(1);
  EXPECT_TRUE(may_share(good, zones));
  const auto changed = [&](auto change) {
    v1::CacheEntry entry = good;
    change(entry);
    return may_share(entry, zones);
  };
  EXPECT_TRUE(changed([](auto& entry) { entry.set_rcode(3); }));
  EXPECT_FALSE(changed([](auto& entry) { entry.set_rcode(2); }));
  EXPECT_FALSE(changed([](auto& entry) { entry.set_rcode(5); }));
  EXPECT_FALSE(changed([](auto& entry) { entry.set_remaining_ms(0); }));
  EXPECT_FALSE(changed([](auto& entry) { entry.set_remaining_ms(-5); }));
  EXPECT_FALSE(changed([](auto& entry) { entry.mutable_key()->set_view(1); }));
  EXPECT_FALSE(changed([](auto& entry) { entry.mutable_origin()->set_sequence(0); }));
  EXPECT_FALSE(changed([](auto& entry) { entry.mutable_origin()->set_node(0); }));
  EXPECT_FALSE(changed([](auto& entry) { entry.mutable_key()->set_qname(FakeCache::wire("x.local")); }));
}

TEST(ShareRules, WhoseAnEntryIsItsSegmentSays) {
  v1::Mutation forged = test::Chain::mutation(8, "a.example", 1);
  forged.mutable_entry()->mutable_origin()->set_node(9);
  forged.mutable_entry()->mutable_origin()->set_sequence(1);
  forged.mutable_entry()->set_authenticated(true);
  v1::Mutation removed = test::Chain::mutation(9, "b.example", 1);
  removed.set_kind(v1::MUTATION_REMOVE);
  const auto entries = shared_entries({forged, removed, v1::Mutation()}, 4, PrivateZones());
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].origin().node(), 4U);
  EXPECT_EQ(entries[0].origin().sequence(), 8U);
  EXPECT_FALSE(entries[0].authenticated());
}

}  // namespace
}  // namespace swarmdns::controlplane
