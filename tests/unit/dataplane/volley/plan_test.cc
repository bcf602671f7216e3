#include <gtest/gtest.h>

#include "dataplane/volley/options.h"

namespace swarmdns::volley {
namespace {

Options good() {
  Options options;
  options.targets = {*net::Address::parse("10.53.1.1")};
  options.sources = {*net::Prefix::parse("10.53.1.64/26")};
  options.duration_s = 1;
  return options;
}

// The option named by the error, or "good".
std::string fault(const Options& options) {
  const auto plan = make_plan(options);
  return plan ? "good" : plan.error().substr(0, plan.error().find(':'));
}

TEST(Plan, TakesOneFamilyOrBoth) {
  Options options = good();
  EXPECT_EQ(make_plan(options)->v6_share, 0);
  options.sources.push_back(*net::Prefix::parse("fd53::/64"));
  EXPECT_EQ(fault(options), "--target");
  options.targets.push_back(*net::Address::parse("fd53:1::1"));
  EXPECT_EQ(make_plan(options)->v6_share, 0.5);
  options.sources.erase(options.sources.begin());
  EXPECT_EQ(fault(options), "--source");
  options.targets.erase(options.targets.begin());
  EXPECT_EQ(make_plan(options)->v6_share, 1);
  options.targets.push_back(*net::Address::parse("fd53:1::2"));
  EXPECT_EQ(fault(options), "--target");
}

TEST(Plan, GatewaysTakeTheirTargetsPlace) {
  Options options = good();
  EXPECT_EQ(make_plan(options)->next_hop_v4, options.targets[0]);
  options.gateways = {*net::Address::parse("10.53.1.254")};
  const auto plan = make_plan(options);
  EXPECT_EQ(plan->next_hop_v4, options.gateways[0]);
  EXPECT_EQ(plan->taken.size(), 2U);
  options.gateways = {*net::Address::parse("fd53::1")};
  EXPECT_EQ(fault(options), "--gateway");
}

TEST(Plan, PortsFollowFromRateAndTimeout) {
  Options options = good();
  EXPECT_EQ(make_plan(options)->ports, 16U);
  EXPECT_EQ(make_plan(options)->first_port, 49152);
  options.rate = 5e6;
  options.timeout_s = 1;  // 6.25 million open ones: 96 ports
  EXPECT_EQ(make_plan(options)->ports, 128U);
  options.ports = 64;
  EXPECT_EQ(fault(options), "--ports");
  options.ports = 100;
  EXPECT_EQ(fault(options), "--ports");
  options.ports = 0;
  options.rate = 1e9;
  options.timeout_s = 10;
  EXPECT_EQ(fault(options), "--timeout");
  options = good();
  options.first_port = 65530;
  EXPECT_EQ(fault(options), "--first-port");
  options.ports = 4;
  EXPECT_EQ(make_plan(options)->first_port, 65530);
}

TEST(Plan, RefusesWhatContradictsItself) {
  Options options = good();
  options.duration_s = 0;
  EXPECT_EQ(fault(options), "--duration or --count");
  options = good();
  options.edns = 50;
  options.dnssec_ok = 60;
  EXPECT_EQ(fault(options), "--do");
  options.dnssec_ok = 0;
  options.cookies = 60;
  EXPECT_EQ(fault(options), "--cookies");
  options = good();
  options.echo = true;
  EXPECT_EQ(fault(options), "good");
  options.expectations = "file";
  EXPECT_EQ(fault(options), "--expect");
}

TEST(Plan, ReadsResponseCodes) {
  Options options = good();
  EXPECT_EQ(make_plan(options)->good_rcodes, 0b1001U);
  options.good_rcodes = {"refused", "NOERROR"};
  EXPECT_EQ(make_plan(options)->good_rcodes, 0b100001U);
  options.good_rcodes = {"ANY"};
  EXPECT_EQ(make_plan(options)->good_rcodes, 0xffffffffU);
  options.good_rcodes = {"FINE"};
  EXPECT_EQ(fault(options), "--expect-rcode");
}

}  // namespace
}  // namespace swarmdns::volley
