#include "controlplane/member/certificate_keeper.h"

#include <algorithm>

#include "controlplane/certs/certificate.h"
#include "controlplane/certs/certificate_maker.h"
#include "controlplane/member/authority_state.h"
#include "controlplane/member/rotation.h"
#include "controlplane/membership/directory.h"
#include "controlplane/state/apply.h"
#include "controlplane/state/keys.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::uint64_t kLookMs = 5000;  // a clock may be set at any time
constexpr std::uint64_t kPatienceMs = 5000;

}  // namespace

CertificateKeeper::CertificateKeeper(Reactor& reactor, PeerLink& link, MemberCore& core, PeerTls& tls,
                                     Identity& identity, std::function<void(const v1::NodeIdentity&)> keep,
                                     std::function<void(const std::string&)> say)
    : reactor_(reactor),
      link_(link),
      core_(core),
      tls_(tls),
      identity_(identity),
      keep_(std::move(keep)),
      say_(std::move(say)),
      timer_(reactor),
      patience_(reactor) {}

void CertificateKeeper::start() {
  read_own(identity_.record.chain());
  look();
}

void CertificateKeeper::read_own(const std::string& chain) {
  const auto own = read_certificates(chain);
  if (!own || own->empty()) return;
  not_before_ = own->front().not_before;
  not_after_ = own->front().not_after;
  issuer_ = own->size() > 1 ? (*own)[1].fingerprint : "";
}

void CertificateKeeper::look() {
  timer_.start(kLookMs, [this] { look(); });
  reseal_issuer();
  retire_old_root();
  const auto now = static_cast<std::int64_t>(reactor_.wall_ms() / 1000);
  if (asking_ != 0 || core_.chain().height() == 0) return;
  // One of an authority that was changed has had its time.
  const auto rotation = read<v1::CertificateRotation>(core_.chain().state(), keys::kCertificates);
  const bool stale = rotation && !hangs_on(identity_.record.chain(), *rotation);
  const std::int64_t not_after = stale ? std::min(not_before_, now) : not_after_;
  if (next_renewal({std::min(not_before_, not_after), not_after, core_.self(), failures_, last_attempt_}) <=
      now)
    renew();
}

void CertificateKeeper::renew() {
  last_attempt_ = static_cast<std::int64_t>(reactor_.wall_ms() / 1000);
  const auto csr = make_request(identity_.keys.tls.pem);
  if (!csr) return failed(csr.error());
  const v1::RenewResponse own = issue(core_.self(), *csr);
  if (!own.chain().empty()) return take(own.chain());

  std::vector<NodeId> holders;
  if (const auto rotation = read<v1::CertificateRotation>(core_.chain().state(), keys::kCertificates)) {
    for (const v1::SealedKey& sealed : rotation->sealed()) {
      if (sealed.member() != core_.self() && link_.connected(sealed.member()))
        holders.push_back(sealed.member());
    }
  }
  if (holders.empty()) return failed("no member that holds the issuing key can be reached");
  v1::PeerMessage message;
  message.mutable_renew_request()->set_csr(*csr);
  asking_ = holders[next_asked_++ % holders.size()];
  link_.send(asking_, Channel::kConsensus, std::move(message));
  patience_.start(kPatienceMs, [this] { failed("a member that holds the issuing key did not answer"); });
}

v1::RenewResponse CertificateKeeper::issue(NodeId to, const std::string& csr) const {
  v1::RenewResponse response;
  const StateView state = core_.chain().state();
  const auto record = member(state, to);
  const auto swarm = read<v1::SwarmRecord>(state, keys::kSwarm);
  const auto key = public_key_of_request(csr);
  const auto settings = read<v1::SwarmSettings>(state, keys::kSettings).value_or(with_defaults({}));
  if (!record || record->removed_height() != 0 || !swarm) {
    response.set_problem("it is no member");
  } else if (!key || pin_of(*key) != record->tls_pin()) {
    response.set_problem("the request is not for the key that the swarm knows of it");
  } else if (const auto issuer = issuer_in(state, core_.self(), identity_.keys.ledger); !issuer) {
    response.set_problem(issuer.error());
  } else if (!*issuer) {
    response.set_problem("this node does not hold the issuing key");
  } else if (const auto chain = issue_node_certificate(
                 **issuer, csr, {swarm->swarm_id(), swarm->incarnation(), to},
                 static_cast<std::int64_t>(reactor_.wall_ms() / 1000), settings.certificate_life_s());
             !chain) {
    response.set_problem(chain.error());
  } else {
    response.set_chain(*chain);
  }
  return response;
}

