// Misses a second through the miss ring, one slow thread and the cache's writer, both on one CPU, with an
// upstream that answers at once. Asker and upstream share another CPU.
//
// Case `loopback`: the upstream on 127.0.0.1, as the supervised resolver is. Case `random-ports`: on another
// address of this machine, so that ports and letter case are random as towards a resolver far away; nothing
// leaves the machine. Cases `mix-…`: miss_mix.h.
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>

#include "dataplane/miss/sockaddr.h"
#include "dataplane/stats/histogram.h"
#include "dataplane/sync/affinity.h"
#include "tests/bench/miss_mix.h"
#include "tests/bench/miss_path.h"
#include "tests/bench/report.h"

namespace swarmdns::bench {
namespace {

struct Options {
  Runs runs{.json = {}, .repeat = 3, .seconds = 3.0};
  std::size_t window = 2048;
  unsigned slow_cpu = 0;
  unsigned load_cpu = 1;
  bool rates = true;
  bool mix = true;
};

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "bench-miss: %s\n", why.c_str());
  std::exit(1);
}

std::uint64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

// Names nobody has asked for before, below names of a thousand owners.
std::size_t write_name(std::uint64_t n, std::byte* out) {
  char text[64];
  const int length =
      std::snprintf(text, sizeof text, "%cn%013llx%cz%03llu%cbench", 14, static_cast<unsigned long long>(n),
                    4, static_cast<unsigned long long>(n % 1000), 5);
  std::memcpy(out, text, static_cast<std::size_t>(length) + 1);
  return static_cast<std::size_t>(length) + 1;
}

double run_once(const net::Address& upstream_address, const Options& options, stats::Histogram& latency,
                std::uint64_t& lost) {
  MissPath path(upstream_address, {options.slow_cpu, options.load_cpu}, 4096, 512ULL << 20);
  miss::Channel& channel = path.channel();
  std::uint64_t asked = 0;
  std::uint64_t answered = 0;
  std::uint64_t counted_from = 0;
  std::array<const miss::Reply*, 64> replies;
  const auto address = *net::Address::parse("192.0.2.1");
  const std::uint64_t begin = now_ns();
  const auto warm_up = static_cast<std::uint64_t>(0.3e9);
  const std::uint64_t end = begin + warm_up + static_cast<std::uint64_t>(options.runs.seconds * 1e9);
  std::uint64_t measured_from = 0;
  std::uint64_t now = begin;
  while (now < end) {
    now = now_ns();
    if (measured_from == 0 && now >= begin + warm_up) {
      measured_from = now;
      counted_from = answered;
    }
    std::size_t claimed = 0;
    while (claimed < 64 && asked - answered < options.window) {
      miss::Request* request = channel.claim(claimed);
      if (request == nullptr) break;
      request->kind = miss::Kind::Miss;
      request->transport = dns::Transport::Udp;
      request->flags = 0x0100;
      request->qtype = 1;
      request->edns = {};
      request->source = address;
      request->qname_len = static_cast<std::uint8_t>(write_name(asked, request->qname.data()));
      request->waiter.asked_tsc = now;
      ++claimed;
      ++asked;
    }
    if (claimed > 0) channel.publish(claimed);
    const std::size_t n = channel.take(replies);
    for (std::size_t i = 0; i < n; ++i) {
      const miss::Reply& reply = *replies[i];
      if (reply.answer == nullptr || reply.answer->rcode != 0 || reply.answer->answers != 1 ||
          reply.answer->qname_len != reply.request.qname_len ||
          std::memcmp(reply.answer->qname_data(), reply.request.qname.data(), reply.request.qname_len) != 0) {
        fail("a wrong answer");
      }
      latency.add(now - reply.request.waiter.asked_tsc);
      channel.give_back(&reply);
    }
    answered += n;
    // The upstream needs this CPU too.
    if (claimed == 0 && n == 0) std::this_thread::sleep_for(std::chrono::microseconds(20));
  }
  const double rate =
      static_cast<double>(answered - counted_from) / (static_cast<double>(now - measured_from) / 1e9);
  path.stop();
  lost += path.counters().get(stats::Counter::UpstreamTimeouts) +
          path.writer_counters().get(stats::Counter::CacheInsertDropped);
  return rate;
}

std::optional<net::Address> other_address() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return std::nullopt;
  std::optional<net::Address> found;
  for (const ifaddrs* i = list; i != nullptr && !found; i = i->ifa_next) {
    if (i->ifa_addr == nullptr || i->ifa_addr->sa_family != AF_INET || (i->ifa_flags & IFF_LOOPBACK) != 0)
      continue;
    const net::Address address = miss::from_socket_address(i->ifa_addr).address;
    if (!miss::is_loopback(address)) found = address;
  }
  ::freeifaddrs(list);
  return found;
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app("Misses a second through one slow thread and the cache's writer on one CPU.");
  options.runs.add_to(app);
  app.add_option("--window", options.window, "questions under way")
      ->capture_default_str()
      ->check(CLI::Range(1, 4096));
  app.add_option("--slow-cpu", options.slow_cpu, "CPU of slow thread and writer")->capture_default_str();
  app.add_option("--load-cpu", options.load_cpu, "CPU of asker and upstream")->capture_default_str();
  app.add_flag("!--no-rates", options.rates, "leave out how many misses a second there can be");
  app.add_flag("!--no-mix", options.mix, "leave out what misses cost a worker beside its hits");
  CLI11_PARSE(app, argc, argv);
  sync::begin_slow_thread("asker", std::array{options.load_cpu});

  std::vector<std::pair<std::string, net::Address>> cases = {{"loopback", *net::Address::parse("127.0.0.1")}};
  if (const auto other = other_address()) {
    cases.emplace_back("random-ports", *other);
  } else {
    std::printf("random-ports: left out, this machine has no address but loopback\n");
  }
  std::printf("slow thread and writer on CPU %u; asker and upstream on CPU %u; %zu questions under way\n",
              options.slow_cpu, options.load_cpu, options.window);
  Report report("miss");
  if (!options.rates) cases.clear();
  for (const auto& [name, address] : cases) {
    std::vector<double> rates;
    std::uint64_t lost = 0;
    auto latency = std::make_unique<stats::Histogram>();
    for (unsigned i = 0; i < options.runs.repeat; ++i)
      rates.push_back(run_once(address, options, *latency, lost));
    stats::HistogramSnapshot snapshot;
    snapshot.add(*latency);
    const auto microseconds = [&](double share) {
      return static_cast<double>(snapshot.percentile_ns(share)) / 1000;
    };
    report.add(Figure::of(name, rates, "misses/s"));
    report.add(Figure::of(name + "-p50", {microseconds(0.5)}, "us"));
    report.add(Figure::of(name + "-p99", {microseconds(0.99)}, "us"));
    report.add(Figure::of(name + "-lost", {static_cast<double>(lost)}, "questions"));
  }
  if (options.mix) {
    std::printf("misses among hits: worker on CPU %u; slow thread, writer and upstream on CPU %u\n",
                options.load_cpu, options.slow_cpu);
    run_miss_mix({.runs = options.runs, .slow_cpu = options.slow_cpu}, report);
  }
  report.write_json(options.runs.json);
  return 0;
}

}  // namespace
}  // namespace swarmdns::bench

int main(int argc, char** argv) {
  return swarmdns::bench::run(argc, argv);
}
