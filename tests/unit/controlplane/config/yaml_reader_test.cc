#include "controlplane/config/yaml_reader.h"

#include <gtest/gtest.h>

namespace swarmdns::controlplane {
namespace {

// Lines 1-8 of every file below; a test's own text starts in line 9, inside `dataplane:`.
const char* const kHead =
    "node:\n"
    "  name: n1\n"
    "dataplane:\n"
    "  eal: {worker_cpus: [1]}\n"
    "  ports:\n"
    "    - device: net_af_xdp0,iface=eth1\n"
    "      addresses:\n"
    "        - 10.53.1.1/24\n";

std::string errors_of(const std::string& yaml) {
  const auto loaded = parse_config(yaml, "node.yaml");
  return loaded ? "" : to_string(loaded.error());
}
std::string errors_below_head(const std::string& yaml) {
  return errors_of(kHead + yaml);
}

TEST(ParseConfig, AcceptsTheLeast) {
  const auto loaded = parse_config(kHead, "node.yaml");
  ASSERT_TRUE(loaded) << to_string(loaded.error());
  EXPECT_EQ(loaded->config.node().name(), "n1");
  EXPECT_EQ(loaded->config.dataplane().eal().worker_cpus(0), 1u);
  EXPECT_FALSE(loaded->config.dataplane().cache().has_memory_mib());
  EXPECT_EQ(loaded->lines.at("dataplane.ports[0].addresses[0]"), 8);
}

TEST(ParseConfig, ReadsEveryKindOfValue) {
  const auto loaded =
      parse_config(std::string(kHead) +
                       "  worker: {idle: spin, burst: 64}\n"
                       "  cache: {memory_mib: 32768, hugepages: true, stale_max_s: 0}\n"
                       "  guard:\n"
                       "    acl: {otherwise: deny, allow: ['10.0.0.0/8', \"::/0\"]}\n"
                       "resolver: {val_override_date: 20200601000000, trust_anchor_file: ''}\n",
                   "node.yaml");
  ASSERT_TRUE(loaded) << to_string(loaded.error());
  const v1::DataplaneConfig& dataplane = loaded->config.dataplane();
  EXPECT_EQ(dataplane.worker().idle(), v1::SPIN);
  EXPECT_EQ(dataplane.cache().memory_mib(), 32768u);
  EXPECT_TRUE(dataplane.cache().hugepages());
  EXPECT_TRUE(dataplane.cache().has_stale_max_s());
  EXPECT_EQ(dataplane.guard().acl().otherwise(), v1::ACL_DENY);
  EXPECT_EQ(dataplane.guard().acl().allow(1), "::/0");
  EXPECT_EQ(loaded->config.resolver().val_override_date(), "20200601000000");
  EXPECT_TRUE(loaded->config.resolver().has_trust_anchor_file());
}

TEST(ParseConfig, AnchorsAndEmptySectionsAreFine) {
  const auto loaded = parse_config(std::string(kHead) +
                                       "  guard:\n"
                                       "    acl: {allow: &ours [10.0.0.0/8]}\n"
                                       "    rate_limit: {exempt: *ours}\n"
                                       "  cache:\n",
                                   "node.yaml");
  ASSERT_TRUE(loaded) << to_string(loaded.error());
  EXPECT_EQ(loaded->config.dataplane().guard().rate_limit().exempt(0), "10.0.0.0/8");
}

TEST(ParseConfig, UnknownKeyWithAndWithoutAGuess) {
  EXPECT_EQ(errors_below_head("  cahce: {memory_mib: 64}\n"),
            "node.yaml:9: dataplane.cahce: unknown key; did you mean \"cache\"?\n");
  EXPECT_EQ(
      errors_below_head("  worker: {colour: red}\n"),
      "node.yaml:9: dataplane.worker.colour: unknown key; known here: idle, idle_max_sleep_us, burst\n");
}

TEST(ParseConfig, DuplicateKey) {
  EXPECT_EQ(errors_below_head("  cache: {memory_mib: 64}\n  worker: {}\n  cache: {memory_mib: 128}\n"),
            "node.yaml:11: dataplane.cache: stands here a second time; the first is in line 9\n");
}

TEST(ParseConfig, OutOfRange) {
  EXPECT_EQ(errors_below_head("  cache:\n    memory_mib: 4\n"),
            "node.yaml:10: dataplane.cache.memory_mib: 4 is out of range: must be a whole number from 16 to "
            "32768 "
            "(MiB)\n");
  EXPECT_EQ(
      errors_below_head("  cache: {max_ttl_s: -1}\n"),
      "node.yaml:9: dataplane.cache.max_ttl_s: -1 is out of range: must be a whole number from 60 to 604800 "
      "(s)\n");
  EXPECT_EQ(
      errors_below_head("  cache: {max_ttl_s: 4294967296}\n"),
      "node.yaml:9: dataplane.cache.max_ttl_s: 4294967296 is out of range: must be a whole number from 60 to "
      "604800 (s)\n");
  EXPECT_EQ(errors_below_head("  cache: {memory_mib: 99999999999999999999999}\n"),
            "node.yaml:9: dataplane.cache.memory_mib: 99999999999999999999999 is out of range: must be a "
            "whole number "
            "from 16 to 32768 (MiB)\n");
}

TEST(ParseConfig, WrongType) {
  EXPECT_EQ(
      errors_below_head("  cache: {memory_mib: lots}\n"),
      "node.yaml:9: dataplane.cache.memory_mib: \"lots\" must be a whole number from 16 to 32768 (MiB)\n");
  EXPECT_EQ(
      errors_below_head("  cache: {memory_mib: 64.5}\n"),
      "node.yaml:9: dataplane.cache.memory_mib: \"64.5\" must be a whole number from 16 to 32768 (MiB)\n");
  EXPECT_EQ(errors_below_head("  cache: {hugepages: 1}\n"),
            "node.yaml:9: dataplane.cache.hugepages: \"1\" must be true or false\n");
  EXPECT_EQ(errors_below_head("  cache: {memory_mib: [64]}\n"),
            "node.yaml:9: dataplane.cache.memory_mib: is a list: must be a whole number from 16 to 32768 "
            "(MiB)\n");
  EXPECT_EQ(errors_below_head("  cache: 64\n"),
            "node.yaml:9: dataplane.cache: is a single value; a mapping with some of these keys is needed: "
            "memory_mib, "
            "max_entry_bytes, min_ttl_s, max_ttl_s, max_negative_ttl_s, servfail_ttl_s, stale_max_s, "
            "stale_client_ms, "
            "stale_ttl_s, stale_recheck_s, prefetch_percent, eviction, hugepages, journal_entries, "
            "restart_snapshot_s\n");
  EXPECT_EQ(errors_below_head("  upstream: {servers: 127.0.0.1}\n"),
            "node.yaml:9: dataplane.upstream.servers: is a single value; a list is needed ([] for none), "
            "each element "
            "an address, or an address and port such as 192.0.2.1@53\n");
}

TEST(ParseConfig, EnumWords) {
  EXPECT_EQ(errors_below_head("  worker: {idle: adaptve}\n"),
            "node.yaml:9: dataplane.worker.idle: \"adaptve\" is unknown: must be one of: adaptive, spin; did "
            "you mean "
            "\"adaptive\"?\n");
  EXPECT_EQ(
      errors_below_head("  worker: {idle: SLEEPING_BEAUTY}\n"),
      "node.yaml:9: dataplane.worker.idle: \"SLEEPING_BEAUTY\" is unknown: must be one of: adaptive, spin\n");
}

TEST(ParseConfig, NoValue) {
  EXPECT_EQ(errors_below_head("  cache:\n    memory_mib:\n"),
            "node.yaml:10: dataplane.cache.memory_mib: has no value: give a whole number from 16 to 32768 "
            "(MiB), or "
            "leave the key out\n");
}

TEST(ParseConfig, Format) {
  EXPECT_EQ(
      errors_below_head("  guard:\n    acl:\n      allow:\n        - 10.0.0.0/8\n        - 10.53.1.1/24\n"),
      "node.yaml:13: dataplane.guard.acl.allow[1]: \"10.53.1.1/24\" has bits set behind its length; write "
      "10.53.1.0/24\n");
  EXPECT_EQ(errors_below_head("resolver: {trust_anchor_file: root.key}\n"),
            "node.yaml:9: resolver.trust_anchor_file: \"root.key\" is not an absolute path, nor \"\" (no "
            "validation)\n");
}

TEST(ParseConfig, FieldsOfTheControlPlaneAreNotAccepted) {
  EXPECT_EQ(
      errors_below_head("  node_name: n1\n"),
      "node.yaml:9: dataplane.node_name: is filled in by the control plane; set it under node: instead\n");
}

TEST(ParseConfig, MissingFieldsAreNamedAtWhatIsAroundThem) {
  EXPECT_EQ(errors_of("node: {region: x}\n"
                      "dataplane:\n"
                      "  ports:\n"
                      "    - addresses: [10.0.0.1/24]\n"),
            "node.yaml:1: node.name: is required: a host label: 1 to 63 of a-z, 0-9 and -, with no - at "
            "either end\n"
            "node.yaml:2: dataplane.eal.worker_cpus: is required: a list, each element a whole number from 0 "
            "to 1023\n"
            "node.yaml:4: dataplane.ports[0].device: is required: a PCI address such as 0000:01:00.0 or a "
            "DPDK vdev "
            "such as net_af_xdp0,iface=eth1\n");
}

TEST(ParseConfig, RelationsHaveALineToo) {
  EXPECT_EQ(errors_below_head("  cache:\n    min_ttl_s: 3600\n    max_ttl_s: 60\n"),
            "node.yaml:10: dataplane.cache.min_ttl_s: 3600 is more than cache.max_ttl_s, 60\n");
}

TEST(ParseConfig, AllProblemsAtOnceInTheOrderOfTheLines) {
  EXPECT_EQ(errors_below_head("  worker: {burst: 1000}\n"
                              "  cahce: {}\n"
                              "  stream: {threads: none}\n"
                              "resolver: {port: 5353}\n"),
            "node.yaml:9: dataplane.worker.burst: 1000 is out of range: must be a whole number from 8 to 64\n"
            "node.yaml:10: dataplane.cahce: unknown key; did you mean \"cache\"?\n"
            "node.yaml:11: dataplane.stream.threads: \"none\" must be a whole number from 1 to 64\n"
            "node.yaml:12: resolver.port: 5353 is out of range: must be a whole number from 1 to 1023\n");
}

TEST(ParseConfig, AnUnreadableListIsNotAlsoMissing) {
  EXPECT_EQ(errors_of("node: {name: n1}\n"
                      "dataplane:\n"
                      "  eal: {worker_cpus: [one]}\n"
                      "  ports: [{device: net_null0, addresses: [10.0.0.1/24]}]\n"),
            "node.yaml:3: dataplane.eal.worker_cpus[0]: \"one\" must be a whole number from 0 to 1023\n");
}

TEST(ParseConfig, NotYaml) {
  EXPECT_EQ(errors_of("node: {name: n1\n"), "node.yaml:2: is not YAML: end of map flow not found\n");
  EXPECT_EQ(errors_of("node:\n\tname: n1\n").substr(0, 27), "node.yaml:2: is not YAML: i");
  EXPECT_EQ(errors_of(""), "node.yaml: is empty; see docs/examples/node.yaml for the least that is needed\n");
  EXPECT_EQ(errors_of("# nothing\n"),
            "node.yaml: is empty; see docs/examples/node.yaml for the least that is needed\n");
  EXPECT_EQ(errors_of("- a\n- b\n"),
            "node.yaml:1: is a list; a mapping with some of these keys is needed: node, dataplane, resolver, "
            "swarm\n");
  EXPECT_EQ(errors_of("node: {name: n1}\n---\nnode: {name: n2}\n"),
            "node.yaml:3: holds a second document; one is allowed\n");
}

TEST(ParseConfig, HostileInputIsAnErrorAndNothingElse) {
  EXPECT_NE(errors_of(std::string(100000, '[')), "");
  EXPECT_NE(errors_of("a: &a [*a, *a]\n"), "");
  EXPECT_NE(errors_of(std::string("node: {name: \"n1\0x\"}\n", 22)), "");
  EXPECT_NE(errors_of("? [a, b]\n: c\n"), "");
  EXPECT_NE(errors_below_head("  <<: {}\n"), "");
}

TEST(LoadConfig, NamesTheFileThatIsNotThere) {
  const auto loaded = load_config("/nonexistent/node.yaml");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(to_string(loaded.error()),
            "/nonexistent/node.yaml: cannot open /nonexistent/node.yaml: No such file or directory\n");
}

TEST(LineOf, FallsBackToWhatIsAround) {
  const std::map<std::string, int> lines = {{"a", 1}, {"a.b[0]", 3}};
  EXPECT_EQ(line_of(lines, "a.b[0].c"), 3);
  EXPECT_EQ(line_of(lines, "a.b[1].c"), 1);
  EXPECT_EQ(line_of(lines, "x.y"), 0);
}

}  // namespace
}  // namespace swarmdns::controlplane
