// What a node says of itself, and the stopping and starting of its processes.
#include <unistd.h>

#include "controlplane/app/node.h"
#include "controlplane/supervise/log_file.h"

namespace swarmdns::controlplane {
namespace {

constexpr auto kStartPatience = std::chrono::seconds(30);

}  // namespace

v1::ProcessStatus Node::process_status(const std::string& name, const Child* child,
                                       const std::string& log_file) const {
  v1::ProcessStatus status;
  status.set_name(name);
  status.set_log_file(log_file);
  if (child == nullptr) {
    status.set_state("external");
    return status;
  }
  const ChildStatus from = child->status();
  status.set_state(to_string(from.state));
  status.set_pid(static_cast<uint64_t>(from.pid));
  status.set_adopted(from.adopted);
  status.set_starts(from.starts);
  status.set_in_state_ms(static_cast<uint64_t>(from.in_state.count()));
  status.set_next_start_in_ms(static_cast<uint64_t>(from.next_start_in.count()));
  status.set_last_end(from.last_end);
  if (from.healthy) status.set_healthy(*from.healthy);
  return status;
}

Outcome<v1::NodeStatus> Node::node_status() {
  v1::NodeStatus status;
  const v1::Config config = filled();
  const std::string logs = config.node().state_dir() + "/log/";
  status.set_node(config.node().name());
  status.set_region(config.node().region());
  status.set_version(SWARMDNS_VERSION);
  status.set_pid(static_cast<uint64_t>(getpid()));
  status.set_uptime_ms(static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began_).count()));
  {
    const std::lock_guard lock(mutex_);
    status.set_config_file(source());
    status.set_config_applied_ms(applied_ms_);
    if (!start_note_.empty()) status.add_warnings(start_note_);
    if (!dataplane_refusal_.empty()) {
      status.add_warnings("the data plane does not take the configuration: " + dataplane_refusal_);
    }
  }
  *status.mutable_life() = life_status();
  *status.add_processes() = process_status("dataplane", dataplane_.get(), logs + "dataplane.log");
  *status.add_processes() = process_status("resolver", resolver_.get(), resolver_paths_.log_file);
  if (config.resolver().mode() != v1::UNBOUND) status.mutable_processes(1)->set_state("off");

  const auto dataplane = link_->status();
  status.set_dataplane_reachable(dataplane.has_value());
  if (dataplane) {
    *status.mutable_dataplane() = *dataplane;
    *status.mutable_restart_required() = dataplane->restart_required();
    if (dataplane_ && status.processes(0).pid() != dataplane->pid()) {
      status.add_warnings(
          "the data plane that answers (pid " + std::to_string(dataplane->pid()) +
          ") was not started by this control plane; stop it, or set node.supervision: external");
    }
  } else {
    status.set_dataplane_error(dataplane.error().text);
  }
  for (const v1::ProcessStatus& process : status.processes()) {
    if (process.state() != to_string(ChildState::kBackingOff)) continue;
    const std::string tail = log_tail(process.log_file(), 3);
    status.add_warnings(process.name() + " does not stay up (" + process.last_end() + ")" +
                        (tail.empty() ? "" : "; its log ends with:\n" + tail));
  }
  return status;
}

// Running is not yet answering: the EAL takes a second or two.
Outcome<void> Node::wait_until_ready() {
  const auto deadline = Clock::now() + kStartPatience;
  for (;;) {
    const auto status = link_->status();
    const ChildStatus child = dataplane_->status();
    if (status && status->ready() && static_cast<pid_t>(status->pid()) == child.pid) return {};
    if (child.state == ChildState::kBackingOff) {
      return std::unexpected(
          Refusal{Refusal::Kind::kFailed,
                  "the data plane does not stay up: " + child.last_end + "; swarmctl status says more"});
    }
    if (Clock::now() >= deadline) {
      return std::unexpected(
          Refusal{Refusal::Kind::kFailed, "the data plane runs, but was not ready within 30 s"});
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

Outcome<void> Node::act(const v1::ControlProcessRequest& request, Child& child, const std::string& name) {
  switch (request.action()) {
    case v1::ControlProcessRequest::STOP:
      child.request_stop();
      if (child.wait_for(ChildState::kStopped, kStartPatience)) return {};
      return std::unexpected(Refusal{Refusal::Kind::kFailed, name + " did not stop within 30 s"});
    case v1::ControlProcessRequest::START:
      child.start();
      break;
    default:
      child.request_restart();
  }
  if (child.wait_for(ChildState::kRunning, kStartPatience)) {
    return &child == dataplane_.get() ? wait_until_ready() : Outcome<void>();
  }
  return std::unexpected(
      Refusal{Refusal::Kind::kFailed, name + " did not start: " + child.status().last_end});
}

Outcome<v1::ControlProcessResponse> Node::control_process(const v1::ControlProcessRequest& request) {
  const bool both = request.process().empty();
  const bool stop = request.action() == v1::ControlProcessRequest::STOP;
  if (!both && request.process() != "dataplane" && request.process() != "resolver") {
    return std::unexpected(Refusal{Refusal::Kind::kNotFound, "there is no process \"" + request.process() +
                                                                 "\"; dataplane and resolver are"});
  }
  const bool unbound = filled().resolver().mode() == v1::UNBOUND;
  if (request.process() == "resolver" && !unbound && !stop) {
    return std::unexpected(
        Refusal{Refusal::Kind::kPrecondition, "resolver.mode is none: there is no resolver to start"});
  }
  if (request.process() == "dataplane" && !dataplane_) {
    return std::unexpected(
        Refusal{Refusal::Kind::kPrecondition,
                "node.supervision is external: the data plane is not ours to start or stop (systemctl " +
                    std::string(stop ? "stop" : "restart") + " swarmdns-dataplane)"});
  }
  if ((both || request.process() == "resolver") && (unbound || stop)) {
    if (auto done = act(request, *resolver_, "the resolver"); !done) return std::unexpected(done.error());
  }
  if ((both || request.process() == "dataplane") && dataplane_) {
    if (auto done = act(request, *dataplane_, "the data plane"); !done) return std::unexpected(done.error());
  }
  v1::ControlProcessResponse response;
  const auto status = node_status();
  for (const v1::ProcessStatus& process : status->processes()) {
    if (both || process.name() == request.process()) *response.add_processes() = process;
  }
  return response;
}

}  // namespace swarmdns::controlplane
