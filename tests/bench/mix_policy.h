// The policy that the mix of worker_mix.h is answered under: every guard on, none in the way.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/worker/policy.h"
#include "tests/bench/worker_mix.h"

namespace swarmdns::bench {

inline worker::Policy mix_policy() {
  worker::Policy policy;
  // A hundred rules and the allowance of a bigger site.
  std::vector<guard::AclRule> rules;
  for (int i = 0; i < 100; ++i) {
    rules.push_back({*guard::Prefix::parse("172.16." + std::to_string(i) + ".0/24"), guard::AclAction::Deny});
  }
  rules.push_back({*guard::Prefix::parse("10.0.0.0/8"), guard::AclAction::Allow});
  rules.push_back({*guard::Prefix::parse("fd00::/8"), guard::AclAction::Allow});
  policy.acl = guard::Acl::build(rules, guard::AclAction::Refuse);
  policy.cookies = std::make_shared<guard::Cookies>(std::vector<guard::CookieSecret>(1), false);
  policy.rate_limiter =
      guard::RateLimiter::create({.responses_per_second = 10'000'000, .prefix_scale = 10'000, .slip = 2});
  policy.ports.push_back(std::make_shared<net::PortIdentity>(net::PortIdentity::Options{
      .mac = kServerMac,
      .service = {*net::Address::parse(kServerV4), *net::Address::parse(kServerV6)},
      .local = {},
      .martians = {}}));
  return policy;
}

}  // namespace swarmdns::bench
