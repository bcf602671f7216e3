#include "controlplane/resolver/unbound_conf.h"

#include <gtest/gtest.h>

#include "proto/config/defaults.h"

namespace swarmdns::controlplane {
namespace {

v1::Config with_defaults() {
  v1::Config config;
  config.mutable_node()->set_name("n1");
  config::fill_defaults(config, 2);
  return config;
}

std::string render(const v1::ResolverConfig& resolver) {
  return render_unbound_conf(resolver, resolver_paths(with_defaults().node()));
}

bool has_line(const std::string& text, const std::string& line) {
  return text.find("\n  " + line + "\n") != std::string::npos;
}

TEST(UnboundConf, DefaultsToTheByte) {
  EXPECT_EQ(
      render(with_defaults().resolver()),
      R"(# Written by swarmdns-controlplane from `resolver` of the node's configuration; changes are lost.
server:
  directory: "/var/lib/swarmdns/resolver"
  chroot: ""
  username: "unbound"
  pidfile: ""
  do-daemonize: no
  use-syslog: no
  logfile: ""
  log-time-ascii: yes
  verbosity: 1
  # this node alone is served
  interface: 127.0.0.1
  port: 553
  access-control: 0.0.0.0/0 refuse
  access-control: ::0/0 refuse
  access-control: 127.0.0.0/8 allow
  access-control: ::1/128 allow
  num-threads: 1
  msg-cache-size: 21845k
  rrset-cache-size: 43691k
  msg-cache-slabs: 1
  rrset-cache-slabs: 1
  infra-cache-slabs: 1
  key-cache-slabs: 1
  outgoing-range: 4096
  num-queries-per-thread: 2048
  so-reuseport: yes
  incoming-num-tcp: 256
  wait-limit: 0
  discard-timeout: 0
  # the data plane serves stale answers itself, and must know a bogus answer from a lame server
  ede: yes
  prefetch: yes
  prefetch-key: yes
  serve-expired: no
  minimal-responses: yes
  rrset-roundrobin: no
  hide-identity: yes
  hide-version: yes
  harden-glue: yes
  harden-dnssec-stripped: yes
  harden-below-nxdomain: yes
  harden-algo-downgrade: yes
  harden-large-queries: yes
  harden-short-bufsize: yes
  qname-minimisation: yes
  aggressive-nsec: yes
  use-caps-for-id: no
  unwanted-reply-threshold: 10000000
  val-clean-additional: yes
  edns-buffer-size: 1232
  module-config: "validator iterator"
  auto-trust-anchor-file: "/var/lib/swarmdns/resolver/anchor/root.key"
  root-hints: "/usr/share/dns/root.hints"
  local-zone: "health.swarmdns.invalid." static
  local-data: 'health.swarmdns.invalid. 0 IN TXT "ok"'
remote-control:
  control-enable: yes
  control-use-cert: no
  control-interface: "/run/swarmdns/unbound.ctl"
)");
}

TEST(UnboundConf, OldSignaturesNeedAFixedAnchorAndDate) {
  auto resolver = with_defaults().resolver();
  resolver.set_val_override_date("20200601000000");
  resolver.set_trust_anchor_file("/etc/old.key");
  const std::string conf = render(resolver);
  EXPECT_TRUE(has_line(conf, "val-override-date: \"20200601000000\""));
  EXPECT_TRUE(has_line(conf, "trust-anchor-file: \"/etc/old.key\""));
  EXPECT_EQ(conf.find("auto-trust-anchor-file"), std::string::npos);
}

TEST(UnboundConf, StaticAnchor) {
  auto resolver = with_defaults().resolver();
  resolver.set_trust_anchor_static(true);
  EXPECT_TRUE(has_line(render(resolver), "trust-anchor-file: \"/usr/share/dns/root.key\""));
}

TEST(UnboundConf, WithoutAnchorNothingIsValidated) {
  auto resolver = with_defaults().resolver();
  resolver.set_trust_anchor_file("");
  const std::string conf = render(resolver);
  EXPECT_TRUE(has_line(conf, "module-config: \"iterator\""));
  EXPECT_EQ(conf.find("trust-anchor"), std::string::npos);
}

TEST(UnboundConf, ForwardersReplaceRecursion) {
  auto resolver = with_defaults().resolver();
  resolver.add_forwarders("192.0.2.53");
  resolver.add_forwarders("2001:db8::53@5353");
  const std::string conf = render(resolver);
  EXPECT_NE(
      conf.find(
          "forward-zone:\n  name: \".\"\n  forward-addr: 192.0.2.53\n  forward-addr: 2001:db8::53@5353\n"),
      std::string::npos);
  EXPECT_EQ(conf.find("root-hints"), std::string::npos);
  EXPECT_EQ(conf.find("do-not-query-localhost"), std::string::npos);
  resolver.add_forwarders("127.0.0.9@5300");
  EXPECT_TRUE(has_line(render(resolver), "do-not-query-localhost: no"));
}

TEST(UnboundConf, ThreadsInterfacesAndExtraLines) {
  auto resolver = with_defaults().resolver();
  resolver.set_threads(3);
  resolver.add_outgoing_interfaces("192.0.2.7");
  resolver.set_prefer_ip4(true);
  resolver.add_extra_options("local-zone: \"10.in-addr.arpa.\" nodefault");
  const std::string conf = render(resolver);
  EXPECT_TRUE(has_line(conf, "num-threads: 3"));
  EXPECT_TRUE(has_line(conf, "rrset-cache-slabs: 4"));
  EXPECT_TRUE(has_line(conf, "outgoing-interface: 192.0.2.7"));
  EXPECT_TRUE(has_line(conf, "prefer-ip4: yes"));
  // Extra lines come last in the server clause, so that they win.
  EXPECT_NE(conf.find("nodefault\nremote-control:"), std::string::npos);
}

TEST(UnboundConf, AQuoteCannotEndAValueEarly) {
  auto resolver = with_defaults().resolver();
  resolver.set_root_hints_file("/x\" \n  username: \"root");
  EXPECT_EQ(render(resolver).find("username: \"root"), std::string::npos);
}

}  // namespace
}  // namespace swarmdns::controlplane
