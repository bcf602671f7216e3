// What the operator asks for. Plain values; checked by command_line.cc as far as one option alone can tell,
// and by make_plan() as a whole.
#pragma once

#include <cstdint>
#include <expected>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/net/address.h"
#include "dataplane/volley/distribution.h"

namespace swarmdns::volley {

inline constexpr double kNoLimit = std::numeric_limits<double>::infinity();

struct Options {  // NOLINT(clang-analyzer-optin.performance.Padding): in the order of the manual
  // The port.
  std::string device;
  std::optional<unsigned> cpu;
  std::optional<unsigned> main_cpu;
  bool hugepages = false;
  std::uint32_t memory_mib = 256;
  std::uint32_t descriptors = 1024;
  std::uint32_t burst = 32;
  std::vector<std::string> eal;

  // The link and its ends.
  std::vector<net::Address> targets;
  std::uint16_t target_port = 53;
  std::vector<net::Address> gateways;
  std::optional<net::MacAddress> mac;
  std::optional<net::MacAddress> own_mac;
  std::optional<std::uint16_t> vlan;
  std::vector<net::Prefix> sources;
  std::uint32_t clients = 65536;
  std::uint32_t ports = 0;       // 0: as many as rate and time-out want
  std::uint16_t first_port = 0;  // 0: the last ones
  double v6_share = 50;

  // The queries.
  std::string queries;
  Order order = Order::List;
  double zipf = 1.0;
  std::uint64_t seed = 1;
  double edns = 100;
  double dnssec_ok = 0;
  double cookies = 0;
  std::uint16_t payload_size = 1232;
  bool random_case = false;
  bool recursion_desired = true;
  bool checking_disabled = false;

  // The run.
  double rate = 0;
  bool random_gaps = false;
  double duration_s = 0;
  std::uint64_t count = 0;
  double warmup_s = 0;
  double timeout_s = 1;
  std::uint64_t window = 512;
  double resolve_s = 10;

  // What replies must be.
  std::string expectations;
  std::vector<std::string> good_rcodes;  // "ANY" alone: all
  bool strict = false;
  bool echo = false;
  bool ignore_checksums = false;

  // Limits and reports.
  double max_loss = kNoLimit;  // per cent
  double max_p99_us = kNoLimit;
  double max_shortfall = 5;  // per cent of a rate's queries that were not sent
  std::uint64_t max_wrong = 0;
  bool progress = false;
  std::string json;
};

// What follows from the options as a whole.
struct Plan {
  std::optional<net::Address> target_v4;
  std::optional<net::Address> target_v6;
  std::optional<net::Address> next_hop_v4;
  std::optional<net::Address> next_hop_v6;
  std::vector<net::Address> taken;  // addresses that no client may have
  std::uint32_t ports = 0;
  std::uint16_t first_port = 0;
  std::uint32_t good_rcodes = 0;
  double v6_share = 0;  // 0-1
};

// The error names the option and the mend.
[[nodiscard]] std::expected<Plan, std::string> make_plan(const Options& options);

}  // namespace swarmdns::volley
