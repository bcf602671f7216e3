#include "controlplane/member/joining.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <set>
#include <thread>

#include "controlplane/certs/authority.h"
#include "controlplane/certs/certificate.h"
#include "controlplane/certs/certificate_maker.h"
#include "controlplane/certs/join_token.h"
#include "controlplane/ledger/hash.h"
#include "controlplane/peer/join_call.h"
#include "controlplane/state/apply.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::chrono::milliseconds kPatience(15'000);
constexpr int kCallsMost = 8;

// The answer comes from a node of the swarm, by TLS; that it fits the token and this node is checked all the
// same.
std::expected<void, std::string> check_answer(const v1::JoinResponse& answer, const JoinToken& token,
                                              const NodeKeys& keys) {
  if (answer.swarm_id() != token.swarm_id)
    return std::unexpected("the answer is of another swarm than the token");
  const auto roots = read_certificates(answer.roots());
  if (!roots) return std::unexpected("the swarm's root certificates cannot be read: " + roots.error());
  if (std::ranges::none_of(
          *roots, [&](const CertificateFacts& root) { return root.fingerprint == token.root_fingerprint; }))
    return std::unexpected(
        "the token's root is not among the swarm's: it was issued before the root was changed; "
        "get a new token");
  const auto chain = read_certificates(answer.chain());
  if (!chain || chain->empty() || chain->front().pin != keys.tls.pin)
    return std::unexpected("the certificate in the answer is not for this node's key");
  if (answer.id() == 0 || answer.incarnation() == 0 || answer.name_key().size() != 32)
    return std::unexpected("the answer lacks parts");
  return {};
}

Identity identity_of(const v1::JoinResponse& answer, const JoinWish& wish, NodeKeys keys) {
  Identity identity;
  v1::NodeIdentity& record = identity.record;
  record.set_swarm_id(answer.swarm_id());
  record.set_incarnation(answer.incarnation());
  record.set_swarm_name(answer.swarm_name());
  record.set_node(answer.id());
  record.set_name(wish.node_name);
  record.set_address(wish.own_address);
  record.set_chain(answer.chain());
  record.set_roots(answer.roots());
  record.set_name_key(answer.name_key());
  *record.mutable_members() = answer.members();
  identity.keys = std::move(keys);
  return identity;
}

}  // namespace

std::string join_proof_octets(const std::string& csr, const std::string& token_hash) {
  using namespace std::string_literals;
  return "swarmdns join v1\0"s + as_string(sha256({as_octets(csr)})) + token_hash;
}

std::expected<Identity, std::string> join_swarm(const IdentityFiles& files, const JoinWish& wish,
                                                std::uint64_t wall_ms,
                                                const std::function<void(const std::string&)>& say) {
  const auto token = parse_join_token(wish.token);
  if (!token) return std::unexpected("--token: " + token.error());
  NodeKeys keys;
  keys.ledger = make_ledger_key();
  auto tls_key = make_tls_key();
  if (!tls_key) return std::unexpected(tls_key.error());
  keys.tls = std::move(*tls_key);
  const auto now = [] {
    return static_cast<std::int64_t>(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()));
  };
  auto stranger = make_stranger_certificate(keys.tls.pem, static_cast<std::int64_t>(wall_ms / 1000));
  auto csr = make_request(keys.tls.pem);
  if (!stranger) return std::unexpected(stranger.error());
  if (!csr) return std::unexpected(csr.error());
  PeerTls tls(now);
  if (auto set = tls.set_identity(keys.tls.pem, *stranger); !set) return std::unexpected(set.error());

  v1::JoinRequest request;
  request.set_token(join_token_text(*token));
  request.set_name(wish.node_name);
  request.set_address(wish.own_address);
  request.set_csr(*csr);
  request.set_ledger_key(keys.ledger.public_key);
  request.set_ledger_key_proof(keys.ledger.sign(join_proof_octets(*csr, join_token_hash(*token))));
  request.set_version_min(kOldestVersion);
  request.set_version_max(kVersion);
  request.set_version(SWARMDNS_VERSION);

  std::deque<std::string> to_ask{wish.introducer};
  std::set<std::string> asked;
  std::string last = "nobody was asked";
  for (int calls = 0; calls < kCallsMost && !to_ask.empty(); ++calls) {
    const std::string address = to_ask.front();
    to_ask.pop_front();
    if (!asked.insert(address).second) continue;
    say("asking " + address);
    const auto answer = call_join(tls, address, *token, request, kPatience);
    if (!answer) {
      last = address + ": " + answer.error();
      say(last);
      continue;
    }
    if (answer->verdict() == v1::JoinResponse::REFUSED) return std::unexpected("refused: " + answer->text());
    if (answer->verdict() == v1::JoinResponse::ASK_OTHERS) {
      last = address + ": " + answer->text();
      say(last);
      for (const v1::JoinMember& other : answer->members()) to_ask.push_back(other.address());
      continue;
    }
    if (auto good = check_answer(*answer, *token, keys); !good)
      return std::unexpected(address + ": " + good.error());
    say("joined swarm " + answer->swarm_name() + " as node " + std::to_string(answer->id()) + ", region " +
        answer->region() + (answer->backup() ? ", backup" : ", primary"));
    Identity identity = identity_of(*answer, wish, std::move(keys));
    if (auto kept = files.keep(identity); !kept) return std::unexpected(kept.error());
    return identity;
  }
  return std::unexpected(last);
}

}  // namespace swarmdns::controlplane
