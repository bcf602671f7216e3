// From the configuration message to what the parts of the data plane take. Pure functions over a
// configuration that has its defaults and has passed config::check; what only shows here (an address list's
// meaning) is an error that names the field. Any slow thread.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/eal/eal.h"
#include "dataplane/guard/acl.h"
#include "dataplane/guard/cookies.h"
#include "dataplane/guard/rate_limit.h"
#include "dataplane/miss/options.h"
#include "dataplane/net/address.h"
#include "dataplane/stream/options.h"
#include "dataplane/worker/policy.h"
#include "swarmdns/v1/config.pb.h"

namespace swarmdns::control {

[[nodiscard]] eal::EalOptions eal_options(const v1::DataplaneConfig& config);

// The address of "ADDRESS/LENGTH", and the network it is in.
struct Interface {
  net::Address address;
  net::Prefix network;
};
[[nodiscard]] std::expected<Interface, std::string> parse_interface(const std::string& text);
// Of all ports, in the order of the configuration.
[[nodiscard]] std::expected<std::vector<Interface>, std::string> service_interfaces(
    const v1::DataplaneConfig& config);

[[nodiscard]] std::expected<miss::Options, std::string> miss_options(const v1::DataplaneConfig& config);
[[nodiscard]] std::expected<miss::Limits, std::string> miss_limits(const v1::DataplaneConfig& config);

[[nodiscard]] stream::Options stream_options(const v1::DataplaneConfig& config);
[[nodiscard]] guard::RateLimitOptions rate_limit_options(const v1::DataplaneConfig& config);

// What each port answers to, in the order of the ports. `macs`: of the ports that are open; a port beyond
// them (in a configuration for the next start) gets none.
[[nodiscard]] std::expected<std::vector<std::shared_ptr<const net::PortIdentity>>, std::string>
port_identities(const v1::DataplaneConfig& config, const std::vector<net::MacAddress>& macs);

// The policy of the packet path. `secrets`: those of the configuration, or the kept ones. `limiter`: the
// table that lives across configurations; it is put in unless rate limiting is off.
[[nodiscard]] std::expected<std::unique_ptr<worker::Policy>, std::string> build_policy(
    const v1::DataplaneConfig& config, const std::vector<guard::CookieSecret>& kept_secrets,
    std::shared_ptr<guard::RateLimiter> limiter, const std::vector<net::MacAddress>& macs);

}  // namespace swarmdns::control
