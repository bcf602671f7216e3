// Cases of bench-cache in which a writer and a reader run at once, each as fast as it can, on a CPU of its
// own.
#pragma once

#include "dataplane/stats/tsc_clock.h"
#include "tests/bench/cache_fixture.h"
#include "tests/bench/report.h"

namespace swarmdns::bench {

// Inserts a second, each of a name that is not there, so that another goes for it; the reader asks for names
// that stay. What that does to the reader.
void inserts(const CacheBenchOptions& options, const stats::TscClock& tsc, Report& report);

// Names of four times what the cache holds are inserted round and round, and asked for uniformly. What the
// reader's bursts cost, the longest ones too, with and without the writer.
void churn(const CacheBenchOptions& options, const stats::TscClock& tsc, Report& report);

}  // namespace swarmdns::bench
