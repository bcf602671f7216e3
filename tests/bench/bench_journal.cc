// Mutations a second that one follower of the journal gets over the control socket, beside what the journal
// itself gives (Journal::read) and what remains when only gRPC is left out (messages made and dropped).
//
// Case `live`: a producer changes the cache at a steady rate while the follower reads; what it lost is shown.
#include <grpcpp/create_channel.h>
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

#include "dataplane/control/journal_stream.h"
#include "dataplane/control/service.h"
#include "dataplane/sync/affinity.h"
#include "proto/dns/name_text.h"
#include "proto/rpc/unix_server.h"
#include "tests/bench/report.h"

namespace swarmdns::bench {
namespace {

struct Options {
  Runs runs{.json = {}, .repeat = 5, .seconds = 3.0};
  unsigned server_cpu = 0;
  unsigned follower_cpu = 1;
  std::uint64_t rate = 300'000;
};

constexpr std::size_t kRecords = 400'000;

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "bench-journal: %s\n", why.c_str());
  std::exit(1);
}

std::uint64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

// An answer as most are: a name of 24 octets, two A records.
cache::EntryImage make_image(std::uint64_t number, unsigned char last) {
  char text[64];
  std::snprintf(text, sizeof text, "www.n%08llu.example.org", static_cast<unsigned long long>(number));
  const dns::Name name = dns::name_from_text(text).value();
  std::string sections;
  for (const unsigned char host : {last, static_cast<unsigned char>(last + 1)}) {
    sections += std::string("\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2", 15) + static_cast<char>(host);
  }
  cache::EntryContent content;
  content.key = {name.wire().data(), static_cast<std::uint8_t>(name.size()), 0, 0, 1};
  content.answers = 2;
  content.born = cache::Clock::kStart;
  content.expires = content.born + 300;
  content.sections = std::as_bytes(std::span(sections));
  auto image = cache::EntryImage::build(content);
  if (!image) fail(cache::to_text(image.error()));
  return *image;
}

struct NoTarget final : control::LiveTarget {
  void swap(control::LiveParts) override {}
};
struct NoMachine final : control::Machine {
  [[nodiscard]] bool ready() const override { return true; }
  void describe_ports(google::protobuf::RepeatedPtrField<v1::PortStatus>&) const override {}
  void describe_workers(google::protobuf::RepeatedPtrField<v1::WorkerStatus>&) const override {}
  void describe_upstreams(google::protobuf::RepeatedPtrField<v1::UpstreamStatus>&) const override {}
  void request_stop() override {}
};

