// Who is at the other end of a TLS connection, by the certificates that it has shown and the possession of
// the first one's key, which TLS has proved. The only judge: gRPC verifies neither chains nor names of hosts
// (tls_credentials.h).
//
// The key decides, not the certificate: a node whose pinned key is right but whose certificate has expired,
// or is not valid yet by this node's clock, is the member still, so that a swarm that was off for a week, or
// whose clocks went astray, can form a quorum and renew. A node that was removed is refused whatever it
// shows.
//
// Times are seconds since 1970. Pure; any thread; about 0.2 ms.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "controlplane/certs/join_token.h"

namespace swarmdns::controlplane {

struct KnownNode {
  std::uint64_t id = 0;
  bool removed = false;
};

// What this node knows of its swarm, as far as the check goes. Never changed, but replaced.
struct SwarmView {
  std::string swarm_id;                    // 16 octets
  std::uint32_t incarnation = 0;           // from 1
  std::string roots;                       // PEM, one or more
  std::map<std::string, KnownNode> nodes;  // by pin: the SHA-256 of the TLS key's SubjectPublicKeyInfo
};

enum class PeerKind {
  kMember,    // the node `id`
  kStranger,  // may call Join and nothing else
  kRefused,   // may call nothing; `reason` is for it and for the log
};

struct PeerVerdict {
  PeerKind kind = PeerKind::kRefused;
  std::uint64_t id = 0;  // of a member; of others where the key or the name tells
  // It says that it is of a later incarnation of this swarm. Nobody vouches for that here: the authority is
  // another one.
  bool later_incarnation = false;
  bool earlier_incarnation = false;  // likewise
  bool outside_its_time = false;     // a member whose certificate has expired, or is not valid yet
  std::string pin;                   // 32 octets; empty when there is no readable certificate
  std::string reason;                // a sentence, without the period, for all but a member in good order
};

PeerVerdict check_peer(std::string_view chain, const SwarmView& swarm, std::int64_t now);

// The other side of joining: does this chain belong to a node of the swarm that the token is from? The empty
// string: yes. Otherwise why not. The certificate's time counts here: there is no pin to fall back on.
std::string check_introducer(std::string_view chain, const JoinToken& token, std::int64_t now);

}  // namespace swarmdns::controlplane
