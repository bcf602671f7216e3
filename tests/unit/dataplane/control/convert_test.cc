#include "dataplane/control/convert.h"

#include <gtest/gtest.h>

#include "dataplane/control/configurator.h"
#include "tests/unit/dataplane/control/sample_config.h"

namespace swarmdns::control {
namespace {

net::Address address(const char* text) {
  return net::Address::parse(text).value();
}

TEST(Convert, InterfaceIsAddressAndNetwork) {
  const auto v4 = parse_interface("10.53.1.1/24");
  ASSERT_TRUE(v4) << v4.error();
  EXPECT_EQ(v4->address, address("10.53.1.1"));
  EXPECT_TRUE(v4->network.contains(address("10.53.1.200")));
  EXPECT_FALSE(v4->network.contains(address("10.53.2.1")));
  const auto v6 = parse_interface("fd53:1::1/64");
  ASSERT_TRUE(v6) << v6.error();
  EXPECT_TRUE(v6->network.contains(address("fd53:1::ffff")));
  EXPECT_FALSE(v6->network.contains(address("fd53:2::1")));
  EXPECT_FALSE(parse_interface("10.53.1.1"));
  EXPECT_FALSE(parse_interface("10.53.1.1/33"));
}

TEST(Convert, DefaultAclIsLoopbackAndConnected) {
  const auto policy = build_policy(sample_config(), {guard::CookieSecret{}}, nullptr, {});
  ASSERT_TRUE(policy) << policy.error();
  const guard::Acl& acl = *(*policy)->acl;
  EXPECT_EQ(acl.check(address("10.53.1.77")), guard::AclAction::Allow);
  EXPECT_EQ(acl.check(address("fd53:1::77")), guard::AclAction::Allow);
  EXPECT_EQ(acl.check(address("127.0.0.1")), guard::AclAction::Allow);
  EXPECT_EQ(acl.check(address("192.0.2.1")), guard::AclAction::Refuse);
}

TEST(Convert, AllowReplacesTheDefaultAndDenyCutsOut) {
  v1::DataplaneConfig config = sample_config();
  config.mutable_guard()->mutable_acl()->add_allow("192.0.2.0/24");
  config.mutable_guard()->mutable_acl()->add_deny("192.0.2.128/25");
  config.mutable_guard()->mutable_acl()->set_otherwise(v1::ACL_DENY);
  const auto policy = build_policy(config, {guard::CookieSecret{}}, nullptr, {});
  ASSERT_TRUE(policy) << policy.error();
  const guard::Acl& acl = *(*policy)->acl;
  EXPECT_EQ(acl.check(address("192.0.2.1")), guard::AclAction::Allow);
  EXPECT_EQ(acl.check(address("192.0.2.200")), guard::AclAction::Deny);
  EXPECT_EQ(acl.check(address("10.53.1.77")), guard::AclAction::Deny);
}

TEST(Convert, ErrorsNameTheField) {
  v1::DataplaneConfig config = sample_config();
  config.mutable_guard()->mutable_rate_limit()->add_exempt("10.0.0.1/8");
  const auto policy = build_policy(config, {guard::CookieSecret{}}, nullptr, {});
  ASSERT_FALSE(policy);
  EXPECT_EQ(policy.error().find("guard.rate_limit.exempt[0]: "), 0U) << policy.error();

  config = sample_config();
  config.mutable_upstream()->add_servers("nonsense");
  const auto options = miss_options(config);
  ASSERT_FALSE(options);
  EXPECT_EQ(options.error().find("upstream.servers[1]: "), 0U) << options.error();
}

TEST(Convert, SwitchedOffPartsAreAbsent) {
  v1::DataplaneConfig config = sample_config();
  config.mutable_guard()->mutable_cookies()->set_disabled(true);
  config.mutable_guard()->mutable_rate_limit()->set_disabled(true);
  config.mutable_service()->set_nsid("-");
  config.mutable_service()->set_version("-");
  const auto policy = build_policy(config, {}, guard::RateLimiter::create({}), {});
  ASSERT_TRUE(policy) << policy.error();
  EXPECT_EQ((*policy)->cookies, nullptr);
  EXPECT_EQ((*policy)->rate_limiter, nullptr);
  EXPECT_EQ((*policy)->service.nsid, "");
  EXPECT_EQ((*policy)->service.version, "");
  EXPECT_EQ((*policy)->service.identity, "n1");
}

TEST(Convert, PortsAnswerToTheirOwnAddressesOnly) {
  v1::DataplaneConfig config = sample_config();
  config.add_ports()->add_addresses("192.0.2.1/24");
  config.mutable_service()->add_own_prefixes("198.51.100.0/24");
  const auto ports = port_identities(config, {{2, 0, 0, 0, 0, 1}});
  ASSERT_TRUE(ports) << ports.error();
  ASSERT_EQ(ports->size(), 2U);
  const net::PortIdentity& first = *(*ports)[0];
  EXPECT_EQ(first.mac(), (net::MacAddress{2, 0, 0, 0, 0, 1}));
  EXPECT_TRUE(first.service().contains(address("10.53.1.1")));
  EXPECT_TRUE(first.service().contains(address("fd53:1::1")));
  EXPECT_FALSE(first.service().contains(address("192.0.2.1")));
  EXPECT_TRUE(first.is_martian(address("10.53.1.1")));
  EXPECT_TRUE(first.is_martian(address("192.0.2.1"))) << "an address of the other port";
  EXPECT_FALSE(first.is_martian(address("192.0.2.2")));
  EXPECT_TRUE(first.is_martian(address("198.51.100.7")));
}

TEST(Convert, UpstreamPortDefaultsTo53) {
  v1::DataplaneConfig config = sample_config();
  config.mutable_upstream()->clear_servers();
  config.mutable_upstream()->add_servers("9.9.9.9");
  config.mutable_upstream()->add_servers("::1@5353");
  const auto options = miss_options(config);
  ASSERT_TRUE(options) << options.error();
  ASSERT_EQ(options->servers.size(), 2U);
  EXPECT_EQ(options->servers[0], (miss::Server{address("9.9.9.9"), 53}));
  EXPECT_EQ(options->servers[1], (miss::Server{address("::1"), 5353}));
}

}  // namespace
}  // namespace swarmdns::control
