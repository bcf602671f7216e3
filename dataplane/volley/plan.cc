// What follows from the options as a whole, and which of them do not go together.
#include <algorithm>
#include <bit>
#include <cmath>

#include "dataplane/volley/options.h"
#include "dataplane/volley/outstanding.h"
#include "proto/dns/types.h"

namespace swarmdns::volley {
namespace {

using Failure = std::unexpected<std::string>;

// One address of each family at most.
std::expected<void, std::string> split(const std::vector<net::Address>& addresses, const std::string& option,
                                       std::optional<net::Address>& v4, std::optional<net::Address>& v6) {
  for (const net::Address& address : addresses) {
    auto& place = address.is_v4() ? v4 : v6;
    if (place) return Failure(option + ": give one IPv4 and one IPv6 address at most");
    place = address;
  }
  return {};
}

std::expected<void, std::string> check_families(const Options& options, const Plan& plan) {
  for (const bool v6 : {false, true}) {
    const std::string family = v6 ? "IPv6" : "IPv4";
    const bool target = (v6 ? plan.target_v6 : plan.target_v4).has_value();
    const bool source =
        std::ranges::any_of(options.sources, [&](const net::Prefix& p) { return p.is_v4() != v6; });
    if (target && !source)
      return Failure("--source: client addresses of " + family + " are missing, there is a target of it");
    if (source && !target)
      return Failure("--target: a target of " + family + " is missing, there are client addresses of it");
  }
  for (const net::Address& gateway : options.gateways) {
    if (!(gateway.is_v4() ? plan.target_v4 : plan.target_v6))
      return Failure("--gateway: " + gateway.to_text() + " is of a family that has no target");
  }
  return {};
}

std::expected<void, std::string> choose_ports(const Options& options, Plan& plan) {
  constexpr std::uint32_t kMostPorts = 16384;
  if (options.ports != 0 && (!std::has_single_bit(options.ports) || options.ports > kMostPorts))
    return Failure("--ports: " + std::to_string(options.ports) + " is no power of two from 1 to 16384");
  // As many queries as may wait for a reply at a time, and some room.
  const double open = options.rate * options.timeout_s * 1.25;
  const auto wanted = std::max(std::ceil(open / Outstanding::kIds), 1.0);
  if (wanted > kMostPorts)
    return Failure(
        "--timeout: at that rate more queries would be open than there are ports and IDs; "
        "lower --timeout or --rate");
  const auto least = std::bit_ceil(static_cast<std::uint32_t>(wanted));
  if (options.ports != 0 && options.ports < least)
    return Failure("--ports: " + std::to_string(options.ports) +
                   " source ports are too few for that rate and "
                   "time-out; give " +
                   std::to_string(least) + " or more, or a shorter --timeout");
  plan.ports = options.ports != 0 ? options.ports : std::max<std::uint32_t>(least, 16);
  plan.first_port = options.first_port != 0
                        ? options.first_port
                        : static_cast<std::uint16_t>(65536 - std::max(plan.ports, 16384U));
  if (plan.first_port + plan.ports > 65536)
    return Failure("--first-port: from there on there are no " + std::to_string(plan.ports) + " ports");
  return {};
}

std::expected<void, std::string> choose_rcodes(const Options& options, Plan& plan) {
  plan.good_rcodes = options.good_rcodes.empty() ? 0b1001 : 0;
  for (const std::string& word : options.good_rcodes) {
    if (word == "any" || word == "ANY") {
      plan.good_rcodes = ~0U;
      continue;
    }
    const auto rcode = dns::rcode_from_text(word);
    if (!rcode || dns::to_u16(*rcode) > 31)
      return Failure("--expect-rcode: \"" + word +
                     "\" is no response code; write NOERROR, NXDOMAIN, ... or ANY");
    plan.good_rcodes |= 1U << dns::to_u16(*rcode);
  }
  return {};
}

}  // namespace

std::expected<Plan, std::string> make_plan(const Options& options) {
  Plan plan;
  if (auto ok = split(options.targets, "--target", plan.target_v4, plan.target_v6); !ok)
    return Failure(ok.error());
  plan.next_hop_v4 = plan.target_v4;
  plan.next_hop_v6 = plan.target_v6;
  std::optional<net::Address> gateway_v4;
  std::optional<net::Address> gateway_v6;
  if (auto ok = split(options.gateways, "--gateway", gateway_v4, gateway_v6); !ok) return Failure(ok.error());
  if (gateway_v4) plan.next_hop_v4 = gateway_v4;
  if (gateway_v6) plan.next_hop_v6 = gateway_v6;
  plan.taken = options.targets;
  plan.taken.insert(plan.taken.end(), options.gateways.begin(), options.gateways.end());
  if (auto ok = check_families(options, plan); !ok) return Failure(ok.error());
  plan.v6_share = !plan.target_v6 ? 0 : !plan.target_v4 ? 1 : options.v6_share / 100;

  if (options.duration_s == 0 && options.count == 0)
    return Failure("--duration or --count: say when the run ends");
  if (options.dnssec_ok > options.edns) return Failure("--do: more queries than have EDNS; raise --edns");
  if (options.cookies > options.edns) return Failure("--cookies: more queries than have EDNS; raise --edns");
  if (options.echo && !options.expectations.empty())
    return Failure("--expect: a peer that sends queries back (--echo) gives no answers to compare");
  if (auto ok = choose_rcodes(options, plan); !ok) return Failure(ok.error());
  if (auto ok = choose_ports(options, plan); !ok) return Failure(ok.error());
  return plan;
}

}  // namespace swarmdns::volley
