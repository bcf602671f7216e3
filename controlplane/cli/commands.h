// The commands of swarmctl, apart from how they are spelled (cli.cc). Each returns an exit code.
#pragma once

#include <string>

#include "controlplane/cli/context.h"

namespace swarmdns::controlplane {

int show_status(Context& context);

// Of a node, or of a swarm: the file's top-level keys say which. `reason` is for the swarm's ledger.
int check_config(Context& context, const std::string& file);
int apply_config(Context& context, const std::string& file, const std::string& reason);
int show_config(Context& context, bool defaults);

struct FlushScope {
  std::string name;
  std::string zone;
  bool all = false;
  std::string type;  // "" = all types of the name
};
// What is wrong with the scope; "" = nothing. To be asked before anybody is connected to.
std::string scope_problem(const FlushScope& scope);
int show_cache(Context& context, const std::string& name, const std::string& type);
int flush_cache(Context& context, const FlushScope& scope);
int show_cache_stats(Context& context);
int dump_cache(Context& context, const std::string& file);
int load_cache(Context& context, const std::string& file);

struct StatsView {
  bool watch = false;
  int interval_s = 1;
  int count = 0;  // of refreshes; 0 = until interrupted
  bool all = false;
  bool per_lcore = false;
};
int show_stats(Context& context, const StatsView& view);

int list_ports(Context& context);
int show_port(Context& context, const std::string& device);
int bind_port(Context& context, const std::string& device, bool force);
int unbind_port(Context& context, const std::string& device, const std::string& driver);

int control_node(Context& context, v1::ControlProcessRequest::Action action, const std::string& process);

}  // namespace swarmdns::controlplane
