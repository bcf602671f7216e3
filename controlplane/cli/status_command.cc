#include <optional>

#include "controlplane/cli/commands.h"
#include "controlplane/cli/human.h"
#include "controlplane/cli/json.h"
#include "controlplane/cli/swarm_commands.h"
#include "controlplane/cli/time_text.h"

namespace swarmdns::controlplane {
namespace {

std::string joined(const google::protobuf::RepeatedPtrField<std::string>& words,
                   const char* separator = ", ") {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : separator) + word;
  return text;
}

std::string state_text(const v1::ProcessStatus& process, const Style& style) {
  if (process.state() == "running") return style.good(process.state());
  if (process.state() == "waiting to restart") return style.bad(process.state());
  return process.state();
}

std::string note_of(const v1::ProcessStatus& process) {
  std::string note;
  const auto add = [&](const std::string& text) { note += (note.empty() ? "" : "; ") + text; };
  if (process.adopted()) add("found running");
  if (process.starts() > 1) add("started " + std::to_string(process.starts()) + " times");
  if (process.next_start_in_ms() > 0) add("next start in " + duration_text(process.next_start_in_ms()));
  if (!process.last_end().empty()) add("last end: " + process.last_end());
  return note;
}

void print_processes(Context& context, const v1::NodeStatus& status) {
  Table table({"PROCESS", "STATE", ">PID", ">FOR", "HEALTH", "NOTE"});
  table.add({"controlplane", context.style.good("running"), std::to_string(status.pid()),
             duration_text(status.uptime_ms()), "", ""});
  for (const v1::ProcessStatus& process : status.processes()) {
    std::string health;
    std::string pid = process.pid() > 0 ? std::to_string(process.pid()) : "";
    std::string since = duration_text(process.in_state_ms());
    if (process.name() == "dataplane") {
      const v1::DataplaneStatus& dataplane = status.dataplane();
      health = !status.dataplane_reachable() ? context.style.bad("no answer")
               : dataplane.ready()           ? context.style.good("ready")
                                             : context.style.warn("starting");
      if (status.dataplane_reachable() &&
          (process.state() == "external" || process.pid() == dataplane.pid())) {
        pid = std::to_string(dataplane.pid());
        since = duration_text(dataplane.uptime_ms());
      }
    } else if (process.has_healthy()) {
      health = process.healthy() ? context.style.good("answers") : context.style.bad("no answer");
    }
    table.add({process.name(), state_text(process, context.style), pid, since, health, note_of(process)});
  }
  context.out << table.render(context.style);
}

void print_snapshot(Context& context, const v1::SnapshotStatus& status) {
  context.out << context.style.dim("SNAPSHOT") << "  ";
  if (status.every_s() == 0) {
    context.out << "off (dataplane.cache.restart_snapshot_s)";
  } else if (status.written_wall_ms() == 0) {
    context.out << "none written yet, one every " << duration_text(uint64_t{status.every_s()} * 1000);
  } else {
    context.out << with_commas(status.written_entries()) << " entries, " << bytes_text(status.written_bytes())
                << ", written " << time_text(status.written_wall_ms()) << " in "
                << duration_text(status.written_took_ms());
  }
  if (status.loading()) {
    context.out << "; loading the former one";
  } else if (status.loaded_wall_ms() != 0) {
    context.out << "; at the start " << with_commas(status.loaded()) << " entries came back in "
                << duration_text(status.load_took_ms()) << ", of the one of "
                << time_text(status.loaded_wall_ms());
  }
  if (status.held() > 0) {
    context.out << "; " << with_commas(status.held())
                << " of other nodes wait for the swarm's fences to be known";
  }
  context.out << "\n";
  for (const std::string& trouble : status.troubles())
    context.out << "  " << context.style.warn(trouble) << "\n";
}

void print_dataplane(Context& context, const v1::DataplaneStatus& status) {
  Table ports({">PORT", "DEVICE", "LINK", "MAC", ">QUEUES", "TAP", "ADDRESSES", ">RX", ">TX", ">LOST"});
  for (const v1::PortStatus& port : status.ports()) {
    const std::string speed = port.link_mbps() > 0 && port.link_mbps() != UINT32_MAX
                                  ? " " + std::to_string(port.link_mbps()) + " Mbit/s"
                                  : "";
    ports.add({std::to_string(port.id()), port.device(),
               port.link_up() ? context.style.good("up") + speed : context.style.bad("down"), port.mac(),
               std::to_string(port.queues()), port.tap(), joined(port.addresses(), " "),
               with_commas(port.rx_packets()), with_commas(port.tx_packets()),
               with_commas(port.rx_missed() + port.rx_nombuf() + port.tx_errors())});
  }
  if (!ports.empty()) context.out << "\n" << ports.render(context.style);
  Table workers({">WORKER", ">CPU", ">BUSY"});
  for (const v1::WorkerStatus& worker : status.workers()) {
    workers.add({std::to_string(worker.lcore()), std::to_string(worker.cpu()),
                 percent_text(worker.busy_permille(), 1000)});
  }
  if (!workers.empty()) context.out << "\n" << workers.render(context.style);
  Table upstreams({"UPSTREAM", "HEALTH", ">QUERIES", ">TIMEOUTS", ">RTT"});
  for (const v1::UpstreamStatus& upstream : status.upstreams()) {
    upstreams.add({upstream.server(),
                   upstream.healthy() ? context.style.good("healthy") : context.style.bad("unhealthy"),
                   with_commas(upstream.queries()), with_commas(upstream.timeouts()),
                   upstream.srtt_us() > 0 ? nanoseconds_text(uint64_t{upstream.srtt_us()} * 1000) : "-"});
  }
  if (!upstreams.empty()) context.out << "\n" << upstreams.render(context.style);
  const v1::CacheStatus& cache = status.cache();
  context.out << "\n"
              << context.style.dim("CACHE") << "  " << with_commas(cache.entries()) << " entries, "
              << bytes_text(cache.used_bytes()) << " of " << bytes_text(cache.budget_bytes()) << " ("
              << percent_text(static_cast<double>(cache.used_bytes()),
                              static_cast<double>(cache.budget_bytes()))
              << ")\n";
  if (status.has_snapshot()) print_snapshot(context, status.snapshot());
}

std::string life_text(const v1::LifeStatus& life, const Style& style) {
  const std::string since = " since " + time_text(life.since_ms());
  if (life.waits_for().empty()) return style.good(life.phase()) + since;
  return style.warn(life.phase()) + since + ", waits for " + life.waits_for();
}

// What the swarm says of this node, when it is in one. A control plane that has no swarm to speak of is no
// news here.
std::optional<v1::SwarmView> swarm_part(Context& context) {
  const auto view = context.swarm->swarm(v1::GetSwarmRequest());
  if (view && view->member()) return *view;
  if (!view && view.error().kind != Refusal::Kind::kUnsupported) {
    context.err << "swarmctl: the swarm's part cannot be shown: " << view.error().text << "\n";
  }
  return std::nullopt;
}

}  // namespace

