// A new swarm, in the hands of its first node. Blocking file I/O and key making: not from the reactor thread.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "controlplane/member/identity.h"
#include "swarmdns/v1/ledger.pb.h"

namespace swarmdns::controlplane {

struct FoundingWish {
  std::string swarm_name;
  std::string node_name;
  std::string address;  // where peers will reach this node
  std::string region;
  std::string passphrase;  // of the root key; "" = plain
  v1::SwarmSettings settings;
  std::uint64_t wall_ms = 0;
};

struct Founded {
  Identity identity;
  Secret root_key;               // PEM: for the operator, kept nowhere
  std::string root_certificate;  // PEM
};

// Keys, the certification authority, the genesis, and a log of one voter; all of it is on disk when this
// returns. The directory must be empty (IdentityFiles::prepare).
std::expected<Founded, std::string> found_swarm(const IdentityFiles& files, const FoundingWish& wish);

}  // namespace swarmdns::controlplane
