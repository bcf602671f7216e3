// How much may wait where, and how long for what, on the way from node to node.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "controlplane/core/peer_link.h"

namespace swarmdns::controlplane {

struct LaneLimits {
  std::size_t queued_bytes;  // waiting to be sent to one peer; one larger message may stand in an empty queue
  std::size_t queued_messages;  // likewise
  std::size_t
      unhandled_bytes;  // arrived from one peer and not handled yet: beyond, nothing more is read from it
};

struct PeerLimits {
  // By Channel.
  std::array<LaneLimits, kChannels> lanes{
      LaneLimits{4u << 20, 4096, 1u << 20},
      LaneLimits{16u << 20, 8192, 2u << 20},
  };
  std::size_t message_bytes = 16u << 20;   // one message, serialised; larger ones are not taken
  std::size_t batch_bytes = 256u << 10;    // of messages that travel together
  std::size_t bulk_turn_bytes = 1u << 20;  // handled of BULK before CONSENSUS gets its turn again
  std::size_t server_bytes = 512u << 20;   // all that gRPC's server holds for connections
  int keepalive_ms = 700;                  // a ping after so long without a sign of life,
  int keepalive_timeout_ms = 1000;         // and the connection ends after so long without an answer
  int connect_timeout_ms = 3000;           // TCP and TLS
  int first_pause_ms = 20;                 // before dialling again; doubled
  int longest_pause_ms = 1000;             // up to this
  std::size_t joins = 64;                  // Join calls that wait for an answer
};

}  // namespace swarmdns::controlplane