int show_status(Context& context) {
  const auto status = context.node.node_status();
  if (!status) return fail(context, status.error());
  // What was asked for is shown either way; the exit status is for scripts that watch the node.
  const int code = status->dataplane_reachable() ? kExitOk : kExitUnreachable;
  const auto swarm = swarm_part(context);
  if (context.json) {
    std::string text = to_json(*status);
    if (swarm)
      text.replace(text.rfind("\n}"), std::string::npos, ",\n  \"swarm\": " + to_json(*swarm) + "}\n");
    context.out << text;
    return code;
  }
  context.out << "node " << context.style.bold(status->node());
  if (!status->region().empty()) context.out << ", " << status->region();
  context.out << ", SwarmDNS " << status->version() << "\n";
  context.out << "configuration " << status->config_file() << "\n";
  if (status->has_life()) context.out << "life " << life_text(status->life(), context.style) << "\n";
  if (swarm) print_swarm_part(context, *swarm);
  context.out << "\n";
  print_processes(context, *status);
  if (status->dataplane_reachable()) {
    print_dataplane(context, status->dataplane());
  } else {
    context.out << "\n"
                << context.style.bad("The data plane does not answer: ") << status->dataplane_error() << "\n";
  }
  if (status->restart_required_size() > 0) {
    context.out << "\n"
                << context.style.warn("Waiting for a restart of the data plane: ")
                << joined(status->restart_required()) << "\n  swarmctl node restart dataplane\n";
  }
  for (const std::string& warning : status->warnings()) {
    context.out << "\n" << context.style.warn("Warning: ") << warning << "\n";
  }
  return code;
}

}  // namespace swarmdns::controlplane
