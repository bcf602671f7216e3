// sim-tests --seeds A..B [--trace]: for each seed a swarm of logs and a minute of crashes, partitions, full
// and slow disks, failing stores, changes of members and handovers, with entries and reads all the while;
// then all is healed and what must hold is looked at. Prints each seed that fails with what broke, and how to
// see its trace; ends with 1 when there was one. --twice runs each seed twice and compares the traces.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "tests/sim/log_scenario.h"

namespace {

using swarmdns::sim::Outcome;
using swarmdns::sim::run_log_scenario;

struct Arguments {
  std::uint64_t first = 1;
  std::uint64_t last = 20;
  bool trace = false;
  bool twice = false;
};

bool parse(int argc, char** argv, Arguments& arguments) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--trace") {
      arguments.trace = true;
    } else if (word == "--twice") {
      arguments.twice = true;
    } else if (word == "--seeds" && i + 1 < argc) {
      const std::string range = argv[++i];
      const std::size_t dots = range.find("..");
      arguments.first = std::strtoull(range.c_str(), nullptr, 10);
      arguments.last =
          dots == std::string::npos ? arguments.first : std::strtoull(range.c_str() + dots + 2, nullptr, 10);
    } else {
      return false;
    }
  }
  return arguments.first <= arguments.last;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) {
    std::fprintf(stderr, "usage: %s [--seeds A..B] [--trace] [--twice]\n", argv[0]);
    return 2;
  }
  unsigned failed = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t reads = 0;
  std::uint64_t installs = 0;
  std::uint64_t elections = 0;
  for (std::uint64_t seed = arguments.first; seed <= arguments.last; ++seed) {
    Outcome outcome = run_log_scenario(seed, arguments.trace);
    if (arguments.trace) std::fputs(outcome.trace.c_str(), stdout);
    if (arguments.twice && outcome.broken.empty() &&
        run_log_scenario(seed, false).trace_hash != outcome.trace_hash)
      outcome.broken = "a second run went another way";
    acknowledged += outcome.acknowledged;
    reads += outcome.reads;
    installs += outcome.installs;
    elections += outcome.elections;
    if (outcome.broken.empty()) continue;
    ++failed;
    std::printf("seed %llu FAILED: %s\n  see it: %s --seeds %llu --trace\n",
                static_cast<unsigned long long>(seed), outcome.broken.c_str(), argv[0],
                static_cast<unsigned long long>(seed));
    std::fflush(stdout);
  }
  std::printf(
      "%llu seeds, %u failed; %llu entries acknowledged, %llu reads, %llu states installed, %llu leaders\n",
      static_cast<unsigned long long>(arguments.last - arguments.first + 1), failed,
      static_cast<unsigned long long>(acknowledged), static_cast<unsigned long long>(reads),
      static_cast<unsigned long long>(installs), static_cast<unsigned long long>(elections));
  return failed == 0 ? 0 : 1;
}
