#include "proto/config/diff.h"

#include <gtest/gtest.h>

#include "proto/config/defaults.h"

namespace swarmdns::config {
namespace {

v1::DataplaneConfig base() {
  v1::DataplaneConfig config;
  config.mutable_eal()->add_worker_cpus(1);
  auto* port = config.add_ports();
  port->set_device("net_null0");
  port->add_addresses("10.0.0.1/24");
  fill_defaults(config, 2);
  return config;
}

using Paths = std::vector<std::string>;

TEST(Diff, NothingChanged) {
  EXPECT_TRUE(diff(base(), base()).empty());
}

TEST(Diff, SeparatesLiveFromRestart) {
  auto to = base();
  to.mutable_cache()->set_max_ttl_s(7200);
  to.mutable_cache()->set_memory_mib(512);
  to.mutable_ports(0)->set_mtu(9000);
  to.mutable_guard()->mutable_acl()->add_deny("10.9.0.0/16");
  to.mutable_worker()->set_idle(v1::SPIN);
  const auto changes = diff(base(), to);
  EXPECT_EQ(paths_of(changes, v1::LIVE), (Paths{"worker.idle", "cache.max_ttl_s", "guard.acl.deny"}));
  EXPECT_EQ(paths_of(changes, v1::RESTART), (Paths{"ports[0].mtu", "cache.memory_mib"}));
}

TEST(Diff, OrderOfAListIsAChange) {
  auto from = base();
  from.mutable_guard()->mutable_cookies()->add_secrets("00112233445566778899aabbccddeeff");
  from.mutable_guard()->mutable_cookies()->add_secrets("ffeeddccbbaa99887766554433221100");
  auto to = from;
  to.mutable_guard()->mutable_cookies()->mutable_secrets()->SwapElements(0, 1);
  EXPECT_EQ(paths_of(diff(from, to), v1::LIVE), Paths{"guard.cookies.secrets"});
}

TEST(Diff, ANewPortIsAChangeOfThePorts) {
  auto to = base();
  to.add_ports()->set_device("net_null1");
  EXPECT_EQ(paths_of(diff(base(), to), v1::RESTART), Paths{"ports"});
  EXPECT_EQ(paths_of(diff(to, base()), v1::RESTART), Paths{"ports"});
}

TEST(Diff, UnsetAndZeroDiffer) {
  auto from = base();
  from.mutable_upstream()->clear_source_v4();
  auto to = from;
  to.mutable_upstream()->set_source_v4("");
  EXPECT_EQ(paths_of(diff(from, to), v1::RESTART), Paths{"upstream.source_v4"});
}

TEST(WithLiveChanges, TakesLiveFieldsAndNoOthers) {
  auto wanted = base();
  wanted.mutable_cache()->set_max_ttl_s(7200);
  wanted.mutable_cache()->set_memory_mib(512);
  wanted.mutable_ports(0)->set_mtu(9000);
  wanted.mutable_guard()->mutable_acl()->add_deny("10.9.0.0/16");
  const auto result = with_live_changes(base(), wanted);
  EXPECT_EQ(result.cache().max_ttl_s(), 7200u);
  EXPECT_EQ(result.cache().memory_mib(), 256u);
  EXPECT_EQ(result.ports(0).mtu(), 1500u);
  ASSERT_EQ(result.guard().acl().deny_size(), 1);
  EXPECT_EQ(paths_of(diff(result, wanted), v1::LIVE), Paths{});
  EXPECT_EQ(paths_of(diff(result, wanted), v1::RESTART), (Paths{"ports[0].mtu", "cache.memory_mib"}));
}

TEST(WithLiveChanges, EmptiesListsToo) {
  auto from = base();
  from.mutable_guard()->mutable_acl()->add_allow("10.0.0.0/8");
  EXPECT_EQ(with_live_changes(from, base()).guard().acl().allow_size(), 0);
}

}  // namespace
}  // namespace swarmdns::config
