#include "dataplane/control/stats_export.h"

#include <limits>
#include <string>

#include "dataplane/stats/histogram.h"

namespace swarmdns::control {
namespace {

// The buckets that hold something, with an inclusive upper bound each; the last bound is +inf. Cumulative
// sums can be made of them by whoever wants a Prometheus histogram.
void export_histogram(const char* name, const stats::HistogramSnapshot& snapshot, v1::StatsSnapshot& out) {
  v1::Histogram& histogram = *out.add_histograms();
  histogram.set_name(name);
  histogram.set_sum_ns(snapshot.sum_ns);
  for (std::size_t bucket = 0; bucket + 1 < stats::kHistogramBuckets; ++bucket) {
    if (snapshot.buckets[bucket] == 0) continue;
    histogram.add_upper_ns(stats::bucket_floor(bucket + 1) - 1);
    histogram.add_counts(snapshot.buckets[bucket]);
  }
  histogram.add_upper_ns(std::numeric_limits<std::uint64_t>::max());
  histogram.add_counts(snapshot.buckets[stats::kHistogramBuckets - 1]);
}

}  // namespace

void export_stats(const stats::Registry& registry, const std::vector<std::uint32_t>& lcores,
                  v1::StatsSnapshot& out) {
  const stats::Snapshot snapshot = registry.snapshot();
  std::vector<const stats::ThreadSnapshot*> workers;
  for (std::size_t i = 0; i < lcores.size(); ++i) {
    const std::string name = "worker" + std::to_string(i);
    for (const stats::ThreadSnapshot& thread : snapshot.threads) {
      if (thread.name == name) {
        workers.push_back(&thread);
        out.add_lcores(lcores[i]);
      }
    }
  }
  for (std::size_t i = 0; i < stats::kCounters; ++i) {
    const auto id = static_cast<stats::Counter>(i);
    v1::Counter& counter = *out.add_counters();
    counter.set_name(std::string(stats::name(id)));
    counter.set_value(snapshot.sum.get(id));
    bool counted_by_workers = false;
    for (const auto* worker : workers) counted_by_workers |= worker->get(id) != 0;
    if (!counted_by_workers) continue;
    for (const auto* worker : workers) counter.add_per_lcore(worker->get(id));
  }
  export_histogram("latency.hit", snapshot.sum.hits, out);
  export_histogram("latency.miss", snapshot.sum.misses, out);
}

}  // namespace swarmdns::control
