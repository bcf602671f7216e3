// What a change costs in a swarm of members on this machine: mTLS over loopback, signatures, a real
// disk. Beside what the disk alone takes for the writing that a commit has to wait for.
//
//   commit     one change at a time at the leader: asked for until applied there
//   at-follower  the same at a member that does not lead
//   changes    as many as the swarm takes, asked for at all three
//   joined     a node that joins has all there is (--behind-mib), and nobody was elected meanwhile
//   disk       one write of 4 KiB that is on the disk when it returns
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <sodium.h>
#include <CLI/CLI.hpp>

#include "tests/bench/report.h"
#include "tests/bench/running_swarm.h"

namespace swarmdns::bench {
namespace {

namespace cp = controlplane;

constexpr std::size_t kBlock = 4096;
constexpr unsigned kUnderWay = 4000;  // at each member

struct Options {
  Runs runs{.json = {}, .repeat = 5, .seconds = 3.0};
  std::string directory = "/var/tmp";
  std::uint16_t port = 18'453;
  unsigned nodes = 3;
  double behind_mib = 1024;
};

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "bench-swarm: %s\n", why.c_str());
  std::exit(1);
}

double now_us() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

// With so many octets of no use, which no compression makes less.
v1::Transaction change(std::uint64_t number, std::size_t octets = 0) {
  v1::Transaction transaction;
  std::string noise(octets / 2, '\0');
  randombytes_buf(noise.data(), noise.size());
  std::string text = "change number " + std::to_string(number) + " ";
  for (const char c : noise) {
    text += static_cast<char>('a' + (c & 15));
    text += static_cast<char>('a' + (c >> 4 & 15));
  }
  transaction.mutable_note()->set_text(text);
  return transaction;
}

double quantile(std::vector<double> values, double part) {
  std::ranges::sort(values);
  return values[std::min(values.size() - 1,
                         static_cast<std::size_t>(part * static_cast<double>(values.size())))];
}

// Milliseconds of each, one after the other.
std::vector<double> one_at_a_time(cp::Member& member, double seconds) {
  std::vector<double> waits;
  const double end = now_us() + seconds * 1e6;
  while (now_us() < end) {
    std::promise<std::string> verdict;
    const double begun = now_us();
    double done = 0;
    member.reactor().post([&] {
      member.core().submitter().submit(change(waits.size()), [&](const auto& outcome) {
        done = now_us();
        verdict.set_value(outcome ? "" : outcome.error().text);
      });
    });
    if (const std::string refused = verdict.get_future().get(); !refused.empty()) fail(refused);
    waits.push_back((done - begun) / 1e3);
  }
  return waits;
}

// Changes a second that are applied where they were asked for.
class Flood {
 public:
  // Until `enough` says so, which is asked at each change, on any reactor thread.
  Flood(RunningSwarm& swarm, std::function<bool()> enough, std::size_t octets = 0)
      : swarm_(swarm), enough_(std::move(enough)), octets_(octets) {}

  double run() {
    const double begun = now_us();
    for (unsigned index = 0; index < swarm_.size(); ++index) {
      swarm_.at(index).reactor().post([this, index] {
        for (unsigned i = 0; i < kUnderWay; ++i) ask(index);
      });
    }
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [this] { return finished_ == swarm_.size() * kUnderWay; });
    return static_cast<double>(done_) / ((now_us() - begun) / 1e6);
  }

 private:
  // Reactor thread of that member.
  void ask(unsigned index) {
    swarm_.at(index).core().submitter().submit(change(done_, octets_), [this, index](const auto& outcome) {
      if (!outcome) fail(outcome.error().text);
      ++done_;
      if (!enough_()) return ask(index);
      const std::scoped_lock lock(mutex_);
      if (++finished_ == swarm_.size() * kUnderWay) ended_.notify_one();
    });
  }

  RunningSwarm& swarm_;
  const std::function<bool()> enough_;
  const std::size_t octets_;
  std::atomic<std::uint64_t> done_ = 0;
  std::mutex mutex_;
  std::condition_variable ended_;
  unsigned finished_ = 0;
};

// Milliseconds of each write that waits for the disk, as the log writes: direct, into a file that is there
// already.
std::vector<double> disk_writes(const std::string& directory, double seconds) {
  const std::string path = directory + "/writes";
  constexpr std::size_t kBlocks = 2048;
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_DIRECT | O_DSYNC, 0600);
  if (file < 0 || ::posix_fallocate(file, 0, kBlocks * kBlock) != 0) fail("cannot write " + path);
  void* block = std::aligned_alloc(kBlock, kBlock);
  std::vector<double> waits;
  const double end = now_us() + seconds * 1e6;
  for (std::size_t i = 0; now_us() < end; ++i) {
    const double begun = now_us();
    if (::pwrite(file, block, kBlock, static_cast<off_t>((i % kBlocks) * kBlock)) != kBlock)
      fail("cannot write " + path);
    waits.push_back((now_us() - begun) / 1e3);
  }
  std::free(block);
  ::close(file);
  return waits;
}

