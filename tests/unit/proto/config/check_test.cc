#include "proto/config/check.h"

#include <gtest/gtest.h>

namespace swarmdns::config {
namespace {

v1::DataplaneConfig good() {
  v1::DataplaneConfig config;
  config.mutable_eal()->add_worker_cpus(1);
  auto* port = config.add_ports();
  port->set_device("net_af_xdp0,iface=eth1");
  port->add_addresses("10.53.1.1/24");
  return config;
}

std::vector<std::string> lines(const std::vector<Problem>& problems) {
  std::vector<std::string> result;
  for (const Problem& problem : problems) result.push_back(problem.path + ": " + problem.text);
  return result;
}

using Lines = std::vector<std::string>;

TEST(Check, AcceptsTheLeastConfiguration) {
  EXPECT_EQ(lines(check(good())), Lines{});
}

TEST(Check, NamesWhatIsMissing) {
  EXPECT_EQ(lines(check(v1::DataplaneConfig())),
            (Lines{"eal.worker_cpus: is required: a list, each element a whole number from 0 to 1023",
                   "ports: needs at least 1 element"}));
}

TEST(Check, RangeErrorsNameBothEnds) {
  auto config = good();
  config.mutable_cache()->set_memory_mib(4);
  config.mutable_ports(0)->set_mtu(9001);
  EXPECT_EQ(lines(check(config)),
            (Lines{"ports[0].mtu: 9001 is out of range: must be a whole number from 1280 to 9000 (bytes)",
                   "cache.memory_mib: 4 is out of range: must be a whole number from 16 to 32768 (MiB)"}));
}

TEST(Check, RefusesEnumNumbersFromAnotherVersion) {
  auto config = good();
  config.mutable_worker()->set_idle(static_cast<v1::IdleMode>(7));
  EXPECT_EQ(lines(check(config)), Lines{"worker.idle: unknown value 7: must be one of: adaptive, spin"});
}

TEST(Check, ListsAreUniqueAndBounded) {
  auto config = good();
  config.mutable_eal()->add_worker_cpus(1);
  for (int i = 0; i < 17; ++i) config.mutable_upstream()->add_servers("10.0.0." + std::to_string(i));
  EXPECT_EQ(lines(check(config)), (Lines{"eal.worker_cpus[1]: 1 stands in the list twice",
                                         "upstream.servers: has 17 elements; at most 16 are allowed"}));
}

TEST(Check, DevicesTapsAndAddressesBelongToOnePort) {
  auto config = good();
  auto* port = config.add_ports();
  port->set_device("net_af_xdp0,iface=eth2");
  port->set_tap("swtap0");
  port->add_addresses("10.53.1.1/32");
  EXPECT_EQ(lines(check(config)),
            (Lines{"ports[1].device: net_af_xdp0 is also the device of ports[0]",
                   "ports[1].tap: swtap0 is also the tap of ports[0]",
                   "ports[1].addresses[0]: 10.53.1.1 is already an address of ports[0]"}));
}

TEST(Check, SomePortNeedsAnAddress) {
  auto config = good();
  config.mutable_ports(0)->clear_addresses();
  EXPECT_EQ(lines(check(config)),
            Lines{"ports[0].addresses: is empty on every port: at least one service address is "
                  "needed, such as 192.0.2.1/24"});
}

TEST(Check, BuffersMustCoverTheDescriptors) {
  auto config = good();
  config.mutable_ports(0)->set_mbufs(2047);
  EXPECT_EQ(lines(check(config)),
            Lines{"ports[0].mbufs: 2047 is too few: 1 worker(s) with 1024 + 1024 descriptors "
                  "need at least 2048"});
  config.mutable_ports(0)->set_mbufs(2048);
  EXPECT_EQ(lines(check(config)), Lines{});
}

TEST(Check, APrefixHasOneFate) {
  auto config = good();
  auto* acl = config.mutable_guard()->mutable_acl();
  acl->add_allow("10.0.0.0/8");
  acl->add_deny("10.0.0.0/8");
  EXPECT_EQ(
      lines(check(config)),
      Lines{"guard.acl.deny[0]: 10.0.0.0/8 stands in guard.acl.allow as well; a prefix can have one fate"});
}

TEST(Check, RelationsCountDefaults) {
  auto config = good();
  config.mutable_cache()->set_stale_client_ms(5000);  // the default deadline is 5000
  EXPECT_EQ(lines(check(config)),
            Lines{"cache.stale_client_ms: 5000 must be less than upstream.deadline_ms, 5000, or "
                  "nothing stale is ever given"});
  config.mutable_cache()->set_stale_max_s(0);  // serve-stale off: the relation is moot
  EXPECT_EQ(lines(check(config)), Lines{});
  config.mutable_cache()->set_min_ttl_s(3600);
  config.mutable_cache()->set_max_ttl_s(60);
  config.mutable_upstream()->set_max_waiters(64);
  config.mutable_stream()->set_max_connections(1);
  config.mutable_upstream()->set_deadline_ms(700);
  EXPECT_EQ(lines(check(config)),
            (Lines{"cache.min_ttl_s: 3600 is more than cache.max_ttl_s, 60",
                   "upstream.timeout_ms: 800 is more than upstream.deadline_ms, 700",
                   "upstream.max_waiters: 64 is less than upstream.max_pending, 16384",
                   "stream.max_connections_per_client: 128 is more than stream.max_connections, 1"}));
}

TEST(Check, ResolverStaysOnLoopbackAndUnprivileged) {
  v1::Config config;
  config.mutable_node()->set_name("n1");
  *config.mutable_dataplane() = good();
  config.mutable_resolver()->set_address("192.0.2.1");
  config.mutable_resolver()->set_user("root");
  EXPECT_EQ(
      lines(check(config)),
      (Lines{
          "resolver.address: 192.0.2.1 is not a loopback address: the resolver serves this node alone; use "
          "127.0.0.1",
          "resolver.user: the resolver must not run as root; use unbound"}));
}

TEST(Check, NoResolverNeedsUpstreams) {
  v1::Config config;
  config.mutable_node()->set_name("n1");
  *config.mutable_dataplane() = good();
  config.mutable_resolver()->set_mode(v1::NONE);
  EXPECT_EQ(lines(check(config)),
            Lines{"dataplane.upstream.servers: is required with resolver.mode: none; name the "
                  "resolvers to ask, such as 192.0.2.53@53"});
  config.mutable_dataplane()->mutable_upstream()->add_servers("192.0.2.53");
  EXPECT_EQ(lines(check(config)), Lines{});
}

std::vector<std::string> lines_of_node(const v1::NodeConfig& node) {
  std::vector<Problem> problems;
  check_relations(node, "node", problems);
  return lines(problems);
}

TEST(Check, ReadersOfTheLedgerAreAdminUsers) {
  v1::NodeConfig node;
  node.add_admin_users("alice");
  for (const char* reader : {"root", "alice", "bob"}) node.add_ledger_readers(reader);
  EXPECT_EQ(
      lines_of_node(node),
      Lines{"node.ledger_readers[2]: bob is not in node.admin_users, so the admin socket turns it away; "
            "add it there, too"});
}

std::vector<std::string> lines_of_swarm(const v1::SwarmConfig& swarm) {
  std::vector<Problem> problems;
  check_relations(swarm, "swarm", problems);
  return lines(problems);
}

TEST(Check, AWildcardIsNotWhatPeersCanConnectTo) {
  v1::SwarmConfig swarm;
  EXPECT_EQ(lines_of_swarm(swarm), Lines{});
  swarm.set_advertise("ns1.example.net");
  EXPECT_EQ(lines_of_swarm(swarm),
            Lines{"swarm.advertise: means nothing without swarm.listen; set that, or leave this out"});
  for (const char* every : {"0.0.0.0@8453", "::"}) {
    swarm.set_listen(every);
    EXPECT_EQ(lines_of_swarm(swarm), Lines{});
    swarm.clear_advertise();
    EXPECT_EQ(lines_of_swarm(swarm),
              Lines{"swarm.advertise: is required when swarm.listen is every address of the machine (" +
                    std::string(every) + "); say which of them the other nodes connect to"});
    swarm.set_advertise("10.54.0.1");
  }
}

}  // namespace
}  // namespace swarmdns::config
