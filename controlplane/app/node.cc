// Life of a node: start, the watch over the data plane's configuration, stop.
#include "controlplane/app/node.h"

#include <unistd.h>

#include "controlplane/app/directories.h"
#include "controlplane/app/wall_clock.h"
#include "controlplane/resolver/health_query.h"
#include "controlplane/resolver/unbound.h"
#include "controlplane/supervise/xdp_detach.h"
#include "proto/config/defaults.h"
#include "proto/config/store.h"

namespace swarmdns::controlplane {
namespace {

constexpr auto kWatchInterval = std::chrono::milliseconds(1000);
constexpr auto kStopPatience = std::chrono::seconds(30);

}  // namespace

Node::Node(Options options, const ConfigStore::Start& start, const LayeredStart& layered, Log& log,
           Machine& machine)
    : options_(std::move(options)), log_(log), machine_(machine), life_(make_life(log)) {
  own_ = start.loaded;
  layer_ = layered.layer;
  written_ = layered.config;
  filled_ = written_;
  config::fill_defaults(filled_);
  start_note_ = start.note;
  applied_ms_ = wall_ms();
  link_ = std::make_unique<DataplaneLink>(filled_.node().run_dir() + "/dataplane.sock");
  resolver_paths_ = resolver_paths(filled_.node());
  if (filled_.node().supervision() != v1::EXTERNAL) dataplane_ = std::make_unique<Child>(dataplane_options());
  resolver_ = std::make_unique<Child>(resolver_options());
}

Node::~Node() {
  {
    const std::lock_guard lock(watch_mutex_);
    watch_stop_ = true;
  }
  watch_wake_.notify_all();
  if (watcher_.joinable()) watcher_.join();
}

void Node::start() {
  const v1::Config config = filled();
  if (config.resolver().mode() == v1::UNBOUND) {
    resolver_->start();
  } else {
    // One that was started under another configuration is of no use any more.
    resolver_->adopt_only();
    resolver_->wait_for(ChildState::kRunning, std::chrono::milliseconds(100));
    resolver_->request_stop();
  }
  if (dataplane_) {
    dataplane_->start();
  } else if (!link_->status()) {
    // Nobody has it running: whoever starts it finds the configuration in force.
    if (auto stored = store_dataplane_config(config); !stored) log_.warning("dataplane: " + stored.error());
  }
  watcher_ = std::thread([this] { watch(); });
}

void Node::stop_processes() {
  if (dataplane_) dataplane_->request_stop();
  resolver_->request_stop();
  if (dataplane_) dataplane_->wait_for(ChildState::kStopped, kStopPatience);
  resolver_->wait_for(ChildState::kStopped, kStopPatience);
}

v1::Config Node::filled() const {
  const std::lock_guard lock(mutex_);
  return filled_;
}

v1::NodeConfig Node::node_config() const {
  return filled().node();
}

std::string Node::dataplane_json() const {
  return filled().node().state_dir() + "/dataplane.json";
}

std::expected<void, std::string> Node::store_dataplane_config(const v1::Config& config) {
  const std::string path = config.node().state_dir() + "/dataplane.json";
  if (auto written = config::write_dataplane_config(path, config.dataplane()); !written) return written;
  return give_to_dataplane(path, config.node());
}

ChildOptions Node::dataplane_options() {
  ChildOptions options;
  options.name = "dataplane";
  options.pid_file = filled_.node().run_dir() + "/dataplane.pid";
  options.prepare = [this] { return prepare_dataplane(); };
  // No probe: whether it answers its control socket says nothing about whether it answers queries, and
  // nothing that answers queries is killed.
  options.stop_timeout = std::chrono::seconds(15);
  options.log = [this](const std::string& text) { log_.info(text); };
  return options;
}

ChildOptions Node::resolver_options() {
  ChildOptions options;
  options.name = "resolver";
  options.pid_file = resolver_paths_.pid_file;
  options.prepare = [this] { return prepare_unbound(filled().resolver(), resolver_paths_); };
  options.probe = [this] {
    const v1::ResolverConfig resolver = filled().resolver();
    return dns_answers(resolver.address(), static_cast<uint16_t>(resolver.port()), kHealthName, 1000);
  };
  options.log = [this](const std::string& text) { log_.info(text); };
  return options;
}

// The data plane keeps the file itself while it runs; it does not run now, so the configuration in force is
// written here: it may have changed while there was no data plane to tell.
std::expected<SpawnOptions, std::string> Node::prepare_dataplane() {
  const v1::Config config = filled();
  for (const v1::PortConfig& port : config.dataplane().ports()) {
    const std::string interface = xdp_interface_of(port.device());
    if (interface.empty()) continue;
    const auto detached = detach_xdp(interface);
    if (!detached) log_.warning("dataplane: " + detached.error());
    if (detached && *detached)
      log_.info("dataplane: took the XDP program of an earlier run off " + interface);
  }
  // node.user may be another one since the last start.
  if (auto prepared = prepare_directories(config.node()); !prepared) return std::unexpected(prepared.error());
  if (auto stored = store_dataplane_config(config); !stored) return std::unexpected(stored.error());
  if (access(options_.dataplane_program.c_str(), X_OK) != 0) {
    return std::unexpected("there is no program " + options_.dataplane_program + "; name it by --dataplane");
  }
  return SpawnOptions{{options_.dataplane_program, "--config", config.node().state_dir() + "/dataplane.json"},
                      config.node().state_dir() + "/log/dataplane.log"};
}

// A data plane that appears, whoever started it, gets the configuration in force.
void Node::watch() {
  for (;;) {
    const auto status = link_->status();
    bool stale = false;
    {
      // A data plane that is slow to answer is still the same one; only another pid is a new one.
      const std::lock_guard lock(mutex_);
      stale = status && status->ready() && status->pid() != configured_pid_;
    }
    if (stale && push_config()) {
      const std::lock_guard lock(mutex_);
      configured_pid_ = status->pid();
    }
    look_at_life(status);
    std::unique_lock lock(watch_mutex_);
    if (watch_wake_.wait_for(lock, kWatchInterval, [this] { return watch_stop_; })) return;
  }
}

bool Node::push_config() {
  const std::lock_guard apply_lock(apply_mutex_);
  const auto answer = link_->configure(filled().dataplane(), false);
  if (!answer && answer.error().kind == LinkError::Kind::kUnreachable) return false;
  std::string refusal;
  if (!answer) {
    refusal = answer.error().text;
    log_.warning("dataplane: does not take the configuration: " + refusal);
  } else {
    for (const std::string& path : answer->applied()) log_.info("dataplane: in force now: " + path);
    for (const std::string& path : answer->restart_required())
      log_.info("dataplane: waits for a restart: " + path);
  }
  const std::lock_guard lock(mutex_);
  dataplane_refusal_ = refusal;
  return true;
}

}  // namespace swarmdns::controlplane
