// A node: its configuration, the two processes below it, and what the admin API asks of it.
//
// Killing the control plane costs changes, never answers: destroying a Node leaves the data plane and the
// resolver running, and the next one adopts them.
#pragma once

#include <atomic>
#include <condition_variable>
#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "controlplane/api/node_control.h"
#include "controlplane/app/config_layers.h"
#include "controlplane/app/life_cycle.h"
#include "controlplane/app/log.h"
#include "controlplane/dataplane_link/link.h"
#include "controlplane/member/config_port.h"
#include "controlplane/ports/binding.h"
#include "controlplane/resolver/unbound_conf.h"
#include "controlplane/supervise/child.h"
#include "proto/config/diff.h"

namespace swarmdns::controlplane {

class Node final : public NodeControl, public ConfigPort, public LifePort {
 public:
  struct Options {
    ConfigStore store;
    std::string dataplane_program;  // absolute
  };

  // `start`: what ConfigStore::choose() said; `layered`: layered_start() of it. `log` and `machine` must
  // outlive the node.
  Node(Options options, const ConfigStore::Start& start, const LayeredStart& layered, Log& log,
       Machine& machine);
  ~Node() override;

  // Adopts or starts the processes, and keeps the data plane's configuration equal to the node's. Directories
  // are there.
  void start();
  // Stops both processes and waits.
  void stop_processes();
  // Reads the file of --config again and applies it; problems are logged, and what runs is untouched.
  void reload();

  // Called when an operator has loaded a dump into the cache; set before the admin API is there.
  void on_cache_loaded(std::function<void()> callback) { cache_loaded_ = std::move(callback); }

  v1::NodeConfig node_config() const;
  // With defaults filled in.
  v1::Config config() const { return filled(); }
  // Called when the node's name, or who may do what on its admin socket, changes; set before start().
  void on_admin_access(std::function<void(const v1::NodeConfig&)> callback) {
    admin_access_changed_ = std::move(callback);
  }

  Outcome<v1::NodeStatus> node_status() override;
  Outcome<v1::ConfigReport> check_config(const std::string& yaml, const std::string& file) override;
  Outcome<v1::ConfigReport> apply_config(const std::string& yaml, const std::string& file) override;
  Outcome<v1::ShowConfigResponse> show_config(bool defaults) override;
  Outcome<v1::LookupResponse> lookup(const v1::LookupRequest& request) override;
  Outcome<v1::FlushCacheResponse> flush(const v1::FlushRequest& request) override;
  Outcome<void> dump(const std::function<bool(const v1::CacheSlice&)>& take) override;
  Outcome<v1::LoadResponse> load(const std::function<bool(v1::CacheSlice&)>& next) override;
  Outcome<v1::StatsSnapshot> stats() override;
  Outcome<v1::ListPortsResponse> list_ports(const std::string& device) override;
  Outcome<v1::BindPortResponse> bind_port(const std::string& device, bool force) override;
  Outcome<v1::BindPortResponse> unbind_port(const std::string& device, const std::string& driver) override;
  Outcome<v1::ControlProcessResponse> control_process(const v1::ControlProcessRequest& request) override;

  std::vector<std::string> judge(const v1::KeptConfig& config, const std::string& file) override;
  std::vector<std::string> put_in_force(const v1::KeptConfig& config) override;
  v1::KeptConfig in_force() const override;

  void membership(const Membership& now) override;
  LifePhase phase() const override;

 private:
  // What a candidate would change, or why it is refused.
  struct Candidate {
    LoadedConfig own;      // of the node's file
    v1::KeptConfig layer;  // of the swarm, on top
    v1::Config written;    // both
    v1::Config filled;
    std::vector<config::Change> changes;
  };

  v1::Config filled() const;
  std::string dataplane_json() const;
  ChildOptions dataplane_options();
  ChildOptions resolver_options();
  std::expected<SpawnOptions, std::string> prepare_dataplane();
  void watch();
  // Defaults, and what the data plane is told of the swarm.
  void complete(v1::Config& config) const;
  void follow_membership();
  void look_at_life(const LinkResult<v1::DataplaneStatus>& status);
  v1::LifeStatus life_status() const;
  static LifeCycle make_life(Log& log);
  // false: the data plane did not answer; to be tried again.
  bool push_config();
  std::expected<void, std::string> store_dataplane_config(const v1::Config& config);

  // Another file under the swarm's layer in force; another layer over the file in force.
  std::optional<Candidate> judge_file(const std::string& yaml, const std::string& file,
                                      v1::ConfigReport& report);
  std::optional<Candidate> judge_layer(const v1::KeptConfig& layer, const std::string& file,
                                       v1::ConfigReport& report);
  // `file` and `layer_file`: names for messages.
  std::optional<Candidate> judge_both(LoadedConfig own, v1::KeptConfig layer, const std::string& file,
                                      const std::string& layer_file, v1::ConfigReport& report);
  v1::ConfigReport apply_text(const std::string& yaml, const std::string& file, bool is_file);
  void swap_in(const Candidate& candidate);
  std::expected<void, std::string> carry_out(const Candidate& candidate, const v1::Config& before,
                                             v1::ConfigReport& report);
  std::string resolver_trouble();
  std::string source() const;  // under mutex_
  void apply_to_processes(const v1::Config& before, const Candidate& candidate, v1::ConfigReport& report);

  v1::ProcessStatus process_status(const std::string& name, const Child* child,
                                   const std::string& log_file) const;
  Refusal refusal_of(const LinkError& error) const;
  Outcome<void> wait_until_ready();
  Outcome<void> act(const v1::ControlProcessRequest& request, Child& child, const std::string& name);
  bool dataplane_uses(const Nic& nic);

  Options options_;
  Log& log_;
  Machine& machine_;
  const Clock::time_point began_ = Clock::now();

  std::mutex apply_mutex_;  // one change of configuration at a time

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  LoadedConfig own_;      // the node's file
  v1::KeptConfig layer_;  // the swarm's, on top of it
  v1::Config written_;    // both, in force
  v1::Config filled_;     // with defaults
  uint64_t applied_ms_ = 0;
  std::string start_note_;
  std::string dataplane_refusal_;  // why the data plane does not take the configuration; "" = it does
  LifeCycle life_;
  Membership membership_;
  bool push_due_ = false;        // to the data plane that has an earlier one
  uint64_t configured_pid_ = 0;  // the data plane that has the configuration in force; 0 = none

  std::unique_ptr<DataplaneLink> link_;
  ResolverPaths resolver_paths_;
  std::unique_ptr<Child> dataplane_;  // none: EXTERNAL
  std::unique_ptr<Child> resolver_;
  std::function<void(const v1::NodeConfig&)> admin_access_changed_;
  std::function<void()> cache_loaded_;

  std::mutex watch_mutex_;
  std::condition_variable watch_wake_;
  bool watch_stop_ = false;
  std::thread watcher_;
};

}  // namespace swarmdns::controlplane
