// The yardstick "empty": this node's EAL, port and queue code with the same rings and burst, and nothing in
// between but the turning around of addresses. What it does a second is what the wire and the driver allow; a
// node is measured beside it.
#include <time.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>

#include <CLI/CLI.hpp>

#include "dataplane/eal/eal.h"
#include "dataplane/eal/port.h"
#include "dataplane/worker/queue.h"

namespace {

using namespace swarmdns;

volatile std::sig_atomic_t stop_asked = 0;

// MACs, IP addresses and ports change sides, as in testpmd's 5tswap: no checksum changes by that.
void turn_around(std::byte* frame, std::size_t length) {
  std::byte kept[16];
  const auto swap = [&](std::size_t a, std::size_t b, std::size_t n) {
    std::memcpy(kept, frame + a, n);
    std::memcpy(frame + a, frame + b, n);
    std::memcpy(frame + b, kept, n);
  };
  if (length < 14 + 20 + 8) return;
  swap(0, 6, 6);
  if (frame[12] == std::byte{0x08} && frame[13] == std::byte{0x00}) {
    swap(26, 30, 4);
    swap(34, 36, 2);
  } else if (frame[12] == std::byte{0x86} && frame[13] == std::byte{0xdd} && length >= 14 + 40 + 8) {
    swap(22, 38, 16);
    swap(54, 56, 2);
  }
}

void answer(worker::Queue& queue, worker::Batch& batch) {
  if (queue.receive(batch, worker::Queue::Next::Ahead) == 0) return;
  for (std::size_t i = 0; i < batch.count; ++i) {
    turn_around(batch.frames[i].data, batch.frames[i].length);
    batch.fates[i] = worker::Fate::Reply;
    batch.reply_lengths[i] = batch.frames[i].length;
  }
  queue.transmit(batch);
}

int fail(const eal::Error& error) {
  std::fprintf(stderr, "bench-empty-responder: %s\n", error.text().c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  eal::EalOptions eal_options;
  eal::PortOptions port_options;
  unsigned cpu = 1;
  unsigned burst = 32;
  CLI::App app("Sends every frame back to where it came from: the ceiling of one worker on one port.");
  app.add_option("--vdev", port_options.device, "DPDK device, e.g. net_af_xdp0,iface=eth1 or a PCI address")
      ->required();
  app.add_option("--cpu", cpu, "CPU of the polling lcore")->capture_default_str();
  app.add_option("--main-cpu", eal_options.main_cpu, "CPU of the idle main lcore")->capture_default_str();
  app.add_option("--burst", burst, "frames received at once")
      ->capture_default_str()
      ->check(CLI::Range(8, 64));
  app.add_option("--memory", eal_options.memory_mib, "MiB for mbufs and rings")->capture_default_str();
  app.add_option("--descriptors", port_options.rx_descriptors, "of each ring")->capture_default_str();
  app.add_flag("--hugepages", eal_options.hugepages, "take the memory from hugepages");
  app.add_option("--eal", eal_options.extra_args, "further arguments of the EAL");
  CLI11_PARSE(app, argc, argv);
  port_options.tx_descriptors = port_options.rx_descriptors;
  eal_options.worker_cpus = {cpu};
  eal_options.devices = {port_options.device};
  eal_options.file_prefix = "empty";

  auto eal = eal::Eal::start(eal_options);
  if (!eal) return fail(eal.error());
  auto port = eal::Port::open(port_options, 0, 1, burst);
  if (!port) return fail(port.error());
  if (auto started = (*port)->start(); !started) return fail(started.error());

  const auto on_signal = [](int) { stop_asked = 1; };
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  stats::Block counters;
  const bool launched = (*eal)->launch(0, [&] {
    worker::Queue queue(**port, 0, burst, counters);
    const auto batch = std::make_unique<worker::Batch>();
    while (stop_asked == 0) answer(queue, *batch);
  });
  if (!launched) {
    std::fprintf(stderr, "bench-empty-responder: the worker lcore does not start\n");
    return 1;
  }
  // rte_eal_wait_lcore spins: on a machine of two cores it would take half the load generator's.
  const timespec while_it_runs{.tv_sec = 0, .tv_nsec = 50'000'000};
  while (stop_asked == 0) nanosleep(&while_it_runs, nullptr);
  (*eal)->wait();
  const eal::PortCounters device = (*port)->counters();
  std::printf("rx %llu tx %llu dropped %llu\n", static_cast<unsigned long long>(device.rx_frames),
              static_cast<unsigned long long>(device.tx_frames),
              static_cast<unsigned long long>(counters.get(stats::Counter::DropTxFull)));
  return 0;
}
