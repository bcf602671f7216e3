// sim-tests [--world log|core|both] [--seeds A..B] [--trace] [--twice]: for each seed a swarm, and crashes,
// partitions, full, slow and failing disks, clocks that are set, changes of members and handovers, with work
// all the while; then all is healed and what must hold is looked at. `log`: logs alone, a minute; `core`:
// whole members, half a minute. Prints each seed that fails with what broke, and how to see its trace; ends
// with 1 when there was one. --twice runs each seed twice and compares the traces.
//
// sim-tests --bugs [--bug NAME] [--seeds A..B]: the planted bugs, each with as many seeds as it takes; a
// table of which invariant has found it at which seed. Ends with 1 when one is not found.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "tests/sim/core_scenario.h"
#include "tests/sim/log_scenario.h"
#include "tests/sim/planted_bugs.h"

namespace {

using swarmdns::sim::Bug;
using swarmdns::sim::CoreOutcome;
using swarmdns::sim::kPlantedBugs;
using swarmdns::sim::Outcome;
using swarmdns::sim::PlantedBug;
using swarmdns::sim::run_core_scenario;
using swarmdns::sim::run_log_scenario;

struct Arguments {
  std::uint64_t first = 1;
  std::uint64_t last = 20;
  bool seeds = false;  // were given
  bool log = true;
  bool core = true;
  bool trace = false;
  bool twice = false;
  bool bugs = false;
  const PlantedBug* bug = nullptr;
};

bool parse_seeds(const std::string& range, Arguments& arguments) {
  const std::size_t dots = range.find("..");
  arguments.first = std::strtoull(range.c_str(), nullptr, 10);
  arguments.last =
      dots == std::string::npos ? arguments.first : std::strtoull(range.c_str() + dots + 2, nullptr, 10);
  arguments.seeds = true;
  return arguments.first <= arguments.last;
}

bool parse(int argc, char** argv, Arguments& arguments) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const bool more = i + 1 < argc;
    if (word == "--trace") {
      arguments.trace = true;
    } else if (word == "--twice") {
      arguments.twice = true;
    } else if (word == "--bugs") {
      arguments.bugs = true;
    } else if (word == "--seeds" && more) {
      if (!parse_seeds(argv[++i], arguments)) return false;
    } else if (word == "--world" && more) {
      const std::string_view world = argv[++i];
      if (world != "log" && world != "core" && world != "both") return false;
      arguments.log = world != "core";
      arguments.core = world != "log";
    } else if (word == "--bug" && more) {
      const std::string_view name = argv[++i];
      for (const PlantedBug& bug : kPlantedBugs)
        if (bug.name == name) arguments.bug = &bug;
      if (arguments.bug == nullptr) return false;
    } else {
      return false;
    }
  }
  return true;
}

unsigned long long number(std::uint64_t value) {
  return value;
}

void say_failed(const char* program, const char* world, std::uint64_t seed, const std::string& what) {
  std::printf("seed %llu FAILED: %s\n  see it: %s --world %s --seeds %llu --trace\n", number(seed),
              what.c_str(), program, world, number(seed));
  std::fflush(stdout);
}

unsigned run_logs(const Arguments& arguments, const char* program) {
  unsigned failed = 0;
  Outcome sum;
  for (std::uint64_t seed = arguments.first; seed <= arguments.last; ++seed) {
    Outcome outcome = run_log_scenario(seed, arguments.trace);
    if (arguments.twice && outcome.broken.empty() &&
        run_log_scenario(seed, false).trace_hash != outcome.trace_hash)
      outcome.broken = "a second run went another way";
    sum.acknowledged += outcome.acknowledged;
    sum.reads += outcome.reads;
    sum.installs += outcome.installs;
    sum.elections += outcome.elections;
    if (outcome.broken.empty()) continue;
    ++failed;
    say_failed(program, "log", seed, outcome.broken);
  }
  std::printf(
      "logs: %llu seeds, %u failed; %llu entries acknowledged, %llu reads, %llu states installed, "
      "%llu leaders\n",
      number(arguments.last - arguments.first + 1), failed, number(sum.acknowledged), number(sum.reads),
      number(sum.installs), number(sum.elections));
  return failed;
}

