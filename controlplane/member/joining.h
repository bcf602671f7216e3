// A node on its way into a swarm. Blocking, over the network too: not from the reactor thread.
#pragma once

#include <expected>
#include <functional>
#include <string>

#include "controlplane/member/identity.h"

namespace swarmdns::controlplane {

struct JoinWish {
  std::string node_name;
  std::string own_address;  // where peers will reach this node
  std::string introducer;   // "10.54.0.1:8453": any member
  std::string token;        // as the operator has it
};

// What the node proves by its ledger key: "swarmdns join v1" 0x00 ‖ SHA-256(csr) ‖ token hash.
std::string join_proof_octets(const std::string& csr, const std::string& token_hash);

// On disk when this returns. `say` gets a line for each step. The directory must be empty
// (IdentityFiles::prepare).
std::expected<Identity, std::string> join_swarm(const IdentityFiles& files, const JoinWish& wish,
                                                std::uint64_t wall_ms,
                                                const std::function<void(const std::string&)>& say);

}  // namespace swarmdns::controlplane
