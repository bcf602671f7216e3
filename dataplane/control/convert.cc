#include "dataplane/control/convert.h"

#include "dataplane/control/cookie_secrets.h"
#include "proto/config/formats.h"

namespace swarmdns::control {
namespace {

std::string indexed(const std::string& field, int index) {
  return field + "[" + std::to_string(index) + "]";
}

net::Address to_address(const config::Address& address) {
  const std::span bytes(address.bytes);
  return address.family == AF_INET ? net::Address::v4(bytes.first<4>()) : net::Address::v6(bytes);
}

std::expected<std::optional<net::Address>, std::string> optional_address(const std::string& text,
                                                                         const std::string& field) {
  if (text.empty()) return std::nullopt;
  const auto address = net::Address::parse(text);
  if (!address) return std::unexpected(field + ": \"" + text + "\" is not an IP address");
  return *address;
}

template <class List>
std::expected<std::vector<net::Prefix>, std::string> prefixes(const List& list, const std::string& field) {
  std::vector<net::Prefix> result;
  for (int i = 0; i < list.size(); ++i) {
    auto prefix = net::Prefix::parse(list[i]);
    if (!prefix) return std::unexpected(indexed(field, i) + ": " + prefix.error());
    result.push_back(*prefix);
  }
  return result;
}

guard::AclAction acl_action(v1::AclAction action) {
  switch (action) {
    case v1::ACL_ALLOW:
      return guard::AclAction::Allow;
    case v1::ACL_DENY:
      return guard::AclAction::Deny;
    default:
      return guard::AclAction::Refuse;
  }
}

std::expected<std::shared_ptr<const guard::Acl>, std::string> build_acl(const v1::DataplaneConfig& config) {
  const v1::AclConfig& acl = config.guard().acl();
  std::vector<guard::AclRule> rules;
  if (acl.allow().empty()) {
    const auto interfaces = service_interfaces(config);
    if (!interfaces) return std::unexpected(interfaces.error());
    std::vector<net::Prefix> connected;
    for (const Interface& interface : *interfaces) connected.push_back(interface.network);
    rules = guard::default_acl_rules(connected);
  }
  const auto add = [&](const auto& list, const char* field,
                       guard::AclAction action) -> std::expected<void, std::string> {
    const auto parsed = prefixes(list, std::string("guard.acl.") + field);
    if (!parsed) return std::unexpected(parsed.error());
    for (const net::Prefix& prefix : *parsed) rules.push_back({prefix, action});
    return {};
  };
  if (auto added = add(acl.allow(), "allow", guard::AclAction::Allow); !added) {
    return std::unexpected(added.error());
  }
  if (auto added = add(acl.deny(), "deny", guard::AclAction::Deny); !added) {
    return std::unexpected(added.error());
  }
  if (auto added = add(acl.refuse(), "refuse", guard::AclAction::Refuse); !added) {
    return std::unexpected(added.error());
  }
  return std::shared_ptr<const guard::Acl>(guard::Acl::build(rules, acl_action(acl.otherwise())));
}

std::string text_or_none(const std::string& text) {
  return text == "-" ? std::string() : text;
}

}  // namespace

eal::EalOptions eal_options(const v1::DataplaneConfig& config) {
  const v1::EalConfig& eal = config.eal();
  eal::EalOptions options;
  options.main_cpu = eal.main_cpu();
  options.worker_cpus.assign(eal.worker_cpus().begin(), eal.worker_cpus().end());
  options.hugepages = eal.hugepages();
  options.memory_mib = eal.memory_mib();
  options.file_prefix = eal.file_prefix();
  for (const v1::PortConfig& port : config.ports()) options.devices.push_back(port.device());
  options.extra_args.assign(eal.extra_args().begin(), eal.extra_args().end());
  return options;
}

std::expected<Interface, std::string> parse_interface(const std::string& text) {
  const auto prefix = config::parse_prefix(text);
  if (!prefix)
    return std::unexpected("\"" + text + "\" is not an address with a prefix length, such as 192.0.2.1/24");
  Interface interface;
  interface.address = to_address(prefix->address);
  const config::Prefix network = config::network_of(*prefix);
  interface.network.address = to_address(network.address);
  interface.network.length =
      static_cast<std::uint8_t>(network.length + (network.address.family == AF_INET ? 96 : 0));
  return interface;
}

std::expected<std::vector<Interface>, std::string> service_interfaces(const v1::DataplaneConfig& config) {
  std::vector<Interface> result;
  for (int p = 0; p < config.ports_size(); ++p) {
    const auto& addresses = config.ports(p).addresses();
    for (int a = 0; a < addresses.size(); ++a) {
      auto interface = parse_interface(addresses[a]);
      if (!interface) {
        return std::unexpected(indexed(indexed("ports", p) + ".addresses", a) + ": " + interface.error());
      }
      result.push_back(*interface);
    }
  }
  return result;
}

std::expected<std::vector<std::shared_ptr<const net::PortIdentity>>, std::string> port_identities(
    const v1::DataplaneConfig& config, const std::vector<net::MacAddress>& macs) {
  const auto ours = service_interfaces(config);
  if (!ours) return std::unexpected(ours.error());
  auto martians = prefixes(config.service().own_prefixes(), "service.own_prefixes");
  if (!martians) return std::unexpected(martians.error());
  // An address of one port is no client's on another either.
  for (const Interface& interface : *ours) martians->push_back({interface.address, 128});

  std::vector<std::shared_ptr<const net::PortIdentity>> result;
  std::size_t next = 0;
  for (int p = 0; p < config.ports_size(); ++p) {
    net::PortIdentity::Options options;
    if (static_cast<std::size_t>(p) < macs.size()) options.mac = macs[static_cast<std::size_t>(p)];
    for (int a = 0; a < config.ports(p).addresses_size(); ++a)
      options.service.push_back((*ours)[next++].address);
    options.martians = *martians;
    result.push_back(std::make_shared<const net::PortIdentity>(options));
  }
  return result;
}

std::expected<miss::Options, std::string> miss_options(const v1::DataplaneConfig& config) {
  const v1::UpstreamConfig& upstream = config.upstream();
  const v1::CacheConfig& cache = config.cache();
  miss::Options options;
  const int servers = upstream.servers_size();
  if (static_cast<std::size_t>(servers) > miss::kMaxServers) {
    return std::unexpected("upstream.servers: has " + std::to_string(servers) + " entries; at most " +
                           std::to_string(miss::kMaxServers) + " are asked");
  }
  for (int i = 0; i < servers; ++i) {
    const auto endpoint = config::parse_endpoint(upstream.servers(i), 53);
    if (!endpoint) {
      return std::unexpected(indexed("upstream.servers", i) + ": \"" + upstream.servers(i) +
                             "\" is not ADDRESS or ADDRESS@PORT");
    }
    options.servers.push_back({to_address(endpoint->address), endpoint->port});
  }
  options.timeout_ms = upstream.timeout_ms();
  options.tries = upstream.tries();
  options.deadline_ms = upstream.deadline_ms();
  options.quota_per_prefix = upstream.quota_per_prefix();
  options.quota_per_zone = upstream.quota_per_zone();
  options.max_entry_bytes = cache.max_entry_bytes();
  options.min_ttl_s = cache.min_ttl_s();
  options.max_ttl_s = cache.max_ttl_s();
  options.max_negative_ttl_s = cache.max_negative_ttl_s();
  options.servfail_ttl_s = cache.servfail_ttl_s();
  options.stale_max_s = cache.stale_max_s();
  options.stale_client_ms = cache.stale_client_ms();
  options.stale_recheck_s = cache.stale_recheck_s();
  return options;
}

std::expected<miss::Limits, std::string> miss_limits(const v1::DataplaneConfig& config) {
  miss::Limits limits;
  limits.max_pending = config.upstream().max_pending();
  limits.max_waiters = config.upstream().max_waiters();
  auto v4 = optional_address(config.upstream().source_v4(), "upstream.source_v4");
  if (!v4) return std::unexpected(v4.error());
  auto v6 = optional_address(config.upstream().source_v6(), "upstream.source_v6");
  if (!v6) return std::unexpected(v6.error());
  limits.source_v4 = *v4;
  limits.source_v6 = *v6;
  return limits;
}

stream::Options stream_options(const v1::DataplaneConfig& config) {
  const v1::StreamConfig& stream = config.stream();
  stream::Options options;
  options.max_connections = stream.max_connections();
  options.max_connections_per_client = stream.max_connections_per_client();
  options.idle_timeout_ms = stream.idle_timeout_ms();
  options.max_pipelined = stream.max_pipelined();
  return options;
}

guard::RateLimitOptions rate_limit_options(const v1::DataplaneConfig& config) {
  const v1::RateLimitConfig& rate = config.guard().rate_limit();
  guard::RateLimitOptions options;
  options.responses_per_second = rate.responses_per_second();
  options.prefix_scale = rate.prefix_scale();
  options.slip = rate.slip();
  options.table_bytes = std::size_t{rate.table_mib()} << 20;
  return options;
}

std::expected<std::unique_ptr<worker::Policy>, std::string> build_policy(
    const v1::DataplaneConfig& config, const std::vector<guard::CookieSecret>& kept_secrets,
    std::shared_ptr<guard::RateLimiter> limiter, const std::vector<net::MacAddress>& macs) {
  auto policy = std::make_unique<worker::Policy>();
  const v1::ServiceConfig& service = config.service();
  policy->service.udp_payload_max = static_cast<std::uint16_t>(service.udp_payload_max());
  policy->service.nsid = text_or_none(service.nsid());
  policy->service.version = text_or_none(service.version());
  policy->service.identity = config.node_name();
  policy->service.stale_ttl_s = config.cache().stale_ttl_s();
  policy->service.tcp_keepalive_ds =
      static_cast<std::uint16_t>(std::min(config.stream().idle_timeout_ms() / 100, 65535U));

  auto ports = port_identities(config, macs);
  if (!ports) return std::unexpected(ports.error());
  policy->ports = std::move(*ports);

  auto acl = build_acl(config);
  if (!acl) return std::unexpected(acl.error());
  policy->acl = std::move(*acl);

  const v1::CookieConfig& cookies = config.guard().cookies();
  if (!cookies.disabled()) {
    std::vector<guard::CookieSecret> secrets = kept_secrets;
    if (!cookies.secrets().empty()) {
      secrets.clear();
      for (int i = 0; i < cookies.secrets_size(); ++i) {
        const auto secret = parse_secret(cookies.secrets(i));
        if (!secret) return std::unexpected(indexed("guard.cookies.secrets", i) + ": " + secret.error());
        secrets.push_back(*secret);
      }
    }
    policy->cookies = std::make_shared<const guard::Cookies>(std::move(secrets), cookies.require());
  }

  const v1::RateLimitConfig& rate = config.guard().rate_limit();
  if (!rate.disabled()) {
    policy->rate_limiter = std::move(limiter);
    auto exempt = prefixes(rate.exempt(), "guard.rate_limit.exempt");
    if (!exempt) return std::unexpected(exempt.error());
    policy->rate_limit_exempt = std::move(*exempt);
  }
  policy->stale_max_s = config.cache().stale_max_s();
  policy->prefetch_percent = config.cache().prefetch_percent();
  policy->idle_max_sleep_us = config.worker().idle_max_sleep_us();
  policy->spin = config.worker().idle() == v1::SPIN;
  return policy;
}

}  // namespace swarmdns::control
