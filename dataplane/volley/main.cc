// dnsvolley: reads its lists, opens the port, runs the loop on one lcore and reports from the main thread,
// which sleeps otherwise.
#include <time.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <memory>

#include "dataplane/eal/eal.h"
#include "dataplane/eal/port.h"
#include "dataplane/sync/affinity.h"
#include "dataplane/volley/command_line.h"
#include "dataplane/volley/engine.h"
#include "dataplane/volley/port_wire.h"
#include "dataplane/volley/report.h"

namespace {

using namespace swarmdns;
using namespace swarmdns::volley;

volatile std::sig_atomic_t signals_seen = 0;

int fail(const std::string& text) {
  std::fprintf(stderr, "dnsvolley: %s\n", text.c_str());
  return kUsage;
}

void pause_ms(long ms) {
  const timespec time{.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1'000'000};
  nanosleep(&time, nullptr);  // a signal ends it early, which is what we want
}

// The lists, and all that is built from them.
struct Load {
  QueryList questions;
  Expectations expectations;
  Sources sources;
};

std::expected<Load, std::string> read_load(const Options& options, const Plan& plan) {
  auto text = read_file(options.queries);
  if (!text) return std::unexpected(text.error());
  auto questions = QueryList::parse(*text, options.queries);
  if (!questions) return std::unexpected(questions.error());
  Expectations expectations;
  if (!options.expectations.empty()) {
    text = read_file(options.expectations);
    if (!text) return std::unexpected(text.error());
    auto parsed = Expectations::parse(*text, options.expectations, *questions);
    if (!parsed) return std::unexpected(parsed.error());
    if (parsed->covered() == 0)
      return std::unexpected(options.expectations + " is for none of the questions in " + options.queries);
    if (parsed->covered() < questions->size())
      std::fprintf(stderr, "dnsvolley: %llu of %u questions have an expectation\n",
                   static_cast<unsigned long long>(parsed->covered()), questions->size());
    if (parsed->unused() > 0)
      std::fprintf(stderr, "dnsvolley: %llu expectations are for no question of the list\n",
                   static_cast<unsigned long long>(parsed->unused()));
    expectations = std::move(*parsed);
  }
  auto sources = Sources::make(options.sources, options.clients, plan.taken, options.seed);
  if (!sources) return std::unexpected("--source: " + sources.error());
  return Load{std::move(*questions), std::move(expectations), std::move(*sources)};
}

EngineOptions engine_options(const Options& options, const Plan& plan, std::uint64_t hz) {
  const auto ticks = [hz](double seconds) {
    return static_cast<std::uint64_t>(seconds * static_cast<double>(hz));
  };
  return {.hz = hz,
          .rate = options.rate,
          .random_gaps = options.random_gaps,
          .warmup = ticks(options.warmup_s),
          .duration = ticks(options.duration_s),
          .count = options.count,
          .timeout = std::max<std::uint64_t>(ticks(options.timeout_s), 1),
          .window = options.window,
          .resolve_timeout = ticks(options.resolve_s),
          .burst = options.burst,
          .edns = options.edns / 100,
          .dnssec_ok = options.dnssec_ok / 100,
          .cookies = options.cookies / 100,
          .v6 = plan.v6_share,
          .seed = options.seed};
}

const char* name_of(Phase phase) {
  switch (phase) {
    case Phase::Resolving:
    case Phase::Unresolved:
      return "resolving";
    case Phase::WarmUp:
      return "warm-up";
    case Phase::Measuring:
      return "measuring";
    case Phase::Draining:
    case Phase::Done:
      return "draining";
  }
  return "";
}

Totals all_totals(const Engine& engine) {
  Totals sum = engine.totals(false);
  const Totals measured = engine.totals(true);
  for (std::size_t i = 0; i < kCounts; ++i) sum.counts[i] += measured.counts[i];
  return sum;
}

// On the main thread, until the loop has ended.
void watch(Engine& engine, bool progress, const stats::TscClock& clock) {
  const std::uint64_t start = stats::read_tsc();
  std::uint64_t last = start;
  int passed_on = 0;
  Totals before;
  auto latency_before = std::make_unique<stats::HistogramSnapshot>();
  while (engine.phase() != Phase::Done && engine.phase() != Phase::Unresolved) {
    pause_ms(50);
    for (; passed_on < signals_seen; ++passed_on) engine.stop();
    const std::uint64_t now = stats::read_tsc();
    if (!progress || clock.to_ns(now - last) < 1'000'000'000U) continue;
    const Totals totals = all_totals(engine);
    auto latency = std::make_unique<stats::HistogramSnapshot>();
    latency->add(engine.latency(false));
    latency->add(engine.latency(true));
    std::fputs(progress_line(static_cast<double>(clock.to_ns(now - start)) / 1e9,
                             static_cast<double>(clock.to_ns(now - last)) / 1e9, name_of(engine.phase()),
                             totals, before, latency->since(*latency_before))
                   .c_str(),
               stderr);
    before = totals;
    latency_before = std::move(latency);
    last = now;
  }
}

// Starts the port and waits for its link. A memif client asks for its peer's socket once, when it is started:
// it is started anew until the peer is there and takes it.
std::expected<void, std::string> bring_up(eal::Port& port, double seconds) {
  constexpr int kLooks = 50;  // 20 ms apart, between two starts
  const bool asks_once = port.device().starts_with("net_memif");
  const stats::TscClock clock = stats::TscClock::calibrate();
  const std::uint64_t start = stats::read_tsc();
  const auto time_left = [&] {
    return signals_seen == 0 && static_cast<double>(clock.to_ns(stats::read_tsc() - start)) < seconds * 1e9;
  };
  std::expected<void, eal::Error> started;
  do {
    started = port.start();
    if (!started && !asks_once) break;
    for (int i = 0; time_left() && (!asks_once || i < kLooks); ++i) {
      if (started && port.link().up) return {};
      pause_ms(20);
    }
    if (asks_once) port.stop();
  } while (time_left());
  if (signals_seen != 0) return std::unexpected("stopped before the link came up");
  if (!started) return std::unexpected(started.error().text());
  return std::unexpected("the link of " + port.device() +
                         " is down; check the cable, or that the other side runs");
}

int report(const Result& result, const Options& options) {
  if (options.json == "-") {
    std::fputs(json(result, options).c_str(), stdout);
  } else {
    std::fputs(table(result, options).c_str(), stdout);
    if (!options.json.empty()) {
      std::ofstream out(options.json);
      out << json(result, options);
      out.close();
      if (!out) return fail("--json: " + options.json + " cannot be written");
    }
  }
  return failures(result, options).empty() ? kPassed : kFailed;
}

int run(const Options& options, const Plan& plan, const Load& load) {
  const std::vector<unsigned> cpus = sync::current_affinity();
  eal::EalOptions eal_options;
  eal_options.worker_cpus = {options.cpu.value_or(cpus.back())};
  eal_options.main_cpu = options.main_cpu.value_or(cpus.front());
  eal_options.hugepages = options.hugepages;
  eal_options.memory_mib = options.memory_mib;
  eal_options.file_prefix = "dnsvolley";
  eal_options.devices = {options.device};
  eal_options.extra_args = options.eal;
  auto eal = eal::Eal::start(eal_options);
  if (!eal) return fail(eal.error().text());
  eal::PortOptions port_options;
  port_options.device = options.device;
  port_options.rx_descriptors = port_options.tx_descriptors = options.descriptors;
  auto port = eal::Port::open(port_options, 0, 1, options.burst);
  if (!port) return fail(port.error().text());
  if (auto up = bring_up(**port, options.resolve_s); !up) return fail(up.error());

  const net::MacAddress own_mac = options.own_mac.value_or((*port)->mac());
  if (own_mac != (*port)->mac() && !receive_any_mac(**port))
    std::fprintf(stderr, "dnsvolley: --own-mac: the port cannot be told to take frames for it\n");
  const stats::TscClock clock = stats::TscClock::calibrate();
  Distribution distribution(options.order, load.questions.size(), options.zipf, options.seed);
  QueryFrames frames({.own_mac = own_mac,
                      .vlan = options.vlan,
                      .target_v4 = plan.target_v4,
                      .target_v6 = plan.target_v6,
                      .target_port = options.target_port,
                      .payload_size = options.payload_size,
                      .recursion_desired = options.recursion_desired,
                      .checking_disabled = options.checking_disabled,
                      .random_case = options.random_case,
                      .seed = options.seed},
                     load.questions, load.sources);
  Neighbours neighbours({.own_mac = own_mac,
                         .vlan = options.vlan,
                         .next_hop_v4 = plan.next_hop_v4,
                         .next_hop_v6 = plan.next_hop_v6},
                        load.sources);
  if (options.mac) {
    neighbours.set(false, *options.mac);
    neighbours.set(true, *options.mac);
  }
  Outstanding outstanding(plan.first_port, plan.ports, options.seed);
  const ReplyCheck check({.echo = options.echo, .good_rcodes = plan.good_rcodes, .strict = options.strict},
                         load.questions, frames, load.expectations);
  PortWire wire(**port, options.burst);
  const auto engine =
      std::make_unique<Engine>(engine_options(options, plan, clock.hz()),
                               Engine::Parts{.wire = wire,
                                             .distribution = distribution,
                                             .questions = load.questions,
                                             .sources = load.sources,
                                             .expectations = load.expectations,
                                             .frames = frames,
                                             .neighbours = neighbours,
                                             .outstanding = outstanding,
                                             .check = check,
                                             .rules = {.own_mac = own_mac,
                                                       .vlan = options.vlan,
                                                       .target_v4 = plan.target_v4,
                                                       .target_v6 = plan.target_v6,
                                                       .target_port = options.target_port,
                                                       .verify_checksums = !options.ignore_checksums}});
  if (!(*eal)->launch(0, [&] { engine->run(); })) return fail("the lcore does not start");
  watch(*engine, options.progress, clock);
  (*eal)->wait();

  const auto result = std::make_unique<Result>();
  result->totals = engine->totals(true);
  result->latency.add(engine->latency(true));
  result->lag.add(engine->lag());
  result->latency_max_ns = engine->latency_max_ns();
  result->seconds = engine->measured_seconds();
  result->not_sent = engine->not_sent();
  result->idle_percent = 100 * engine->idle_share();
  result->interrupted = signals_seen != 0;
  result->link_lost = !(*port)->link().up;
  if (engine->phase() == Phase::Unresolved) {
    const auto& missing = neighbours.wanted(false) ? plan.next_hop_v4 : plan.next_hop_v6;
    result->unresolved = missing ? missing->to_text() : "the next hop";
  }
  return report(*result, options);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (const auto ended = parse_command_line(argc, argv, options)) return *ended;
  const auto plan = make_plan(options);
  if (!plan) return fail(plan.error());
  const auto load = read_load(options, *plan);
  if (!load) return fail(load.error());
  const auto on_signal = [](int) { signals_seen = signals_seen + 1; };
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  return run(options, *plan, *load);
}
