#include "controlplane/member/introducer.h"

#include <algorithm>

#include "controlplane/certs/certificate_maker.h"
#include "controlplane/certs/join_token.h"
#include "controlplane/member/authority_state.h"
#include "controlplane/member/joining.h"
#include "controlplane/membership/directory.h"
#include "controlplane/state/apply.h"
#include "controlplane/state/keys.h"

namespace swarmdns::controlplane {
namespace {

v1::JoinResponse refused(std::string why) {
  v1::JoinResponse response;
  response.set_verdict(v1::JoinResponse::REFUSED);
  response.set_text(std::move(why));
  return response;
}

}  // namespace

std::string Introducer::judge(const v1::JoinRequest& request, const PeerVerdict& caller,
                              std::string& token_hash) const {
  const auto token = parse_join_token(request.token());
  if (!token) return "token: " + token.error();
  if (token->swarm_id != identity_.record.swarm_id()) return "token: it is of another swarm";
  token_hash = join_token_hash(*token);
  const auto asked_for = public_key_of_request(request.csr());
  if (!asked_for) return "csr: " + asked_for.error();
  if (caller.pin.empty() || pin_of(*asked_for) != caller.pin)
    return "csr: it is for another key than that of the connection";
  if (!verify_ledger_signature(request.ledger_key(), join_proof_octets(request.csr(), token_hash),
                               request.ledger_key_proof()))
    return "ledger_key_proof: it does not verify";
  return "";
}

void Introducer::join(v1::JoinRequest request, const PeerVerdict& caller, JoinAnswer answer) {
  std::string token_hash;
  if (const std::string problem = judge(request, caller, token_hash); !problem.empty())
    return answer(refused(problem));
  auto issuer = issuer_in(core_.chain().state(), core_.self(), identity_.keys.ledger);
  if (!issuer) return answer(ask_others("this node cannot open the issuing key: " + issuer.error()));
  if (!*issuer) return answer(ask_others("this node has no issuing key"));

  // An answer that was lost on its way: the same node asks again.
  const auto known = member_with_key(core_.chain().state(), request.ledger_key());
  if (known && known->tls_pin() == caller.pin) return answer(welcome(*known, request, **issuer));

  v1::Transaction transaction;
  v1::MemberAdded& added = *transaction.mutable_member_added();
  added.set_name(request.name());
  added.set_address(request.address());
  added.set_ledger_key(request.ledger_key());
  added.set_tls_pin(caller.pin);
  added.set_token_hash(token_hash);
  added.set_version_min(request.version_min());
  added.set_version_max(request.version_max());
  auto shared = std::make_shared<Issuer>(std::move(**issuer));
  core_.submitter().submit(std::move(transaction),
                           [this, request = std::move(request), answer = std::move(answer), shared,
                            pin = caller.pin](std::expected<Receipt, SubmitError> done) {
                             if (!done && done.error().kind != SubmitError::Kind::kRefused)
                               return answer(ask_others(done.error().text));
                             // Refused it may be since the node has asked twice, and the other was first.
                             const auto record = member_with_key(core_.chain().state(), request.ledger_key());
                             if (record && record->tls_pin() == pin)
                               return answer(welcome(*record, request, *shared));
                             answer(refused(done ? "it was removed in the same moment" : done.error().text));
                           });
}

v1::JoinResponse Introducer::welcome(const v1::MemberRecord& record, const v1::JoinRequest& request,
                                     const Issuer& issuer) const {
  const StateView state = core_.chain().state();
  const auto swarm = read<v1::SwarmRecord>(state, keys::kSwarm);
  const auto settings = read<v1::SwarmSettings>(state, keys::kSettings).value_or(with_defaults({}));
  const auto roots = roots_in(state);
  if (!swarm || !roots) return ask_others("this node's ledger has no certification authority yet");
  const auto chain = issue_node_certificate(
      issuer, request.csr(), {swarm->swarm_id(), swarm->incarnation(), record.id()},
      static_cast<std::int64_t>(reactor_.wall_ms() / 1000), settings.certificate_life_s());
  if (!chain) return refused("csr: " + chain.error());
  v1::JoinResponse response;
  response.set_verdict(v1::JoinResponse::JOINED);
  response.set_id(record.id());
  response.set_chain(*chain);
  response.set_roots(*roots);
  response.set_swarm_id(swarm->swarm_id());
  response.set_incarnation(swarm->incarnation());
  response.set_swarm_name(swarm->name());
  response.set_region(record.region());
  response.set_backup(record.backup());
  response.set_name_key(identity_.record.name_key());
  response.set_checkpoint(core_.cosigner().note());
  if (const auto voters = core_.cosigner().voters_at(core_.cosigner().height())) {
    for (const VerifierKey& voter : *voters) response.add_voter_keys(format_vkey(voter));
  }
  list_members(response, false);
  return response;
}

v1::JoinResponse Introducer::ask_others(const std::string& why) const {
  v1::JoinResponse response;
  response.set_verdict(v1::JoinResponse::ASK_OTHERS);
  response.set_text(why);
  list_members(response, true);
  return response;
}

void Introducer::list_members(v1::JoinResponse& response, bool voters_only) const {
  const StateView state = core_.chain().state();
  const auto log = read<v1::LogMembers>(state, keys::kLogMembers);
  for (const v1::MemberRecord& record : live_members(state)) {
    if (voters_only && (!log || std::ranges::find(log->voters(), record.id()) == log->voters().end()))
      continue;
    v1::JoinMember& listed = *response.add_members();
    listed.set_id(record.id());
    listed.set_name(record.name());
    listed.set_address(record.address());
    listed.set_tls_pin(record.tls_pin());
  }
}

}  // namespace swarmdns::controlplane
