#include "dataplane/volley/command_line.h"

#include <gtest/gtest.h>

#include <sstream>

namespace swarmdns::volley {
namespace {

constexpr const char* kNeeded =
    "--device net_null0 --target 10.53.1.1 --source 10.53.1.64/26 --queries q.txt ";

// The exit code of a line that ends the process; nullopt: it goes on.
std::optional<int> parse(const std::string& line, Options& options) {
  std::istringstream in("dnsvolley " + line);
  std::vector<std::string> words{std::istream_iterator<std::string>(in), {}};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  return parse_command_line(static_cast<int>(words.size()), argv.data(), options);
}

std::optional<int> parse(const std::string& line) {
  Options options;
  return parse(kNeeded + line, options);
}

TEST(VolleyCommandLine, TakesWhatItIsGiven) {
  Options options;
  ASSERT_FALSE(
      parse(std::string(kNeeded) +
                "--target fd53:1::1 --source fd53:1:1::/64 --gateway 10.53.1.254 --mac 02:00:00:00:00:01 "
                "--rate 1.5M --random-gaps --zipf 0.9 --expect-rcode NOERROR,REFUSED --no-rd --cd --vlan 7 "
                "--duration 0.5",
            options));
  EXPECT_EQ(options.device, "net_null0");
  EXPECT_EQ(options.targets.size(), 2U);
  EXPECT_EQ(options.sources.size(), 2U);
  EXPECT_EQ(options.gateways.at(0).to_text(), "10.53.1.254");
  EXPECT_EQ(options.mac, (net::MacAddress{2, 0, 0, 0, 0, 1}));
  EXPECT_FALSE(options.own_mac);
  EXPECT_DOUBLE_EQ(options.rate, 1.5e6);
  EXPECT_TRUE(options.random_gaps);
  EXPECT_EQ(options.order, Order::Zipf);
  EXPECT_DOUBLE_EQ(options.zipf, 0.9);
  EXPECT_EQ(options.good_rcodes, (std::vector<std::string>{"NOERROR", "REFUSED"}));
  EXPECT_FALSE(options.recursion_desired);
  EXPECT_TRUE(options.checking_disabled);
  EXPECT_EQ(options.vlan, 7);
  EXPECT_DOUBLE_EQ(options.duration_s, 0.5);
}

TEST(VolleyCommandLine, HasDefaults) {
  Options options;
  ASSERT_FALSE(parse(kNeeded, options));
  EXPECT_EQ(options.order, Order::List);
  EXPECT_EQ(options.rate, 0);
  EXPECT_TRUE(options.recursion_desired);
  EXPECT_EQ(options.max_loss, kNoLimit);
  ASSERT_FALSE(parse(std::string(kNeeded) + "--order uniform --rate 250k", options));
  EXPECT_EQ(options.order, Order::Uniform);
  EXPECT_DOUBLE_EQ(options.rate, 250e3);
}

TEST(VolleyCommandLine, RefusesWhatIsNone) {
  for (const char* line : {"--random-gaps",
                           "--rate 0",
                           "--rate 5G",
                           "--rate nan",
                           "--rate",
                           "--rate 2000M",
                           "--target 10.53.1",
                           "--source 10.0.0.1/8",
                           "--mac 02:00",
                           "--vlan 4095",
                           "--edns 101",
                           "--duration nan",
                           "--duration 0",
                           "--count 0",
                           "--burst 65",
                           "--order popular",
                           "--zipf 1 --order list",
                           "--payload 511",
                           "--nonsense",
                           "stray"}) {
    EXPECT_EQ(parse(line), kUsage) << line;
  }
  Options options;
  EXPECT_EQ(parse("--device net_null0", options), kUsage);
}

TEST(VolleyCommandLine, HelpIsNoError) {
  EXPECT_EQ(parse("--help"), kPassed);
  EXPECT_EQ(parse("--version"), kPassed);
}

}  // namespace
}  // namespace swarmdns::volley
