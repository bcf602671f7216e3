// The certification authority as the replicated state has it. Reactor thread; pure but for the reading of the
// state.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "controlplane/certs/authority.h"
#include "controlplane/certs/keys.h"
#include "controlplane/certs/peer_check.h"
#include "controlplane/core/peer_link.h"
#include "controlplane/state/state_view.h"
#include "swarmdns/v1/ledger.pb.h"

namespace swarmdns::controlplane {

// All trusted roots, PEM.
std::expected<std::string, std::string> roots_in(const StateView& state);
// Who may be spoken with, for the TLS of this node; null before there is a state.
std::shared_ptr<const SwarmView> peers_in(const StateView& state);

// The issuing key, when it is sealed to this node. Nothing: it is not.
std::expected<std::optional<Issuer>, std::string> issuer_in(const StateView& state, NodeId self,
                                                            const LedgerKey& own);

// The members of the log that the issuing key is not sealed to, or is though they are none any more: the
// transaction that mends it, by a node that has the key. Nothing: all is well.
std::expected<std::optional<v1::CertificateRotation>, std::string> reseal(const StateView& state,
                                                                          const Issuer& issuer);

}  // namespace swarmdns::controlplane
