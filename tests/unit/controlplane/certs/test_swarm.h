// A swarm's CA and nodes, for tests. The clock stands at kNow.
#pragma once

#include <gtest/gtest.h>

#include <stdexcept>

#include <string>

#include "controlplane/certs/authority.h"
#include "controlplane/certs/certificate_maker.h"
#include "controlplane/certs/keys.h"
#include "controlplane/certs/peer_check.h"

namespace swarmdns::controlplane::test {

inline constexpr std::int64_t kNow = 1'800'000'000;
inline const std::string kSwarm = "0123456789abcdef";
inline const std::string kOtherSwarm = "fedcba9876543210";

// The value, or an exception, which fails the test.
template <typename T>
T must(std::expected<T, std::string> result) {
  if (!result) throw std::runtime_error(result.error());
  return std::move(*result);
}

struct TestNode {
  TlsKey key;
  std::string chain;
};

struct TestSwarm {
  std::string id = kSwarm;
  std::uint32_t incarnation = 1;
  std::int64_t now = kNow;
  Root root = must(make_root(id, incarnation, now, ""));
  Issuer issuer = must(make_issuer(id, incarnation, wish(), now));

  IssuerWish wish() const { return {root.certificate, std::string(root.key.view()), "", 1, "", ""}; }
  std::string chain_for(const TlsKey& key, std::uint64_t node, std::int64_t at = kNow) const {
    return must(issue_node_certificate(issuer, must(make_request(key.pem)), {id, incarnation, node}, at));
  }
  TestNode node(std::uint64_t number) const {
    TlsKey key = must(make_tls_key());
    std::string chain = chain_for(key, number);
    return {std::move(key), std::move(chain)};
  }
  SwarmView view() const { return {id, incarnation, root.certificate, {}}; }
};

}  // namespace swarmdns::controlplane::test
