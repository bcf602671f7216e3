#include <filesystem>

#include "controlplane/cli/commands.h"
#include "controlplane/cli/json.h"
#include "controlplane/cli/swarm_config_commands.h"
#include "controlplane/config/problem.h"
#include "controlplane/config/swarm_document.h"
#include "proto/config/store.h"

namespace swarmdns::controlplane {
namespace {

void print_list(Context& context, const std::string& heading,
                const google::protobuf::RepeatedPtrField<std::string>& paths) {
  if (paths.empty()) return;
  context.out << heading << "\n";
  for (const std::string& path : paths) context.out << "  " << path << "\n";
}

// `done`: applied, rather than only judged.
int report(Context& context, const std::string& file, const v1::ConfigReport& report, bool done) {
  if (context.json) {
    context.out << to_json(report);
    return report.accepted() ? kExitOk : kExitRefused;
  }
  for (const v1::ConfigProblemReport& problem : report.problems()) {
    context.err << to_string(ConfigProblem{problem.file(), static_cast<int>(problem.line()), problem.path(),
                                           problem.text()})
                << "\n";
  }
  if (!report.accepted()) {
    context.err << "swarmctl: " << file << " is refused: " << report.problems_size()
                << (report.problems_size() == 1 ? " problem" : " problems")
                << (done ? "; the running configuration is untouched\n" : "\n");
    return kExitRefused;
  }
  const int changes = report.live_size() + report.restart_required_size() + report.resolver_restarted_size() +
                      report.controlplane_restart_required_size();
  context.out << context.style.good(file + (done ? ": applied" : ": good"));
  context.out << (changes == 0 && report.notes().empty() ? ", nothing changed\n" : "\n");
  print_list(context, done ? "in force now:" : "would take effect at once:", report.live());
  print_list(context, done ? "in force, the resolver restarts:" : "would restart the resolver:",
             report.resolver_restarted());
  print_list(context, "takes effect when the data plane is restarted (swarmctl node restart dataplane):",
             report.restart_required());
  print_list(context,
             "takes effect when the control plane is restarted:", report.controlplane_restart_required());
  for (const std::string& note : report.notes()) context.out << context.style.warn("Note: ") << note << "\n";
  return kExitOk;
}

}  // namespace

int check_config(Context& context, const std::string& file) {
  const auto yaml = config::read_file(file, 1u << 20);
  if (!yaml) return fail(context, kExitNotFound, yaml.error());
  if (is_swarm_document(*yaml)) return check_swarm_config(context, *yaml, file);
  const auto answer = context.node.check_config(*yaml, file);
  if (!answer) return fail(context, answer.error());
  return report(context, file, *answer, false);
}

int apply_config(Context& context, const std::string& file, const std::string& reason) {
  const auto yaml = config::read_file(file, 1u << 20);
  if (!yaml) return fail(context, kExitNotFound, yaml.error());
  if (is_swarm_document(*yaml)) return apply_swarm_config(context, *yaml, file, reason);
  if (!reason.empty()) {
    return fail(context, kExitUsage,
                "--reason is kept in the ledger, where the file of one node does not go; leave it out");
  }
  // The node remembers the name, and stands in another directory.
  std::error_code ignored;
  const auto answer = context.node.apply_config(*yaml, std::filesystem::absolute(file, ignored).string());
  if (!answer) return fail(context, answer.error());
  return report(context, file, *answer, true);
}

int show_config(Context& context, bool defaults) {
  const auto answer = context.node.show_config(defaults);
  if (!answer) return fail(context, answer.error());
  if (context.json) {
    context.out << to_json(answer->config());
  } else {
    context.out << "# from " << answer->file() << (defaults ? ", defaults filled in" : "") << "\n"
                << answer->yaml();
  }
  return kExitOk;
}

}  // namespace swarmdns::controlplane
