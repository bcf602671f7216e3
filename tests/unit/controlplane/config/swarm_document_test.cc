#include "controlplane/config/swarm_document.h"

#include <gtest/gtest.h>

#include "controlplane/config/yaml_reader.h"

namespace swarmdns::controlplane {
namespace {

SwarmDocument parsed(const std::string& yaml) {
  auto document = parse_swarm_document(yaml, "swarm.yaml");
  EXPECT_TRUE(document) << to_string(document.error());
  return document ? std::move(*document) : SwarmDocument();
}

std::string problems(const std::string& yaml) {
  const auto document = parse_swarm_document(yaml, "swarm.yaml");
  return document ? "" : to_string(document.error());
}

v1::Config local() {
  const auto loaded = parse_config(
      "node: {name: n1, region: east, admin_users: [alice]}\n"
      "dataplane:\n"
      "  eal: {worker_cpus: [1]}\n"
      "  ports: [{device: net_null0, addresses: [192.0.2.1/24]}]\n"
      "  cache: {memory_mib: 64, max_ttl_s: 3600}\n"
      "  guard: {acl: {allow: [192.0.2.0/24], deny: [198.51.100.0/24]}}\n"
      "resolver: {forwarders: [192.0.2.53]}\n",
      "node.yaml");
  EXPECT_TRUE(loaded) << to_string(loaded.error());
  return loaded ? loaded->config : v1::Config();
}

const char* const kDocument =
    "all:\n"
    "  dataplane:\n"
    "    cache: {max_ttl_s: 600, min_ttl_s: 5}\n"
    "    guard: {acl: {allow: [10.0.0.0/8, 2001:db8::/32], deny: []}}\n"
    "regions:\n"
    "  east: {dataplane: {cache: {max_ttl_s: 700}}}\n"
    "  west: {dataplane: {cache: {max_ttl_s: 800}}}\n"
    "nodes:\n"
    "  n1: {dataplane: {cache: {memory_mib: 128}}, resolver: {forwarders: [192.0.2.54, 192.0.2.55]}}\n"
    "  n2: {dataplane: {cache: {memory_mib: 256}}}\n";

TEST(SwarmDocument, SecretsDoNotGoToTheLedger) {
  for (const std::string part : {"all", "regions: {east", "nodes: {n1"}) {
    const bool nested = part.find('{') != std::string::npos;
    const auto document = parse_swarm_document(part +
                                                   ": {dataplane: {guard: {cookies: {secrets: "
                                                   "[00112233445566778899aabbccddeeff]}}}}" +
                                                   (nested ? "}" : "") + "\n",
                                               "swarm.yaml");
    ASSERT_FALSE(document) << part;
    EXPECT_NE(
        to_string(document.error()).find("cookies.secrets: are secrets, and the ledger forgets nothing"),
        std::string::npos)
        << to_string(document.error());
  }
}

TEST(SwarmDocument, IsToldFromANodesFile) {
  EXPECT_TRUE(is_swarm_document(kDocument));
  EXPECT_TRUE(is_swarm_document("nodes: {}\n"));
  EXPECT_FALSE(is_swarm_document("node: {name: n1}\n"));
  for (const char* nothing : {"", "- all\n", "all", "{{"})
    EXPECT_FALSE(is_swarm_document(nothing)) << nothing;
}

TEST(EffectiveConfig, LaysAllRegionAndNodeOverTheFile) {
  const v1::Config config = effective_config(local(), parsed(kDocument), "east", "n1");
  EXPECT_EQ(config.dataplane().cache().min_ttl_s(), 5u);     // all
  EXPECT_EQ(config.dataplane().cache().max_ttl_s(), 700u);   // the region over all
  EXPECT_EQ(config.dataplane().cache().memory_mib(), 128u);  // the node over the file
  EXPECT_EQ(config.node().admin_users(0), "alice");          // untouched
  EXPECT_EQ(config.dataplane().ports(0).device(), "net_null0");
}

TEST(EffectiveConfig, ListsAreReplacedAsAWhole) {
  const v1::Config config = effective_config(local(), parsed(kDocument), "east", "n1");
  const auto& acl = config.dataplane().guard().acl();
  ASSERT_EQ(acl.allow_size(), 2);
  EXPECT_EQ(acl.allow(0), "10.0.0.0/8");
  EXPECT_EQ(acl.deny_size(), 0);  // []
  ASSERT_EQ(config.resolver().forwarders_size(), 2);
  EXPECT_EQ(config.resolver().forwarders(1), "192.0.2.55");
}

TEST(EffectiveConfig, WhatIsForOthersIsNotForThisNode) {
  const v1::Config config = effective_config(local(), parsed(kDocument), "north", "n9");
  EXPECT_EQ(config.dataplane().cache().max_ttl_s(), 600u);
  EXPECT_EQ(config.dataplane().cache().memory_mib(), 64u);
  EXPECT_EQ(config.resolver().forwarders_size(), 1);
}

TEST(EffectiveConfig, AnEmptyDocumentChangesNothing) {
  const v1::Config config = effective_config(local(), parsed("all:\n"), "east", "n1");
  EXPECT_EQ(config.SerializeAsString(), local().SerializeAsString());
}

TEST(SwarmDocument, PortsOfANodeMayStandBelowNodes) {
  const SwarmDocument document = parsed(
      "nodes:\n  n1:\n    dataplane:\n      eal: {worker_cpus: [2]}\n      ports: [{device: net_null1}]\n");
  const v1::Config config = effective_config(local(), document, "", "n1");
  ASSERT_EQ(config.dataplane().ports_size(), 1);
  EXPECT_EQ(config.dataplane().ports(0).device(), "net_null1");
  EXPECT_EQ(config.dataplane().ports(0).addresses_size(), 0);  // the list's element is whole
}

TEST(SwarmDocument, WhatDoesNotBelongHereIsRefusedWithTheReason) {
  EXPECT_EQ(
      problems("all:\n"
               "  node:\n"
               "    name: n1\n"
               "    region: east\n"
               "    state_dir: /a\n"
               "    run_dir: /b\n"
               "  swarm: {profile: wan}\n"
               "  dataplane:\n"
               "    eal: {worker_cpus: [1]}\n"
               "    ports: [{device: net_null0}]\n"),
      "swarm.yaml:3: all.node.name: is what the node is found by; it stands in the node's own file\n"
      "swarm.yaml:4: all.node.region: decides which part of this document is the node's; it stands in the "
      "node's own "
      "file\n"
      "swarm.yaml:5: all.node.state_dir: is where the node keeps the ledger; it stands in the node's own "
      "file\n"
      "swarm.yaml:6: all.node.run_dir: cannot change while the node runs; it stands in the node's own file\n"
      "swarm.yaml:7: all.swarm: is how a node reaches the swarm at all; it stands in the node's own file\n"
      "swarm.yaml:9: all.dataplane.eal: is about the CPUs and memory of one machine; put it under nodes: "
      "NAME:, or in "
      "the node's own file\n"
      "swarm.yaml:10: all.dataplane.ports: are of one machine; put them under nodes: NAME:, or in the node's "
      "own "
      "file\n");
  EXPECT_EQ(problems("nodes: {n1: {swarm: {listen: 10.0.0.1}}}\n"),
            "swarm.yaml:1: nodes.n1.swarm: is how a node reaches the swarm at all; it stands in the node's "
            "own file\n");
}

TEST(SwarmDocument, ProblemsNameTheLineAndTheField) {
  EXPECT_EQ(
      problems("all:\n"
               "  dataplane:\n"
               "    cache: {max_ttl_s: 1}\n"
               "regions:\n"
               "  east: {dataplane: {cach: {}}}\n"
               "nodes:\n"
               "  N1: {}\n"
               "  n2: {dataplane: {ports: [{mtu: 1500}]}}\n"
               "  n2: {}\n"
               "node: {}\n"
               "region: {}\n"),
      "swarm.yaml:3: all.dataplane.cache.max_ttl_s: 1 is out of range: must be a whole number from 60 to "
      "604800 "
      "(s)\n"
      "swarm.yaml:5: regions.east.dataplane.cach: unknown key; did you mean \"cache\"?\n"
      "swarm.yaml:7: nodes.N1: \"N1\" is not a host label: 1 to 63 of a-z, 0-9 and -, with no - at either "
      "end\n"
      "swarm.yaml:8: nodes.n2.dataplane.ports[0].device: is required: a PCI address such as 0000:01:00.0 or "
      "a "
      "DPDK vdev such as net_af_xdp0,iface=eth1\n"
      "swarm.yaml:9: nodes.n2: stands here a second time; the first is in line 8\n"
      "swarm.yaml:10: node: stands above the nodes it is for: put it below all:, regions: REGION: or nodes: "
      "NAME:\n"
      "swarm.yaml:11: region: unknown key; did you mean \"regions\"?\n");
  EXPECT_EQ(problems("- all\n"),
            "swarm.yaml:1: is a list; a mapping with some of these keys is needed: all, regions, nodes\n");
  EXPECT_EQ(problems("nodes: [n1]\n"),
            "swarm.yaml:1: nodes: is a list; a mapping is needed, its keys the names of nodes\n");
}

}  // namespace
}  // namespace swarmdns::controlplane
