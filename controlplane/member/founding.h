// A new swarm, in the hands of its first node. Blocking file I/O and key making: not from the reactor thread.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "controlplane/core/peer_link.h"
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
  // Who wants it, and why.
  std::string principal;
  std::string reason;
};

// What a swarm is made with that is not to be new: of a recovery, where it goes on from (recovery.h).
struct Beginning {
  std::string swarm_id;  // 16 octets
  std::uint32_t incarnation = 1;
  NodeId founder = 1;
  std::string name_key;  // 32 octets
  std::string place;     // NodeIdentity.place
  v1::Genesis genesis;   // what is there of it already
};

struct Founded {
  Identity identity;
  Secret root_key;               // PEM: for the operator, kept nowhere
  std::string root_certificate;  // PEM
};

// Keys, the certification authority, the genesis, and a log of one voter; all of it is on disk when this
// returns. The directory must be empty (IdentityFiles::prepare).
std::expected<Founded, std::string> found_swarm(const IdentityFiles& files, const FoundingWish& wish);

// The two steps of it. Nothing is written by the first; the second makes log and keys in the identity's
// place, which count when the identity itself is kept.
std::expected<Founded, std::string> make_founded(const FoundingWish& wish, Beginning beginning);
std::expected<void, std::string> lay_out(const IdentityFiles& files, const Identity& identity);

}  // namespace swarmdns::controlplane
