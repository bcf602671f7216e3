#include <algorithm>
#include <limits>
#include <map>

#include "controlplane/cli/commands.h"
#include "controlplane/cli/human.h"
#include "controlplane/cli/json.h"

namespace swarmdns::controlplane {
namespace {

using Values = std::map<std::string, uint64_t>;

uint64_t total_of(const v1::Histogram& histogram) {
  uint64_t total = 0;
  for (const uint64_t count : histogram.counts()) total += count;
  return total;
}

// The upper bound of the bucket that holds the quantile; the last bound with an end for what is beyond.
std::string quantile_text(const v1::Histogram& histogram, double quantile) {
  const uint64_t total = total_of(histogram);
  if (total == 0) return "-";
  const auto wanted = static_cast<uint64_t>(quantile * static_cast<double>(total - 1)) + 1;
  uint64_t seen = 0;
  uint64_t bounded = 0;
  for (int i = 0; i < histogram.counts_size() && i < histogram.upper_ns_size(); ++i) {
    const uint64_t upper = histogram.upper_ns(i);
    seen += histogram.counts(i);
    if (upper != std::numeric_limits<uint64_t>::max()) bounded = upper;
    if (seen < wanted) continue;
    return upper == std::numeric_limits<uint64_t>::max() ? "> " + nanoseconds_text(bounded)
                                                         : nanoseconds_text(upper);
  }
  return "-";
}

void print_histograms(Context& context, const v1::StatsSnapshot& stats) {
  Table table({"LATENCY", ">COUNT", ">MEAN", ">P50", ">P90", ">P99", ">P99.9"});
  for (const v1::Histogram& histogram : stats.histograms()) {
    const uint64_t total = total_of(histogram);
    table.add({histogram.name(), with_commas(total),
               total > 0 ? nanoseconds_text(histogram.sum_ns() / total) : "-", quantile_text(histogram, 0.5),
               quantile_text(histogram, 0.9), quantile_text(histogram, 0.99),
               quantile_text(histogram, 0.999)});
  }
  if (!table.empty()) context.out << "\n" << table.render(context.style);
}

Values values_of(const v1::StatsSnapshot& stats) {
  Values values;
  for (const v1::Counter& counter : stats.counters()) values[counter.name()] = counter.value();
  return values;
}

// `before`: the last snapshot and its age, for rates; null the first time.
void print_counters(Context& context, const v1::StatsSnapshot& stats, const StatsView& view,
                    const Values* before, double seconds) {
  std::vector<std::string> headings = {"COUNTER", ">TOTAL"};
  if (view.watch) headings.push_back(">PER SECOND");
  if (view.per_lcore) {
    for (const uint32_t lcore : stats.lcores()) headings.push_back(">LCORE " + std::to_string(lcore));
  }
  Table table(headings);
  size_t hidden = 0;
  for (const v1::Counter& counter : stats.counters()) {
    if (counter.value() == 0 && !view.all) {
      ++hidden;
      continue;
    }
    std::vector<std::string> row = {counter.name(), with_commas(counter.value())};
    if (view.watch) {
      const auto old = before != nullptr ? before->find(counter.name()) : Values::const_iterator();
      const bool known =
          before != nullptr && old != before->end() && old->second <= counter.value() && seconds > 0;
      row.push_back(known ? rate_text(static_cast<double>(counter.value() - old->second) / seconds) : "");
    }
    if (view.per_lcore) {
      for (const uint64_t value : counter.per_lcore()) row.push_back(with_commas(value));
    }
    table.add(row);
  }
  context.out << context.style.dim("up " + duration_text(stats.uptime_ms())) << "\n"
              << table.render(context.style);
  if (hidden > 0)
    context.out << context.style.dim(std::to_string(hidden) + " counters at 0 not shown (--all)") << "\n";
}

}  // namespace

int show_stats(Context& context, const StatsView& view) {
  Values before;
  uint64_t before_ms = 0;
  for (int round = 1;; ++round) {
    const auto stats = context.node.stats();
    if (!stats) return fail(context, stats.error());
    if (context.json) {
      context.out << to_json(*stats) << std::flush;
    } else {
      if (view.watch && context.terminal) context.out << "\033[H\033[2J";
      const double seconds =
          static_cast<double>(stats->uptime_ms() - std::min(before_ms, stats->uptime_ms())) / 1000;
      print_counters(context, *stats, view, round > 1 ? &before : nullptr, seconds);
      print_histograms(context, *stats);
      context.out << std::flush;
    }
    if (!view.watch || round == view.count) return kExitOk;
    before = values_of(*stats);
    before_ms = stats->uptime_ms();
    if (!context.pause(view.interval_s * 1000)) return kExitOk;
    if (!context.json && !context.terminal) context.out << "\n";
  }
}

}  // namespace swarmdns::controlplane
