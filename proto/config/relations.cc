// What fields ask of each other. Each rule is one block; a message names both sides.
#include <algorithm>
#include <map>
#include <set>

#include "proto/config/check.h"
#include "proto/config/formats.h"

namespace swarmdns::config {
namespace {

class Reporter {
 public:
  Reporter(const std::string& prefix, std::vector<Problem>& problems)
      : prefix_(prefix), problems_(problems) {}
  void operator()(const std::string& path, std::string text) {
    problems_.push_back({prefix_.empty() ? path : prefix_ + "." + path, std::move(text)});
  }

 private:
  const std::string& prefix_;
  std::vector<Problem>& problems_;
};

void check_ports(const v1::DataplaneConfig& config, Reporter& report) {
  std::map<std::string, int> devices;
  std::map<std::string, int> taps;
  std::map<std::string, int> addresses;
  const auto workers = static_cast<uint64_t>(config.eal().worker_cpus_size());
  for (int i = 0; i < config.ports_size(); ++i) {
    const v1::PortConfig& port = config.ports(i);
    const std::string path = "ports[" + std::to_string(i) + "]";
    const std::string device = port.device().substr(0, port.device().find(','));
    if (const auto [at, fresh] = devices.emplace(device, i); !fresh) {
      report(path + ".device", device + " is also the device of ports[" + std::to_string(at->second) + "]");
    }
    if (const auto [at, fresh] = taps.emplace(port.tap(), i); !fresh) {
      report(path + ".tap", port.tap() + " is also the tap of ports[" + std::to_string(at->second) + "]");
    }
    for (int a = 0; a < port.addresses_size(); ++a) {
      const auto prefix = parse_prefix(port.addresses(a));
      if (!prefix) continue;  // reported as a format
      const std::string address = to_text(prefix->address);
      if (const auto [at, fresh] = addresses.emplace(address, i); !fresh) {
        report(path + ".addresses[" + std::to_string(a) + "]",
               address + " is already an address of ports[" + std::to_string(at->second) + "]");
      }
    }
    const uint64_t needed = workers * (uint64_t{port.rx_descriptors()} + port.tx_descriptors());
    if (port.mbufs() < needed) {
      report(path + ".mbufs", std::to_string(port.mbufs()) + " is too few: " + std::to_string(workers) +
                                  " worker(s) with " + std::to_string(port.rx_descriptors()) + " + " +
                                  std::to_string(port.tx_descriptors()) + " descriptors need at least " +
                                  std::to_string(needed));
    }
  }
  if (config.ports_size() > 0 && addresses.empty()) {
    report("ports[0].addresses",
           "is empty on every port: at least one service address is needed, such as 192.0.2.1/24");
  }
}

void check_acl(const v1::AclConfig& acl, Reporter& report) {
  std::map<std::string, const char*> seen;
  const auto walk = [&](const auto& list, const char* name) {
    for (int i = 0; i < list.size(); ++i) {
      const auto prefix = parse_prefix(list[i]);
      if (!prefix) continue;
      const auto [at, fresh] = seen.emplace(to_text(*prefix), name);
      if (!fresh && std::string(at->second) != name) {
        report(std::string("guard.acl.") + name + "[" + std::to_string(i) + "]",
               list[i] + " stands in guard.acl." + at->second + " as well; a prefix can have one fate");
      }
    }
  };
  walk(acl.allow(), "allow");
  walk(acl.deny(), "deny");
  walk(acl.refuse(), "refuse");
}

}  // namespace

void check_relations(const v1::DataplaneConfig& config, const std::string& prefix,
                     std::vector<Problem>& problems) {
  Reporter report(prefix, problems);
  check_ports(config, report);
  check_acl(config.guard().acl(), report);
  const v1::CacheConfig& cache = config.cache();
  if (cache.min_ttl_s() > cache.max_ttl_s()) {
    report("cache.min_ttl_s", std::to_string(cache.min_ttl_s()) + " is more than cache.max_ttl_s, " +
                                  std::to_string(cache.max_ttl_s()));
  }
  const v1::UpstreamConfig& upstream = config.upstream();
  if (upstream.timeout_ms() > upstream.deadline_ms()) {
    report("upstream.timeout_ms", std::to_string(upstream.timeout_ms()) +
                                      " is more than upstream.deadline_ms, " +
                                      std::to_string(upstream.deadline_ms()));
  }
  if (cache.stale_max_s() > 0 && cache.stale_client_ms() >= upstream.deadline_ms()) {
    report("cache.stale_client_ms",
           std::to_string(cache.stale_client_ms()) + " must be less than upstream.deadline_ms, " +
               std::to_string(upstream.deadline_ms()) + ", or nothing stale is ever given");
  }
  if (upstream.max_waiters() < upstream.max_pending()) {
    report("upstream.max_waiters", std::to_string(upstream.max_waiters()) +
                                       " is less than upstream.max_pending, " +
                                       std::to_string(upstream.max_pending()));
  }
  const v1::StreamConfig& stream = config.stream();
  if (stream.max_connections_per_client() > stream.max_connections()) {
    report("stream.max_connections_per_client", std::to_string(stream.max_connections_per_client()) +
                                                    " is more than stream.max_connections, " +
                                                    std::to_string(stream.max_connections()));
  }
}

void check_relations(const v1::ResolverConfig& config, const std::string& prefix,
                     std::vector<Problem>& problems) {
  if (config.mode() != v1::UNBOUND) return;
  Reporter report(prefix, problems);
  if (const auto address = parse_address(config.address()); address && !is_loopback(*address)) {
    report("address", config.address() +
                          " is not a loopback address: the resolver serves this node alone; use 127.0.0.1");
  }
  if (config.user() == "root") {
    report("user", "the resolver must not run as root; use unbound");
  }
  if (const std::string& anchor = config.trust_anchor_file(); !anchor.empty() && anchor.front() != '/') {
    report("trust_anchor_file", "\"" + anchor + "\" is not an absolute path, nor \"\" (no validation)");
  }
}

void check_relations(const v1::NodeConfig& config, const std::string& prefix,
                     std::vector<Problem>& problems) {
  Reporter report(prefix, problems);
  const auto& users = config.admin_users();
  for (int i = 0; i < config.ledger_readers_size(); ++i) {
    const std::string& reader = config.ledger_readers(i);
    if (reader == "root" || std::find(users.begin(), users.end(), reader) != users.end()) continue;
    report("ledger_readers[" + std::to_string(i) + "]",
           reader + " is not in node.admin_users, so the admin socket turns it away; add it there, too");
  }
}

void check_relations(const v1::SwarmConfig& config, const std::string& prefix,
                     std::vector<Problem>& problems) {
  Reporter report(prefix, problems);
  if (!config.has_listen()) {
    if (config.has_advertise()) {
      report("advertise", "means nothing without swarm.listen; set that, or leave this out");
    }
    return;
  }
  const auto listen = parse_endpoint(config.listen(), 8453);
  const bool wildcard =
      listen && to_text(listen->address) == (listen->address.family == AF_INET ? "0.0.0.0" : "::");
  if (wildcard && !config.has_advertise()) {
    report("advertise", "is required when swarm.listen is every address of the machine (" + config.listen() +
                            "); say which of them the other nodes connect to");
  }
}

}  // namespace swarmdns::config
