// When a node's certificate is to be renewed. Times are seconds since 1970; a node's clock may jump, so the
// caller asks again at least once a minute rather than trust one long timer. Pure; any thread.
#pragma once

#include <cstdint>

namespace swarmdns::controlplane {

struct RenewalState {
  std::int64_t not_before = 0;  // of the certificate in use
  std::int64_t not_after = 0;
  std::uint64_t node = 0;
  unsigned failures = 0;          // attempts in a row that have failed
  std::int64_t last_attempt = 0;  // when the latest of them did
};

// The time of the next attempt; not later than now: at once.
//  - without failures when a third of the lifetime is left, or up to a twentieth of it earlier: each node has
//  its own
//    share of that, so that nodes which joined together do not renew together;
//  - after failures not before that, and not before a pause after the last: 5 s, doubled each time up to 10
//  min, and up
//    to a half more by node.
std::int64_t next_renewal(const RenewalState& state);

}  // namespace swarmdns::controlplane
