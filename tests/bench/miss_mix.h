// What misses cost the worker that has them beside its hits.
#pragma once

#include <cstdint>

#include "tests/bench/report.h"

namespace swarmdns::bench {

struct MissMixOptions {
  Runs runs;
  unsigned slow_cpu =
      0;  // of slow thread, writer and upstream; the caller is the worker, pinned to another one
  std::uint64_t seed = 20260101;
};

// Cases mix-0, mix-1, mix-10, mix-50: that many in a hundred of the queries ask for names that are not in the
// cache and never were; the others are hits of 10,000 names. The worker goes flat out, so there may be
// more misses than the slow thread takes.
void run_miss_mix(const MissMixOptions& options, Report& report);

}  // namespace swarmdns::bench
