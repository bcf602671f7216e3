// How long a node's cache takes to be written as a restart snapshot and to be back from it: all threads of
// the data plane's on one CPU, the file in the machine's page cache as after a restart of the process. Beside
// it `cache load` of a dump of the same entries, by the same cache and writer.
#include <sodium.h>
#include <stdlib.h>
#include <time.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>

#include "dataplane/control/dump.h"
#include "dataplane/control/load.h"
#include "dataplane/restart/snapshot.h"
#include "dataplane/sync/affinity.h"
#include "proto/dns/name_text.h"
#include "tests/bench/report.h"

namespace swarmdns::bench {
namespace {

constexpr std::uint64_t kNumbering = 1;
constexpr auto kPatience = std::chrono::minutes(10);

struct Options {
  Runs runs{.json = {}, .repeat = 3, .seconds = 1.0};
  std::uint64_t entries = 10'000'000;
  std::uint64_t beside = 1'000'000;
  unsigned cpu = 0;
  unsigned observer_cpu = 1;
  std::string directory = "/tmp";
};

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "bench-restart: %s\n", why.c_str());
  std::exit(1);
}

double seconds_since(std::chrono::steady_clock::time_point begun) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

// Half of them two addresses, half four: names of 24 octets.
cache::EntryImage make_image(std::uint64_t number) {
  char text[64];
  std::snprintf(text, sizeof text, "www.n%08llu.example.org", static_cast<unsigned long long>(number));
  const dns::Name name = dns::name_from_text(text).value();
  std::string sections;
  const unsigned count = number % 2 == 0 ? 2 : 4;
  for (unsigned host = 1; host <= count; ++host) {
    sections += std::string("\xc0\x0c\0\1\0\1\0\1\x51\x80\0\4\xc0\0\2", 15) + static_cast<char>(host);
  }
  cache::EntryContent content;
  content.key = {name.wire().data(), static_cast<std::uint8_t>(name.size()), 0, 0, 1};
  content.answers = static_cast<std::uint16_t>(count);
  content.born = cache::Clock::kStart;
  content.expires = content.born + 86'400;
  content.sections = std::as_bytes(std::span(sections));
  auto image = cache::EntryImage::build(content);
  if (!image) fail(cache::to_text(image.error()));
  return *image;
}

// Of all threads of this process.
double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// The cache of one life of a node, with what saves and loads it.
class Life {
 public:
  Life(const Options& options, const std::string& directory, std::uint64_t entries) {
    cache::CacheOptions made;
    made.budget_bytes = std::max<std::uint64_t>(entries * 200, std::uint64_t{64} << 20);
    made.hugepages = false;
    made.mean_entry_bytes = 112;
    made.cpus = {options.cpu};
    auto cache = cache::Cache::create(made, counters_);
    if (!cache) fail(cache.error());
    cache_ = std::move(*cache);
    writer_ = std::make_unique<cache::Writer>(*cache_, clock_, counters_,
                                              cache::Writer::Options{.cpus = {options.cpu}});
    config_.set_state_dir(directory);
    config_.set_run_dir(directory);
    config_.mutable_eal()->add_worker_cpus(0);
    config_.add_ports()->set_device("net_null0");
    config_.mutable_ports(0)->add_addresses("10.53.1.1/24");
    config_.mutable_upstream()->add_servers("127.0.0.1@553");
    config_.mutable_cache()->set_memory_mib(made.budget_bytes >> 20);
    auto checked = control::checked(config_);
    if (!checked) fail(checked.error());
    config_ = *checked;
    auto configurator = control::Configurator::create(config_, {{2, 0, 0, 0, 0, 1}}, 1'000'000);
    if (!configurator) fail(configurator.error());
    configurator_ = std::move(*configurator);
    calls_ = std::make_unique<control::CacheCalls>(*writer_, clock_, *configurator_, kNumbering);
    restart::Snapshot::Options snapshot;
    snapshot.state_dir = directory;
    snapshot.numbering = kNumbering;
    snapshot.cpus = {options.cpu};
    snapshot.settings = [] { return restart::Snapshot::Settings{86'400'000, 604'800, 86'400}; };
    snapshot_ = std::make_unique<restart::Snapshot>(*writer_, clock_, calls_->flushes(), snapshot_counters_,
                                                    std::move(snapshot));
  }
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;
  ~Life() { writer_->stop(); }

  // Before the writer is started.
  void fill(std::uint64_t entries) {
    for (std::uint64_t i = 0; i < entries; ++i) {
      // An origin of its own, as a journaled answer has, and no journal, which would be the larger part.
      cache::InsertOptions insert;
      insert.journal = false;
      insert.origin = {0, i + 1};
      (void)cache_->insert(make_image(i), clock_.milliseconds(), insert);
    }
  }

  cache::Clock clock_;
  stats::Block counters_;
  stats::Block snapshot_counters_;
  v1::DataplaneConfig config_;
  std::unique_ptr<cache::Cache> cache_;
  std::unique_ptr<cache::Writer> writer_;
  std::unique_ptr<control::Configurator> configurator_;
  std::unique_ptr<control::CacheCalls> calls_;
  std::unique_ptr<restart::Snapshot> snapshot_;
};

struct Samples {
  std::vector<double> write;
  std::vector<double> write_cpu;
  std::vector<double> load;
  std::vector<double> load_cpu;
  std::vector<double> first_ms;
  std::vector<double> after_1s;
  std::vector<double> mib;
};

