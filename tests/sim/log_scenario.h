// One run of a swarm of logs under everything that can happen to it.
#pragma once

#include <cstdint>
#include <string>

namespace swarmdns::sim {

struct Outcome {
  std::string broken;  // the first invariant that did not hold; "" = all did
  std::uint64_t trace_hash = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t reads = 0;
  std::uint64_t installs = 0;
  std::uint64_t elections = 0;
};

Outcome run_log_scenario(std::uint64_t seed, bool print_trace);

}  // namespace swarmdns::sim
