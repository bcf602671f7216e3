// One run of a swarm of whole members under everything that can happen to it.
#pragma once

#include <cstdint>
#include <string>

#include "tests/sim/planted_bugs.h"

namespace swarmdns::sim {

struct CoreOutcome {
  std::string broken;  // the first invariant that did not hold, with its name before it; "" = all did
  std::string rule;    // its name
  std::uint64_t trace_hash = 0;
  std::uint64_t blocks = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t reads = 0;
  std::uint64_t fences = 0;
  std::uint64_t installs = 0;
  std::uint64_t healed = 0;
};

CoreOutcome run_core_scenario(std::uint64_t seed, bool print_trace, Bug bug = Bug::kNone);

}  // namespace swarmdns::sim
