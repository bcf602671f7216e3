// Counters and histograms of all threads as the message that operators and the control plane read. Any slow
// thread.
#pragma once

#include "dataplane/stats/registry.h"
#include "swarmdns/v1/dataplane.pb.h"

namespace swarmdns::control {

// `lcores`: DPDK's numbers of the workers, in the order of the threads named "worker0", "worker1", ... in the
// registry. Fills counters and histograms; counters with names that begin alike stand together.
void export_stats(const stats::Registry& registry, const std::vector<std::uint32_t>& lcores,
                  v1::StatsSnapshot& out);

}  // namespace swarmdns::control