bool CertificateKeeper::receive(NodeId from, const v1::PeerMessage& message) {
  if (message.has_renew_request()) {
    v1::PeerMessage answer;
    *answer.mutable_renew_response() = issue(from, message.renew_request().csr());
    link_.send(from, Channel::kConsensus, std::move(answer));
    return true;
  }
  if (!message.has_renew_response()) return false;
  if (asking_ != from) return true;
  if (message.renew_response().chain().empty()) {
    failed(message.renew_response().problem());
  } else {
    take(message.renew_response().chain());
  }
  return true;
}

void CertificateKeeper::take(const std::string& chain) {
  const auto facts = read_certificates(chain);
  if (!facts || facts->empty() || facts->front().pin != identity_.keys.tls.pin)
    return failed("the new certificate is not for this node's key");
  const auto roots = roots_in(core_.chain().state());
  if (!roots) return failed(roots.error());
  if (const auto judged = verify_chain(chain, *roots, static_cast<std::int64_t>(reactor_.wall_ms() / 1000));
      judged.state == ChainState::kNotOurs)
    return failed("the new certificate is not of the swarm's authority: " + judged.reason);
  if (auto set = tls_.set_identity(identity_.keys.tls.pem, chain); !set) return failed(set.error());
  patience_.stop();
  asking_ = 0;
  failures_ = 0;
  trouble_.clear();
  read_own(chain);
  identity_.record.set_chain(chain);
  identity_.record.set_roots(*roots);
  keep_(identity_.record);
  say_("certificate renewed, good until " + utc_text(not_after_));
}

void CertificateKeeper::failed(const std::string& why) {
  patience_.stop();
  asking_ = 0;
  ++failures_;
  last_attempt_ = static_cast<std::int64_t>(reactor_.wall_ms() / 1000);
  trouble_ = "the certificate, good until " + utc_text(not_after_) + ", could not be renewed: " + why;
  say_(trouble_);
}

void CertificateKeeper::state_changed() {
  reseal_issuer();
}

// The leader; where it has not got the key, the first that has and can be reached.
bool CertificateKeeper::reseals(const StateView& state) const {
  const auto rotation = read<v1::CertificateRotation>(state, keys::kCertificates);
  const NodeId leader = core_.log().status().leader;
  if (!rotation || leader == 0) return false;
  if (core_.leads()) return true;
  for (const v1::SealedKey& sealed : rotation->sealed()) {
    if (sealed.member() == leader) return false;
  }
  for (const v1::SealedKey& sealed : rotation->sealed()) {
    if (sealed.member() == core_.self()) return true;
    if (link_.connected(sealed.member())) return false;
  }
  return false;
}

void CertificateKeeper::reseal_issuer() {
  if (ordering_ || core_.chain().height() == 0) return;
  const StateView state = core_.chain().state();
  if (!reseals(state)) return;
  const auto issuer = issuer_in(state, core_.self(), identity_.keys.ledger);
  if (!issuer || !*issuer) return;
  auto rotation = reseal(state, **issuer);
  if (rotation && *rotation) order(std::move(**rotation));
}

std::vector<NodeId> CertificateKeeper::not_renewed() const {
  std::vector<NodeId> missing;
  const StateView state = core_.chain().state();
  const auto rotation = read<v1::CertificateRotation>(state, keys::kCertificates);
  if (!rotation || rotation->roots_size() < 2) return missing;
  const std::string issuer = issuer_in_force(*rotation);
  for (const v1::MemberRecord& record : live_members(state)) {
    if (record.id() == core_.self()) {
      if (issuer_ != issuer) missing.push_back(record.id());
      continue;
    }
    const auto heard = core_.roster().heard(record.id());
    if (!heard || heard->report.issuer() != issuer) missing.push_back(record.id());
  }
  return missing;
}

// It is trusted until no member's certificate hangs on it any more, one that is away neither.
void CertificateKeeper::retire_old_root() {
  if (ordering_ || !core_.leads() || core_.chain().height() == 0) return;
  const auto rotation = read<v1::CertificateRotation>(core_.chain().state(), keys::kCertificates);
  if (!rotation || rotation->roots_size() < 2 || !not_renewed().empty()) return;
  auto last = without_old_roots(*rotation);
  if (!last) return say_("the old root cannot be taken off: " + last.error());
  say_("every member has a certificate of the new root; the old one goes");
  order(std::move(*last));
}

void CertificateKeeper::order(v1::CertificateRotation rotation) {
  ordering_ = true;
  v1::Transaction transaction;
  *transaction.mutable_certificate_rotation() = std::move(rotation);
  core_.submitter().submit(std::move(transaction), [this, alive = std::weak_ptr<char>(alive_)](const auto&) {
    if (!alive.expired()) ordering_ = false;
  });
}

}  // namespace swarmdns::controlplane