void save(const Options& options, const std::string& directory, Samples& samples) {
  Life life(options, directory, options.entries);
  life.fill(options.entries);
  const std::uint64_t entries = life.cache_->stats().entries;
  if (entries != options.entries) fail("the cache holds only " + std::to_string(entries));
  life.writer_->start();
  life.snapshot_->start();
  while (life.snapshot_->loading()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const auto begun = std::chrono::steady_clock::now();
  const double begun_cpu = cpu_seconds();
  if (!life.snapshot_->stop(kPatience)) fail("the snapshot did not end");
  samples.write.push_back(seconds_since(begun));
  samples.write_cpu.push_back(cpu_seconds() - begun_cpu);
  const restart::Snapshot::Status status = life.snapshot_->status();
  if (status.written_entries != entries) fail("the snapshot holds other entries");
  samples.mib.push_back(static_cast<double>(status.written_bytes) / (1 << 20));
}

void load(const Options& options, const std::string& directory, Samples& samples) {
  Life life(options, directory, options.entries);
  life.writer_->start();
  const auto begun = std::chrono::steady_clock::now();
  const double begun_cpu = cpu_seconds();
  double first_ms = 0;
  double after_1s = 0;
  life.snapshot_->start();
  while (life.snapshot_->loading()) {
    const std::uint64_t entries = life.cache_->stats().entries;
    const double now = seconds_since(begun);
    if (entries > 0 && first_ms == 0) first_ms = now * 1000;
    if (now <= 1) after_1s = static_cast<double>(entries);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  samples.load.push_back(seconds_since(begun));
  samples.load_cpu.push_back(cpu_seconds() - begun_cpu);
  samples.first_ms.push_back(first_ms);
  samples.after_1s.push_back(after_1s);
  if (life.cache_->stats().entries != options.entries) {
    fail("only " + std::to_string(life.cache_->stats().entries) + " came back");
  }
  (void)life.snapshot_->stop(kPatience);
}

// Entries a second of `cache load`, which reads Protobuf and checks every record.
double load_dump(const Options& options, const std::string& directory) {
  std::vector<v1::CacheSlice> slices;
  {
    Life life(options, directory, options.beside);
    life.fill(options.beside);
    life.writer_->start();
    const auto dumped = control::dump_cache(*life.calls_, "bench", [&](const v1::CacheSlice& slice) {
      slices.push_back(slice);
      return true;
    });
    if (!dumped.ok()) fail(dumped.error_message());
  }
  Life life(options, directory, options.beside);
  life.writer_->start();
  std::size_t next = 0;
  v1::LoadResponse response;
  double took = 0;
  grpc::Status status;
  // On the same CPU as all else.
  std::thread([&] {
    (void)sync::set_affinity(std::array{options.cpu});
    const auto begun = std::chrono::steady_clock::now();
    status = control::load_cache(
        *life.calls_, life.config_,
        [&](v1::CacheSlice& slice) {
          if (next == slices.size()) return false;
          slice = std::move(slices[next++]);
          return true;
        },
        response);
    took = seconds_since(begun);
  }).join();
  if (!status.ok()) fail(status.error_message());
  if (response.loaded() != options.beside) fail("the dump did not come back");
  return static_cast<double>(options.beside) / took;
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app("A cache written to disk and back, on one CPU.");
  options.runs.add_to(app);
  app.add_option("--entries", options.entries, "entries of the cache")->capture_default_str();
  app.add_option("--beside", options.beside, "entries of the dump for `cache load`")->capture_default_str();
  app.add_option("--cpu", options.cpu, "CPU of the data plane's threads")->capture_default_str();
  app.add_option("--observer-cpu", options.observer_cpu, "CPU of whoever looks on")->capture_default_str();
  app.add_option("--directory", options.directory, "where the file is written")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  if (sodium_init() < 0) fail("libsodium cannot be initialised");
  std::string directory = options.directory + "/swarmdns-bench-XXXXXX";
  if (mkdtemp(directory.data()) == nullptr) fail("no temporary directory in " + options.directory);
  (void)sync::set_affinity(std::array{options.observer_cpu});

  Samples samples;
  std::vector<double> rates;
  std::vector<double> dumps;
  for (unsigned i = 0; i < options.runs.repeat; ++i) {
    save(options, directory, samples);
    load(options, directory, samples);
    rates.push_back(static_cast<double>(options.entries) / samples.load.back());
    dumps.push_back(load_dump(options, directory));
  }
  std::error_code ignored;
  std::filesystem::remove_all(directory, ignored);

  Report report("restart");
  report.add(Figure::of("entries", {static_cast<double>(options.entries)}, "entries"));
  report.add(Figure::of("size", samples.mib, "MiB"));
  report.add(Figure::of("write", samples.write, "s"));
  report.add(Figure::of("write-cpu", samples.write_cpu, "s of the core"));
  report.add(Figure::of("load", samples.load, "s"));
  report.add(Figure::of("load-cpu", samples.load_cpu, "s of the core"));
  report.add(Figure::of("first-answer", samples.first_ms, "ms"));
  report.add(Figure::of("back-after-1s", samples.after_1s, "entries"));
  Figure rate = Figure::of("load-rate", rates, "entries/s");
  rate.ratio_to.emplace_back("cache load", median(rates) / median(dumps));
  report.add(rate);
  report.add(Figure::of("cache-load-rate", dumps, "entries/s"));
  report.write_json(options.runs.json);
  return 0;
}

}  // namespace
}  // namespace swarmdns::bench

int main(int argc, char** argv) {
  return swarmdns::bench::run(argc, argv);
}
