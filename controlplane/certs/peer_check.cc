#include "controlplane/certs/peer_check.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "controlplane/certs/certificate.h"
#include "controlplane/certs/node_name.h"

namespace swarmdns::controlplane {
namespace {

std::string node_text(std::uint64_t id) {
  return "node " + std::to_string(id);
}

// What a certificate says about its swarm needs no proof when it speaks against itself.
std::string wrong_swarm(const NodeName& name, const SwarmView& swarm) {
  if (name.swarm_id != swarm.swarm_id) {
    return "the certificate is of " + node_text(name.node) + " of swarm " + hex_text(name.swarm_id) +
           ", this is swarm " + hex_text(swarm.swarm_id);
  }
  if (name.incarnation < swarm.incarnation) {
    return "the certificate is of " + node_text(name.node) + " of incarnation " +
           std::to_string(name.incarnation) + ", and the swarm was recovered since: it is at incarnation " +
           std::to_string(swarm.incarnation) +
           "; that node's history has ended: there, swarmctl swarm leave, then join with a new token";
  }
  if (name.incarnation > swarm.incarnation) {
    return "the certificate is of incarnation " + std::to_string(name.incarnation) +
           ", and this node has been left behind at incarnation " + std::to_string(swarm.incarnation) +
           ": here, swarmctl swarm leave, then join with a new token";
  }
  return "";
}

PeerVerdict judge_pinned(const KnownNode& known, const std::optional<NodeName>& name, std::string_view chain,
                         const SwarmView& swarm, std::int64_t now) {
  PeerVerdict verdict;
  verdict.id = known.id;
  if (known.removed) {
    verdict.reason = node_text(known.id) + " was removed from the swarm; with new keys it may join anew";
    return verdict;
  }
  if (!name) {  // its answer to Join was lost, and it asks again
    verdict.kind = PeerKind::kStranger;
    verdict.reason = "the key is that of " + node_text(known.id) + ", the certificate is of no node";
    return verdict;
  }
  if (name->node != known.id) {
    verdict.reason =
        "the key is that of " + node_text(known.id) + ", the certificate is of " + node_text(name->node);
    return verdict;
  }
  const ChainVerdict judged = verify_chain(chain, swarm.roots, now);
  if (judged.state == ChainState::kNotOurs) {
    verdict.reason = "the key is that of " + node_text(known.id) +
                     ", the certificate is not of this swarm's CA (" + judged.reason + ")";
    return verdict;
  }
  verdict.kind = PeerKind::kMember;
  verdict.outside_its_time = judged.state == ChainState::kOutsideItsTime;
  if (verdict.outside_its_time) {
    verdict.reason =
        node_text(known.id) + " is known by its key, its certificate is not good: " + judged.reason;
  }
  return verdict;
}

PeerVerdict judge_unpinned(const std::optional<NodeName>& name, std::string_view chain,
                           const SwarmView& swarm, std::int64_t now) {
  PeerVerdict stranger;
  stranger.kind = PeerKind::kStranger;
  stranger.reason = "the certificate's key is of no member";
  // Whatever a certificate says that somebody else made: a stranger, who may say what he likes.
  if (!name || verify_chain(chain, swarm.roots, now).state == ChainState::kNotOurs) return stranger;
  const auto other =
      std::ranges::find_if(swarm.nodes, [&](const auto& node) { return node.second.id == name->node; });
  if (other == swarm.nodes.end()) {
    stranger.reason = node_text(name->node) + " is not among the members, or not yet known here";
    return stranger;
  }
  PeerVerdict refused;
  refused.id = name->node;
  refused.reason = "the certificate is of " + node_text(name->node) +
                   ", its key is not the one that the swarm knows of this node";
  return refused;
}

}  // namespace

PeerVerdict check_peer(std::string_view chain, const SwarmView& swarm, std::int64_t now) {
  PeerVerdict verdict;
  const auto certificates = read_certificates(chain);
  if (!certificates) {
    verdict.reason = "the peer's certificate: " + certificates.error();
    return verdict;
  }
  const CertificateFacts& own = certificates->front();
  const auto name = parse_node_uri(own.uri);
  if (!own.uri.empty() && !name) {
    verdict.reason = "the certificate's name is not that of a node: " + own.uri.substr(0, 200);
  } else if (const std::string wrong = name ? wrong_swarm(*name, swarm) : ""; !wrong.empty()) {
    verdict.reason = wrong;
    verdict.later_incarnation = name->swarm_id == swarm.swarm_id && name->incarnation > swarm.incarnation;
    verdict.earlier_incarnation = name->swarm_id == swarm.swarm_id && name->incarnation < swarm.incarnation;
  } else if (const auto known = swarm.nodes.find(own.pin); known != swarm.nodes.end()) {
    verdict = judge_pinned(known->second, name, chain, swarm, now);
  } else {
    verdict = judge_unpinned(name, chain, swarm, now);
  }
  verdict.pin = own.pin;
  return verdict;
}

std::string check_introducer(std::string_view chain, const JoinToken& token, std::int64_t now) {
  const auto certificates = read_certificates(chain);
  if (!certificates) return "the peer's certificate: " + certificates.error();
  const auto name = parse_node_uri(certificates->front().uri);
  if (!name) return "the peer is not a node of a swarm";
  if (name->swarm_id != token.swarm_id) {
    return "the peer is of swarm " + hex_text(name->swarm_id) + ", the token is of swarm " +
           hex_text(token.swarm_id);
  }
  const auto root = std::ranges::find(*certificates, token.root_fingerprint, &CertificateFacts::fingerprint);
  if (root == certificates->end()) {
    return "the peer's certificates do not lead to the CA that the token names; make a new token if the CA "
           "was "
           "changed since";
  }
  const ChainVerdict judged = verify_chain(chain, root->pem, now);
  switch (judged.state) {
    case ChainState::kValid:
      return "";
    case ChainState::kOutsideItsTime:
      return "the peer's certificate is not good at " + utc_text(now) + " (" + judged.reason +
             "): look at this node's clock first";
    case ChainState::kNotOurs:
      break;
  }
  return "the peer's certificate is not of the CA that the token names (" + judged.reason + ")";
}

}  // namespace swarmdns::controlplane
