// Checking, applying and showing the configuration of a node.
#include <algorithm>

#include "controlplane/app/node.h"
#include "controlplane/app/wall_clock.h"
#include "controlplane/config/environment.h"
#include "controlplane/config/yaml_writer.h"
#include "controlplane/resolver/listening.h"
#include "controlplane/resolver/unbound.h"
#include "proto/config/check.h"
#include "proto/config/defaults.h"
#include "proto/config/schema.h"
#include "proto/config/store.h"

namespace swarmdns::controlplane {
namespace {

void add_problem(v1::ConfigReport& report, const ConfigProblem& problem) {
  v1::ConfigProblemReport* added = report.add_problems();
  added->set_file(problem.file);
  added->set_line(static_cast<uint32_t>(problem.line));
  added->set_path(problem.path);
  added->set_text(problem.text);
}

// Fields that are copies of others: the change is told of the original.
bool is_internal(const std::string& path) {
  const std::string prefix = "dataplane.";
  if (!path.starts_with(prefix)) return false;
  const auto* field = v1::DataplaneConfig::descriptor()->FindFieldByName(path.substr(prefix.size()));
  return field != nullptr && config::rule_of(field).internal();
}

void sort_changes(const std::vector<config::Change>& changes, v1::ConfigReport& report) {
  for (const config::Change& change : changes) {
    switch (change.reload) {
      case v1::LIVE:
        report.add_live(change.path);
        break;
      case v1::RESOLVER_RESTART:
        report.add_resolver_restarted(change.path);
        break;
      case v1::CONTROLPLANE_RESTART:
        report.add_controlplane_restart_required(change.path);
        break;
      default:
        report.add_restart_required(change.path);
    }
  }
}

// Where the swarm's layer says otherwise than the node's file.
void note_what_is_covered(const v1::Config& own, const v1::Config& filled, const v1::KeptConfig& layer,
                          v1::ConfigReport& report) {
  if (layer.document().empty()) return;
  v1::Config alone = own;
  config::fill_defaults(alone);
  std::string covered;
  for (const config::Change& change : config::diff(alone, filled)) {
    if (!is_internal(change.path)) covered += (covered.empty() ? "" : ", ") + change.path;
  }
  if (covered.empty()) return;
  report.add_notes(layer_name(layer) + " is on top of this file and decides " + covered +
                   "; swarmctl config show prints what is in force");
}

}  // namespace

std::optional<Node::Candidate> Node::judge_file(const std::string& yaml, const std::string& file,
                                                v1::ConfigReport& report) {
  auto loaded = parse_config(yaml, file);
  if (!loaded) {
    for (const ConfigProblem& problem : loaded.error()) add_problem(report, problem);
    return std::nullopt;
  }
  const v1::KeptConfig layer = in_force();
  auto candidate = judge_both(std::move(*loaded), layer, file, layer_name(layer), report);
  if (candidate) note_what_is_covered(candidate->own.config, candidate->filled, layer, report);
  return candidate;
}

std::optional<Node::Candidate> Node::judge_layer(const v1::KeptConfig& layer, const std::string& file,
                                                 v1::ConfigReport& report) {
  LoadedConfig own;
  {
    const std::lock_guard lock(mutex_);
    own = own_;
  }
  own.lines.clear();  // what is wrong is wrong with the layer
  return judge_both(std::move(own), layer, file, file, report);
}

std::optional<Node::Candidate> Node::judge_both(LoadedConfig own, v1::KeptConfig layer,
                                                const std::string& file, const std::string& layer_file,
                                                v1::ConfigReport& report) {
  auto written = with_layer(own.config, layer, layer_file);
  if (!written) {
    for (const ConfigProblem& problem : written.error()) add_problem(report, problem);
    return std::nullopt;
  }
  Candidate candidate{std::move(own), std::move(layer), std::move(*written), {}, {}};
  candidate.filled = candidate.written;
  config::fill_defaults(candidate.filled);
  const auto refuse = [&](const std::string& path, const std::string& text) {
    add_problem(report, {file, line_of(candidate.own.lines, path), path, text});
  };
  for (const config::Problem& problem : environment_problems(candidate.filled))
    refuse(problem.path, problem.text);

  const v1::Config current = filled();
  // Sockets, pid files and everything kept are there; they do not move below running processes.
  for (const char* path : {"state_dir", "run_dir"}) {
    const auto* field = v1::NodeConfig::descriptor()->FindFieldByName(path);
    const auto* reflection = current.node().GetReflection();
    if (reflection->GetString(current.node(), field) == reflection->GetString(candidate.filled.node(), field))
      continue;
    refuse(std::string("node.") + path,
           "cannot change while the node runs; swarmctl node stop, stop the control plane, move the "
           "directory, start");
  }
  if (report.problems_size() == 0 && candidate.filled.resolver().mode() == v1::UNBOUND) {
    if (const auto taken = listening_problem(current.resolver(), candidate.filled.resolver()))
      refuse("resolver.address", *taken);
    if (auto judged = check_unbound(candidate.filled.resolver(), resolver_paths_); !judged) {
      refuse("resolver", judged.error());
    }
  }
  if (report.problems_size() > 0) return std::nullopt;

  const auto answer = link_->configure(candidate.filled.dataplane(), true);
  if (!answer && answer.error().kind == LinkError::Kind::kRefused) {
    refuse("dataplane", "the data plane refuses it: " + answer.error().text);
    return std::nullopt;
  }
  if (!answer) {
    report.add_notes("the data plane could not be asked (" + answer.error().text +
                     "); it gets the configuration when it starts");
  }
  candidate.changes = config::diff(current, candidate.filled);
  std::erase_if(candidate.changes, [](const config::Change& change) { return is_internal(change.path); });
  sort_changes(candidate.changes, report);
  report.set_accepted(true);
  return candidate;
}

Outcome<v1::ConfigReport> Node::check_config(const std::string& yaml, const std::string& file) {
  v1::ConfigReport report;
  judge_file(yaml, file, report);
  return report;
}

Outcome<v1::ConfigReport> Node::apply_config(const std::string& yaml, const std::string& file) {
  return apply_text(yaml, file, false);
}

v1::ConfigReport Node::apply_text(const std::string& yaml, const std::string& file, bool is_file) {
  const std::lock_guard apply_lock(apply_mutex_);
  v1::ConfigReport report;
  const v1::Config before = filled();
  const auto candidate = judge_file(yaml, file, report);
  if (!candidate) return report;
  // Kept first: what is in force must be what the next start finds.
  const std::string& state_dir = candidate->filled.node().state_dir();
  const auto kept =
      is_file ? options_.store.note_file(state_dir, yaml) : options_.store.note_applied(state_dir, yaml);
  if (!kept) {
    report.set_accepted(false);
    add_problem(report, {file, 0, "", "cannot be kept, so nothing was applied: " + kept.error()});
    return report;
  }
  swap_in(*candidate);
  apply_to_processes(before, *candidate, report);
  return report;
}

void Node::swap_in(const Candidate& candidate) {
  const std::lock_guard lock(mutex_);
  own_ = candidate.own;
  layer_ = candidate.layer;
  written_ = candidate.written;
  filled_ = candidate.filled;
  applied_ms_ = wall_ms();
  start_note_.clear();
}

void Node::apply_to_processes(const v1::Config& before, const Candidate& candidate,
                              v1::ConfigReport& report) {
  const auto answer = link_->configure(candidate.filled.dataplane(), false);
  {
    const std::lock_guard lock(mutex_);
    dataplane_refusal_ =
        answer || answer.error().kind == LinkError::Kind::kUnreachable ? "" : answer.error().text;
    if (!answer) configured_pid_ = 0;  // the watch tries again
  }
  if (!answer && answer.error().kind != LinkError::Kind::kUnreachable) {
    report.add_notes("the data plane did not take the configuration: " + answer.error().text);
  }
  if (!answer && !dataplane_) {
    if (auto stored = store_dataplane_config(candidate.filled); !stored) report.add_notes(stored.error());
  }
  if (report.resolver_restarted_size() > 0) {
    if (candidate.filled.resolver().mode() == v1::UNBOUND) {
      resolver_->request_restart();
    } else {
      resolver_->request_stop();
    }
  }
  const v1::NodeConfig& node = candidate.filled.node();
  if (node.SerializeAsString() != before.node().SerializeAsString() && admin_access_changed_) {
    admin_access_changed_(node);
  }
  log_.info("configuration applied: " + std::to_string(report.live_size()) + " fields live, " +
            std::to_string(report.restart_required_size()) + " wait for a restart of the data plane");
}

void Node::reload() {
  const std::string file = options_.store.file();
  const auto text = config::read_file(file, 1u << 20);
  if (!text) {
    log_.warning("reload: " + text.error() + "; the configuration in force stays");
    return;
  }
  const v1::ConfigReport report = apply_text(*text, file, true);
  for (const v1::ConfigProblemReport& problem : report.problems()) {
    log_.warning("reload: " + to_string(ConfigProblem{problem.file(), static_cast<int>(problem.line()),
                                                      problem.path(), problem.text()}));
  }
  if (!report.accepted()) log_.warning("reload: " + file + " is refused; the configuration in force stays");
}

Outcome<v1::ShowConfigResponse> Node::show_config(bool defaults) {
  v1::ShowConfigResponse response;
  const std::lock_guard lock(mutex_);
  *response.mutable_config() = defaults ? filled_ : written_;
  response.set_yaml(to_yaml(response.config(), true));
  auto* cookies = response.mutable_config()->mutable_dataplane()->mutable_guard()->mutable_cookies();
  for (std::string& secret : *cookies->mutable_secrets()) secret = "(hidden)";
  response.set_file(source());
  return response;
}

std::string Node::source() const {
  return own_.file + (layer_.height() == 0 ? "" : ", with " + layer_name(layer_) + " on top");
}

}  // namespace swarmdns::controlplane
