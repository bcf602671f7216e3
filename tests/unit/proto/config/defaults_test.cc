#include "proto/config/defaults.h"

#include <gtest/gtest.h>

namespace swarmdns::config {
namespace {

TEST(Defaults, FillWhatIsUnsetAndKeepZeroThatWasSet) {
  v1::DataplaneConfig config;
  config.mutable_cache()->set_stale_max_s(0);
  config.mutable_cache()->set_prefetch_percent(0);
  fill_defaults(config, 2);
  EXPECT_EQ(config.cache().stale_max_s(), 0u);
  EXPECT_EQ(config.cache().prefetch_percent(), 0u);
  EXPECT_EQ(config.cache().memory_mib(), 256u);
  EXPECT_EQ(config.worker().idle(), v1::ADAPTIVE);
  EXPECT_EQ(config.guard().acl().otherwise(), v1::ACL_REFUSE);
  EXPECT_TRUE(config.guard().rate_limit().has_disabled());
  EXPECT_EQ(config.service().version(), "SwarmDNS");
}

TEST(Defaults, MainCpuIsTheFirstFreeOne) {
  v1::DataplaneConfig config;
  config.mutable_eal()->add_worker_cpus(0);
  auto both_taken = config;
  both_taken.mutable_eal()->add_worker_cpus(1);
  fill_defaults(config, 2);
  EXPECT_EQ(config.eal().main_cpu(), 1u);
  fill_defaults(both_taken, 2);
  EXPECT_EQ(both_taken.eal().main_cpu(), 0u);
}

TEST(Defaults, DependentOnesFollowTheirFields) {
  v1::DataplaneConfig config;
  config.set_node_name("n7");
  config.mutable_eal()->set_hugepages(true);
  config.add_ports()->set_device("net_null0");
  config.add_ports()->set_device("0000:01:00.0");
  config.mutable_ports(1)->set_tap("dns0");
  fill_defaults(config, 2);
  EXPECT_EQ(config.service().nsid(), "n7");
  EXPECT_TRUE(config.cache().hugepages());
  EXPECT_TRUE(config.eal().pci());
  EXPECT_EQ(config.ports(0).tap(), "swtap0");
  EXPECT_EQ(config.ports(1).tap(), "dns0");
  EXPECT_EQ(config.ports(1).mtu(), 1500u);
}

TEST(Defaults, WithoutPciDevicesNothingIsProbed) {
  v1::DataplaneConfig config;
  config.add_ports()->set_device("net_af_xdp0,iface=eth1");
  fill_defaults(config, 2);
  EXPECT_TRUE(config.eal().has_pci());
  EXPECT_FALSE(config.eal().pci());
}

TEST(Defaults, NodeAndResolverReachTheDataPlane) {
  v1::Config config;
  config.mutable_node()->set_name("n1");
  config.mutable_node()->set_run_dir("/run/x");
  config.mutable_resolver()->set_port(653);
  fill_defaults(config, 2);
  EXPECT_EQ(config.dataplane().node_name(), "n1");
  EXPECT_EQ(config.dataplane().run_dir(), "/run/x");
  EXPECT_EQ(config.dataplane().state_dir(), "/var/lib/swarmdns");
  EXPECT_EQ(config.dataplane().user(), "swarmdns");
  ASSERT_EQ(config.dataplane().upstream().servers_size(), 1);
  EXPECT_EQ(config.dataplane().upstream().servers(0), "127.0.0.1@653");
}

TEST(Defaults, AreIdempotent) {
  v1::Config config;
  config.mutable_node()->set_name("n1");
  fill_defaults(config, 2);
  const std::string once = config.SerializeAsString();
  fill_defaults(config, 2);
  EXPECT_EQ(config.SerializeAsString(), once);
}

}  // namespace
}  // namespace swarmdns::config
