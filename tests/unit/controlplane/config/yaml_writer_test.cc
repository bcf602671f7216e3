#include "controlplane/config/yaml_writer.h"

#include <gtest/gtest.h>

#include "controlplane/config/yaml_reader.h"
#include "proto/config/defaults.h"

namespace swarmdns::controlplane {
namespace {

v1::Config sample() {
  v1::Config config;
  config.mutable_node()->set_name("n1");
  config.mutable_node()->set_region("true");  // text that YAML would read as something else
  config.mutable_dataplane()->mutable_eal()->add_worker_cpus(1);
  auto* port = config.mutable_dataplane()->add_ports();
  port->set_device("net_af_xdp0,iface=eth1");
  port->add_addresses("10.0.0.1/24");
  port->add_addresses("fd53::1/64");
  port->add_routes("::/0 via fd53::ff");
  config.mutable_dataplane()->mutable_service()->set_nsid("-");
  config.mutable_dataplane()->mutable_service()->set_version("1.5");
  config.mutable_dataplane()->mutable_guard()->mutable_cookies()->add_secrets(
      "00112233445566778899001122334455");
  config.mutable_resolver()->add_extra_options("access-control: 10.0.0.0/8 allow # \"quoted\"");
  config.mutable_resolver()->set_val_override_date("20200601000000");
  config.mutable_resolver()->set_trust_anchor_file("");
  return config;
}

TEST(ToYaml, RoundTripsWhatIsSet) {
  const std::string yaml = to_yaml(sample(), false);
  const auto loaded = parse_config(yaml, "x");
  ASSERT_TRUE(loaded) << to_string(loaded.error()) << yaml;
  EXPECT_EQ(loaded->config.DebugString(), sample().DebugString()) << yaml;
}

TEST(ToYaml, RoundTripsAllDefaults) {
  v1::Config filled = sample();
  swarmdns::config::fill_defaults(filled, 2);
  const std::string yaml = to_yaml(filled, false);
  auto loaded = parse_config(yaml, "x");
  ASSERT_TRUE(loaded) << to_string(loaded.error()) << yaml;
  swarmdns::config::fill_defaults(loaded->config, 2);
  EXPECT_EQ(loaded->config.DebugString(), filled.DebugString());
}

TEST(ToYaml, HidesSecrets) {
  const std::string yaml = to_yaml(sample(), true);
  EXPECT_EQ(yaml.find("00112233"), std::string::npos);
  EXPECT_NE(yaml.find("(hidden)"), std::string::npos);
}

TEST(ToYaml, LeavesInternalFieldsOut) {
  v1::Config filled = sample();
  swarmdns::config::fill_defaults(filled, 2);
  EXPECT_EQ(to_yaml(filled, false).find("node_name"), std::string::npos);
}

}  // namespace
}  // namespace swarmdns::controlplane