struct Joined {
  double seconds = 0;
  double behind_mib = 0;
  bool elected = false;
};

std::uint64_t height_of(cp::Member& member) {
  std::uint64_t height = 0;
  member.run([&] { height = member.core().chain().height(); });
  return height;
}

std::uint64_t term_of(cp::Member& member) {
  std::uint64_t term = 0;
  member.run([&] { term = member.core().log().status().term; });
  return term;
}

// Grows what there is to so much, then lets one more in.
Joined join_behind(RunningSwarm& swarm, double mib) {
  constexpr std::size_t kOctets = 1000;
  std::atomic<std::uint64_t> made = 0;
  const auto wanted = static_cast<std::uint64_t>(mib * 1048576 / kOctets);
  (void)Flood(
      swarm, [&] { return ++made >= wanted; }, kOctets)
      .run();
  cp::Member& leads = swarm.at(swarm.leader());
  const std::uint64_t term = term_of(leads);
  const std::uint64_t height = height_of(leads);
  const double begun = now_us();
  swarm.add();
  while (height_of(swarm.at(swarm.size() - 1)) < height)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  return {(now_us() - begun) / 1e6, static_cast<double>(made * kOctets) / 1048576, term_of(leads) != term};
}

void measure(const Options& options, const std::string& directory) {
  RunningSwarm swarm(directory, options.nodes, options.port);
  const unsigned leader = swarm.leader();
  cp::Member& leads = swarm.at(leader);
  cp::Member& follows = swarm.at((leader + 1) % options.nodes);
  (void)one_at_a_time(leads, 0.5);
  std::vector<double> disk, disk_late, at_leader, at_leader_late, at_follower, rates;
  for (unsigned i = 0; i < options.runs.repeat; ++i) {
    const auto writes = disk_writes(directory, options.runs.seconds / 4);
    disk.push_back(median(writes));
    disk_late.push_back(quantile(writes, 0.99));
    const auto commits = one_at_a_time(leads, options.runs.seconds);
    at_leader.push_back(median(commits));
    at_leader_late.push_back(quantile(commits, 0.99));
    at_follower.push_back(median(one_at_a_time(follows, options.runs.seconds)));
    const double end = now_us() + options.runs.seconds * 1e6;
    rates.push_back(Flood(swarm, [end] { return now_us() >= end; }).run());
  }
  Report report("swarm");
  const auto beside = [](const char* name, const std::vector<double>& samples,
                         const std::vector<double>& yardstick) {
    Figure figure = Figure::of(name, samples, "ms");
    figure.ratio_to.emplace_back("disk", median(yardstick) / figure.value);
    return figure;
  };
  report.add(Figure::of("disk", disk, "ms"));
  report.add(Figure::of("disk-p99", disk_late, "ms"));
  report.add(beside("commit", at_leader, disk));
  report.add(beside("commit-p99", at_leader_late, disk_late));
  report.add(beside("at-follower", at_follower, disk));
  Figure changes = Figure::of("changes", rates, "changes/s");
  changes.ratio_to.emplace_back("disk", changes.value / (1000 / median(disk)));
  report.add(changes);
  if (options.behind_mib > 0) {
    const Joined joined = join_behind(swarm, options.behind_mib);
    report.add(Figure::of("joined-behind", {joined.behind_mib}, "MiB"));
    report.add(Figure::of("joined", {joined.seconds}, "s"));
    report.add(Figure::of("joined-elections", {joined.elected ? 1.0 : 0.0}, "elections"));
  }
  report.write_json(options.runs.json);
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app("Changes of a swarm of three members.");
  options.runs.add_to(app);
  app.add_option("--directory", options.directory, "where a folder for logs and ledgers is made")
      ->capture_default_str();
  app.add_option("--port", options.port, "the first of so many on 127.0.0.1")->capture_default_str();
  app.add_option("--nodes", options.nodes, "members")->capture_default_str()->check(CLI::Range(1, 9));
  app.add_option("--behind-mib", options.behind_mib,
                 "changes that a node has not got when it joins; 0: none joins")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  if (sodium_init() < 0) fail("libsodium cannot be initialised");
  std::string directory = options.directory + "/swarmdns-bench-XXXXXX";
  if (::mkdtemp(directory.data()) == nullptr)
    fail("--directory: no folder can be made in " + options.directory);
  measure(options, directory);
  std::error_code ignored;
  std::filesystem::remove_all(directory, ignored);
  return 0;
}

}  // namespace
}  // namespace swarmdns::bench

int main(int argc, char** argv) {
  return swarmdns::bench::run(argc, argv);
}