unsigned run_cores(const Arguments& arguments, const char* program) {
  unsigned failed = 0;
  CoreOutcome sum;
  const Bug bug = arguments.bug != nullptr ? arguments.bug->bug : Bug::kNone;
  for (std::uint64_t seed = arguments.first; seed <= arguments.last; ++seed) {
    CoreOutcome outcome = run_core_scenario(seed, arguments.trace, bug);
    if (arguments.twice && outcome.broken.empty() &&
        run_core_scenario(seed, false, bug).trace_hash != outcome.trace_hash)
      outcome.broken = "a second run went another way";
    sum.blocks += outcome.blocks;
    sum.acknowledged += outcome.acknowledged;
    sum.reads += outcome.reads;
    sum.fences += outcome.fences;
    sum.installs += outcome.installs;
    sum.healed += outcome.healed;
    if (outcome.broken.empty()) continue;
    ++failed;
    say_failed(program, "core", seed, outcome.broken);
  }
  std::printf(
      "members: %llu seeds, %u failed; %llu blocks, %llu marks acknowledged, %llu reads, %llu fences, "
      "%llu ledgers installed, %llu damaged ones replaced\n",
      number(arguments.last - arguments.first + 1), failed, number(sum.blocks), number(sum.acknowledged),
      number(sum.reads), number(sum.fences), number(sum.installs), number(sum.healed));
  return failed;
}

// In a process of its own: what a bug breaks may be C-raft, which then ends the process.
std::string rule_that_breaks(std::uint64_t seed, Bug bug) {
  int ends[2] = {};
  if (pipe(ends) != 0) std::abort();
  const pid_t child = fork();
  if (child < 0) std::abort();
  if (child == 0) {
    close(ends[0]);
    const int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDERR_FILENO);
    const std::string rule = run_core_scenario(seed, false, bug).rule;
    const ssize_t written = write(ends[1], rule.data(), rule.size());
    _exit(written == static_cast<ssize_t>(rule.size()) ? 0 : 1);
  }
  close(ends[1]);
  char text[64];
  const ssize_t size = read(ends[0], text, sizeof(text));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) return "crash";
  return std::string(text, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
}

unsigned run_bugs(const Arguments& arguments) {
  unsigned missed = 0;
  std::printf("%-22s %-12s %6s  %s\n", "planted", "found by", "seed", "what it is");
  for (const PlantedBug& bug : kPlantedBugs) {
    if (arguments.bug != nullptr && arguments.bug->bug != bug.bug) continue;
    const std::uint64_t first = arguments.seeds ? arguments.first : 1;
    const std::uint64_t last = arguments.seeds ? arguments.last : bug.seeds;
    std::string rule;
    std::uint64_t seed = first;
    for (; seed <= last && rule.empty(); ++seed) rule = rule_that_breaks(seed, bug.bug);
    const bool found = !rule.empty();
    missed += found ? 0 : 1;
    std::printf("%-22s %-12s %6s  %s\n", bug.name, found ? rule.c_str() : "NOT FOUND",
                found ? std::to_string(seed - 1).c_str() : "-", bug.what);
    std::fflush(stdout);
  }
  std::printf("%u not found\n", missed);
  return missed;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) {
    std::fprintf(stderr,
                 "usage: %s [--world log|core|both] [--seeds A..B] [--trace] [--twice] [--bug NAME]\n"
                 "       %s --bugs [--bug NAME] [--seeds A..B]\n",
                 argv[0], argv[0]);
    return 2;
  }
  if (arguments.bugs) return run_bugs(arguments) == 0 ? 0 : 1;
  unsigned failed = 0;
  if (arguments.log && arguments.bug == nullptr) failed += run_logs(arguments, argv[0]);
  if (arguments.core) failed += run_cores(arguments, argv[0]);
  return failed == 0 ? 0 : 1;
}
