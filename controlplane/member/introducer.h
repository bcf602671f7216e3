// A member that lets a new node in: checks its token, has it written into the ledger, gives it a certificate.
// Reactor thread.
#pragma once

#include <functional>
#include <string>

#include "controlplane/certs/authority.h"
#include "controlplane/member/core.h"
#include "controlplane/member/identity.h"
#include "controlplane/peer/peer_service.h"

namespace swarmdns::controlplane {

class Introducer {
 public:
  // All outlive it.
  Introducer(Reactor& reactor, MemberCore& core, const Identity& identity)
      : reactor_(reactor), core_(core), identity_(identity) {}

  void join(v1::JoinRequest request, const PeerVerdict& caller, JoinAnswer answer);

 private:
  // "": may go on.
  std::string judge(const v1::JoinRequest& request, const PeerVerdict& caller, std::string& token_hash) const;
  v1::JoinResponse welcome(const v1::MemberRecord& record, const v1::JoinRequest& request,
                           const Issuer& issuer) const;
  v1::JoinResponse ask_others(const std::string& why) const;
  void list_members(v1::JoinResponse& response, bool voters_only) const;

  Reactor& reactor_;
  MemberCore& core_;
  const Identity& identity_;
};

}  // namespace swarmdns::controlplane
