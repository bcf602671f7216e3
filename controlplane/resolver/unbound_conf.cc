#include "controlplane/resolver/unbound_conf.h"

#include <sys/socket.h>

#include <algorithm>

#include "proto/config/formats.h"

namespace swarmdns::controlplane {
namespace {

// Unbound's quoting knows no escapes; the rules of the schema keep quotes and line breaks out of what is
// quoted here, and anything else that held one would end its line early.
std::string quoted(const std::string& text) {
  std::string clean = text;
  std::erase_if(clean, [](char c) { return c == '"' || c == '\n' || c == '\r'; });
  return "\"" + clean + "\"";
}

class Conf {
 public:
  void head(const std::string& text) { text_ += "# " + text + "\n"; }
  void clause(const std::string& name) { text_ += name + ":\n"; }
  void comment(const std::string& text) { text_ += "  # " + text + "\n"; }
  void set(const std::string& key, const std::string& value) { text_ += "  " + key + ": " + value + "\n"; }
  void set(const std::string& key, uint64_t value) { set(key, std::to_string(value)); }
  void line(const std::string& text) { text_ += "  " + text + "\n"; }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

void process_section(Conf& conf, const v1::ResolverConfig& config, const ResolverPaths& paths) {
  conf.set("directory", quoted(paths.directory));
  conf.set("chroot", "\"\"");
  conf.set("username", quoted(config.user()));
  conf.set("pidfile", "\"\"");
  conf.set("do-daemonize", "no");
  conf.set("use-syslog", "no");
  conf.set("logfile", "\"\"");
  conf.set("log-time-ascii", "yes");
  conf.set("verbosity", 1);
}

void listen_section(Conf& conf, const v1::ResolverConfig& config) {
  conf.comment("this node alone is served");
  conf.set("interface", config.address());
  conf.set("port", config.port());
  conf.set("access-control", "0.0.0.0/0 refuse");
  conf.set("access-control", "::0/0 refuse");
  conf.set("access-control", "127.0.0.0/8 allow");
  conf.set("access-control", "::1/128 allow");
  for (const std::string& address : config.outgoing_interfaces()) conf.set("outgoing-interface", address);
  // Both families asked over IPv4 first.
  if (config.prefer_ip4()) conf.set("prefer-ip4", "yes");
}

void capacity_section(Conf& conf, const v1::ResolverConfig& config) {
  const uint64_t kib = uint64_t{config.cache_mib()} * 1024;
  // Slabs are locks: a power of two not below the number of threads.
  uint64_t slabs = 1;
  while (slabs < config.threads()) slabs *= 2;
  conf.set("num-threads", config.threads());
  conf.set("msg-cache-size", std::to_string(kib / 3) + "k");
  conf.set("rrset-cache-size", std::to_string(kib - kib / 3) + "k");
  for (const char* table : {"msg-cache-slabs", "rrset-cache-slabs", "infra-cache-slabs", "key-cache-slabs"}) {
    conf.set(table, slabs);
  }
  conf.set("outgoing-range", 4096);
  conf.set("num-queries-per-thread", 2048);
  conf.set("so-reuseport", "yes");
  conf.set("incoming-num-tcp", 256);
  // All questions come from one client, the data plane, whose own quotas tell the real clients apart:
  // Unbound's limits per client (1000 waiting, answers older than 1.9 s discarded) would let a flood of one
  // take the misses of all.
  conf.set("wait-limit", 0);
  conf.set("discard-timeout", 0);
}

void answer_section(Conf& conf) {
  conf.comment("the data plane serves stale answers itself, and must know a bogus answer from a lame server");
  conf.set("ede", "yes");
  conf.set("prefetch", "yes");
  conf.set("prefetch-key", "yes");
  conf.set("serve-expired", "no");
  conf.set("minimal-responses", "yes");
  conf.set("rrset-roundrobin", "no");
}

void hardening_section(Conf& conf) {
  for (const char* option : {"hide-identity", "hide-version", "harden-glue", "harden-dnssec-stripped",
                             "harden-below-nxdomain", "harden-algo-downgrade", "harden-large-queries",
                             "harden-short-bufsize", "qname-minimisation", "aggressive-nsec"}) {
    conf.set(option, "yes");
  }
  conf.set("use-caps-for-id", "no");
  conf.set("unwanted-reply-threshold", 10000000);
  conf.set("val-clean-additional", "yes");
  conf.set("edns-buffer-size", 1232);
}

void validation_section(Conf& conf, const v1::ResolverConfig& config, const ResolverPaths& paths) {
  if (config.trust_anchor_file().empty()) {
    conf.comment("no trust anchor: no validation");
    conf.set("module-config", "\"iterator\"");
  } else {
    conf.set("module-config", "\"validator iterator\"");
    if (config.trust_anchor_static() || config.has_val_override_date()) {
      conf.set("trust-anchor-file", quoted(config.trust_anchor_file()));
    } else {
      conf.set("auto-trust-anchor-file", quoted(paths.anchor));
    }
  }
  if (config.has_val_override_date()) conf.set("val-override-date", quoted(config.val_override_date()));
  if (config.forwarders().empty()) conf.set("root-hints", quoted(config.root_hints_file()));
}

bool is_local(const std::string& endpoint) {
  const auto parsed = config::parse_endpoint(endpoint, 53);
  return parsed && config::is_loopback(parsed->address);
}

}  // namespace

ResolverPaths resolver_paths(const v1::NodeConfig& node) {
  ResolverPaths paths;
  paths.directory = node.state_dir() + "/resolver";
  paths.conf = paths.directory + "/unbound.conf";
  paths.anchor_dir = paths.directory + "/anchor";
  paths.anchor = paths.anchor_dir + "/root.key";
  paths.control_socket = node.run_dir() + "/unbound.ctl";
  paths.pid_file = node.run_dir() + "/resolver.pid";
  paths.log_file = node.state_dir() + "/log/resolver.log";
  return paths;
}

std::string render_unbound_conf(const v1::ResolverConfig& config, const ResolverPaths& paths) {
  Conf conf;
  conf.head(
      "Written by swarmdns-controlplane from `resolver` of the node's configuration; changes are lost.");
  conf.clause("server");
  process_section(conf, config, paths);
  listen_section(conf, config);
  capacity_section(conf, config);
  answer_section(conf);
  hardening_section(conf);
  validation_section(conf, config, paths);
  if (std::any_of(config.forwarders().begin(), config.forwarders().end(), is_local)) {
    conf.set("do-not-query-localhost", "no");
  }
  conf.set("local-zone", quoted(kHealthName) + " static");
  conf.set("local-data", "'" + std::string(kHealthName) + " 0 IN TXT \"ok\"'");
  if (!config.extra_options().empty()) conf.comment("resolver.extra_options");
  for (const std::string& option : config.extra_options()) conf.line(option);
  conf.clause("remote-control");
  conf.set("control-enable", "yes");
  conf.set("control-use-cert", "no");
  conf.set("control-interface", quoted(paths.control_socket));
  if (!config.forwarders().empty()) {
    conf.clause("forward-zone");
    conf.set("name", "\".\"");
    for (const std::string& forwarder : config.forwarders()) conf.set("forward-addr", forwarder);
  }
  return conf.take();
}

}  // namespace swarmdns::controlplane