// The control service over a cache whose journal keeps kRecords.
class Rig {
 public:
  explicit Rig(unsigned server_cpu) {
    char directory[] = "/tmp/swarmdns-bench-XXXXXX";
    if (mkdtemp(directory) == nullptr) fail("no temporary directory");
    directory_ = directory;
    cache::CacheOptions options;
    options.budget_bytes = std::uint64_t{8} << 30;  // hardly touched: a 64th of it is the journal's
    options.hugepages = false;
    options.mean_entry_bytes = 4096;
    options.journal = {.records = kRecords, .bytes = std::size_t{128} << 20};
    auto cache = cache::Cache::create(options, counters_);
    if (!cache) fail(cache.error());
    cache_ = std::move(*cache);
    writer_ = std::make_unique<cache::Writer>(*cache_, clock_, counters_,
                                              cache::Writer::Options{.queue = 16'384, .cpus = {server_cpu}});
    v1::DataplaneConfig config;
    config.set_state_dir(directory_);
    config.set_run_dir(directory_);
    config.mutable_eal()->add_worker_cpus(0);
    config.add_ports()->set_device("net_null0");
    config.mutable_ports(0)->add_addresses("10.53.1.1/24");
    config.mutable_upstream()->add_servers("127.0.0.1@553");
    auto checked = control::checked(config);
    if (!checked) fail(checked.error());
    auto configurator = control::Configurator::create(*checked, {{2, 0, 0, 0, 0, 1}}, 1'000'000);
    if (!configurator) fail(configurator.error());
    configurator_ = std::move(*configurator);
    if (auto attached = configurator_->attach(target_); !attached) fail(attached.error());
    calls_ = std::make_unique<control::CacheCalls>(*writer_, clock_, *configurator_, 1);
    readiness_ = std::make_unique<control::Readiness>(directory_, control::Readiness::system_clocks(), log_);
    service_ = std::make_unique<control::Service>(
        control::Service::Parts{*configurator_, *calls_, machine_, *readiness_, registry_, log_});
    rpc::UnixServer::Options server;
    server.path = directory_ + "/dataplane.sock";
    // gRPC's threads inherit this one's affinity.
    std::thread([&] {
      (void)sync::set_affinity(std::array{server_cpu});
      auto started = rpc::UnixServer::start(server, {service_.get()});
      if (!started) fail(started.error());
      server_ = std::move(*started);
    }).join();
    stub_ = v1::Dataplane::NewStub(
        grpc::CreateChannel("unix:" + server.path, grpc::InsecureChannelCredentials()));
  }
  ~Rig() {
    service_->stop();
    server_->stop();
    writer_->stop();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  // Before the writer is started.
  void fill() {
    const cache::UpstreamId upstream = cache_->journal().upstreams().id_of("192.0.2.1@53");
    for (std::size_t i = 0; i < kRecords; ++i) {
      cache::Mutation mutation;
      mutation.clock_ms = clock_.milliseconds();
      mutation.image = make_image(i, 1);
      mutation.upstream = upstream;
      (void)cache_->journal().append(std::move(mutation));
    }
  }
  void start_writer() { writer_->start(); }

  [[nodiscard]] cache::Journal& journal() { return cache_->journal(); }
  [[nodiscard]] cache::Writer& writer() { return *writer_; }
  [[nodiscard]] control::CacheCalls& calls() { return *calls_; }
  [[nodiscard]] v1::Dataplane::Stub& stub() { return *stub_; }

 private:
  std::string directory_;
  cache::Clock clock_;
  stats::Block counters_;
  stats::Registry registry_{1};
  control::Logger log_{-1, control::LogLevel::Error};
  NoTarget target_;
  NoMachine machine_;
  std::unique_ptr<cache::Cache> cache_;
  std::unique_ptr<cache::Writer> writer_;
  std::unique_ptr<control::Configurator> configurator_;
  std::unique_ptr<control::CacheCalls> calls_;
  std::unique_ptr<control::Readiness> readiness_;
  std::unique_ptr<control::Service> service_;
  std::unique_ptr<rpc::UnixServer> server_;
  std::unique_ptr<v1::Dataplane::Stub> stub_;
};

double per_second(std::uint64_t count, std::uint64_t begun_ns) {
  return static_cast<double>(count) / (static_cast<double>(now_ns() - begun_ns) / 1e9);
}

double read_all(Rig& rig) {
  const std::uint64_t begin = now_ns();
  std::uint64_t count = 0;
  for (std::uint64_t from = 0;;) {
    const auto batch = rig.journal().read(from, 4096, std::size_t{1} << 20, std::chrono::milliseconds(0));
    if (batch.mutations.empty()) return per_second(count, begin);
    count += batch.mutations.size();
    from = batch.next;
  }
}

double convert_all(Rig& rig) {
  const std::uint64_t begin = now_ns();
  std::uint64_t count = 0;
  const auto take = [&count](const v1::JournalBatch& batch) {
    count += static_cast<std::uint64_t>(batch.mutations_size());
    return true;
  };
  const auto status = control::stream_journal(rig.calls(), {}, take, [] { return false; });
  if (!status.ok()) fail(status.error_message());
  return per_second(count, begin);
}

double stream_all(Rig& rig) {
  const std::uint64_t begin = now_ns();
  std::uint64_t count = 0;
  grpc::ClientContext context;
  auto reader = rig.stub().Journal(&context, {});
  for (v1::JournalBatch batch; reader->Read(&batch);) {
    count += static_cast<std::uint64_t>(batch.mutations_size());
  }
  if (const auto status = reader->Finish(); !status.ok()) fail(status.error_message());
  if (count != kRecords) fail("the stream gave " + std::to_string(count) + " mutations");
  return per_second(count, begin);
}

struct Live {
  double rate = 0;
  double offered = 0;
  std::uint64_t lost = 0;
  double late_ms = 0;  // the last one's arrival after its making
};

// Changes 100,000 names over and over at the rate wanted, for the time of a run, and follows them. `made`:
// how many changes there were in all runs, so that each is one.
Live follow(Rig& rig, const Options& options, std::uint64_t& made) {
  constexpr std::uint64_t kNames = 100'000;
  std::vector<cache::EntryImage> images;
  for (std::uint64_t i = 0; i < 2 * kNames; ++i) {
    images.push_back(make_image(i % kNames, i < kNames ? 1 : 100));
  }
  v1::JournalRequest request;
  request.set_from(rig.journal().next());
  request.set_follow(true);
  const std::uint64_t first = rig.journal().next();
  std::atomic<std::uint64_t> last{0};
  std::atomic<std::uint64_t> made_ns{0};
  std::thread producer([&] {
    sync::begin_slow_thread("producer", std::array{options.server_cpu});
    const std::uint64_t begin = now_ns();
    const auto length = static_cast<std::uint64_t>(options.runs.seconds * 1e9);
    std::uint64_t sent = 0;
    while (now_ns() - begin < length) {
      const std::uint64_t due = (now_ns() - begin) * options.rate / 1'000'000'000;
      for (; sent < due; ++sent) {
        cache::InsertOptions insert;
        insert.upstream = 1;
        if (!rig.writer().insert(images[made % images.size()], insert)) break;
        ++made;
      }
      std::this_thread::sleep_for(std::chrono::microseconds(500));
    }
    rig.writer().drain();
    made_ns.store(now_ns());
    last.store(rig.journal().next() - 1);
    // Wakes a follower that has all of them already.
    const std::uint64_t marker = kNames + rig.journal().next();
    if (!rig.writer().insert(make_image(marker, 1))) fail("the queue is full although it was drained");
    rig.writer().drain();
  });
  const std::uint64_t begin = now_ns();
  Live live;
  std::uint64_t count = 0;
  std::uint64_t next = first;
  grpc::ClientContext context;
  auto reader = rig.stub().Journal(&context, request);
  v1::JournalBatch batch;
  while ((last == 0 || next <= last) && reader->Read(&batch)) {
    for (const v1::Mutation& mutation : batch.mutations()) {
      if (mutation.kind() == v1::MUTATION_GAP) {
        live.lost += mutation.gap_last() - mutation.gap_first() + 1;
      } else {
        ++count;
      }
    }
    next = batch.next();
  }
  const std::uint64_t end = now_ns();
  context.TryCancel();
  (void)reader->Finish();
  producer.join();
  live.rate = static_cast<double>(count) / (static_cast<double>(end - begin) / 1e9);
  live.offered = static_cast<double>(last - first + 1) / options.runs.seconds;
  live.late_ms = end > made_ns ? static_cast<double>(end - made_ns) / 1e6 : 0;
  return live;
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app("Mutations a second through the journal's stream.");
  options.runs.add_to(app);
  app.add_option("--server-cpu", options.server_cpu, "CPU of the data plane's threads")
      ->capture_default_str();
  app.add_option("--follower-cpu", options.follower_cpu, "CPU of the follower")->capture_default_str();
  app.add_option("--rate", options.rate, "mutations a second of case live")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  if (sodium_init() < 0) fail("libsodium cannot be initialised");
  sync::begin_slow_thread("follower", std::array{options.follower_cpu});

  Report report("journal");
  const auto repeated = [&](const std::function<double()>& once) {
    std::vector<double> rates;
    for (unsigned i = 0; i < options.runs.repeat; ++i) rates.push_back(once());
    return rates;
  };
  {
    Rig rig(options.server_cpu);
    rig.fill();
    const Figure read = Figure::of("read", repeated([&] { return read_all(rig); }), "mutations/s");
    report.add(read);
    for (const auto& [name, once] : {std::pair{"messages", &convert_all}, std::pair{"stream", &stream_all}}) {
      Figure figure = Figure::of(name, repeated([&] { return once(rig); }), "mutations/s");
      figure.ratio_to.emplace_back("read", figure.value / read.value);
      report.add(figure);
    }
  }
  Rig rig(options.server_cpu);
  rig.start_writer();
  std::vector<double> rates;
  std::vector<double> offered;
  std::vector<double> late;
  double lost = 0;
  std::uint64_t made = 0;
  for (unsigned i = 0; i < options.runs.repeat; ++i) {
    const Live live = follow(rig, options, made);
    rates.push_back(live.rate);
    offered.push_back(live.offered);
    late.push_back(live.late_ms);
    lost += static_cast<double>(live.lost);
  }
  report.add(Figure::of("live-made", offered, "mutations/s"));
  report.add(Figure::of("live", rates, "mutations/s"));
  report.add(Figure::of("live-lost", {lost}, "mutations"));
  report.add(Figure::of("live-last-after", late, "ms"));
  report.write_json(options.runs.json);
  return 0;
}

}  // namespace
}  // namespace swarmdns::bench

int main(int argc, char** argv) {
  return swarmdns::bench::run(argc, argv);
}
