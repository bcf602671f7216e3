#include "controlplane/cli/swarm_config_commands.h"

#include "controlplane/cli/ask.h"
#include "controlplane/cli/committed_text.h"
#include "controlplane/cli/human.h"
#include "controlplane/cli/json.h"
#include "controlplane/cli/node_names.h"
#include "controlplane/cli/time_text.h"
#include "controlplane/config/swarm_document.h"

namespace swarmdns::controlplane {
namespace {

// What a version of the swarm's configuration did, or would do.
struct Doing {
  std::string subject;  // "swarm.yaml", "the configuration of block 40"
  bool dry = false;
};

std::string verdict_text(const std::string& verdict, const Style& style) {
  if (verdict == "in force" || verdict == "accepts") return style.good(verdict);
  return verdict == "silent" ? style.warn(verdict) : style.bad(verdict);
}

void print_verdicts(Context& context, const v1::ApplySwarmConfigResponse& answer) {
  Table table({"NODE", "VERDICT", "WHY"});
  for (const v1::NodeVerdict& node : answer.nodes()) {
    std::string why;
    for (const std::string& problem : node.problems()) why += (why.empty() ? "" : "; ") + printable(problem);
    table.add({printable(node.node()), verdict_text(node.verdict(), context.style), why});
  }
  if (!table.empty()) context.out << table.render(context.style);
}

// Of those that did not say yes.
std::string names_with(const v1::ApplySwarmConfigResponse& answer, const std::string& verdict) {
  std::string names;
  for (const v1::NodeVerdict& node : answer.nodes()) {
    if (node.verdict() == verdict) names += (names.empty() ? "" : ", ") + printable(node.node());
  }
  return names;
}

int report(Context& context, const Doing& doing, const v1::ApplySwarmConfigResponse& answer) {
  const std::string silent = names_with(answer, "silent");
  const std::string degraded = names_with(answer, "degraded");
  const std::string refusing = names_with(answer, "refuses");
  const bool everywhere = silent.empty() && degraded.empty() && refusing.empty();
  const int code = !answer.accepted() ? kExitRefused : everywhere || doing.dry ? kExitOk : kExitPartly;
  if (context.json) {
    context.out << to_json(answer);
    return code;
  }
  for (const std::string& problem : answer.problems()) context.err << printable(problem) << "\n";
  print_verdicts(context, answer);
  if (!answer.accepted()) {
    return fail(context, kExitRefused,
                doing.subject + " is refused; every node keeps the configuration it has");
  }
  context.out << context.style.good(doing.subject + (doing.dry ? ": good" : ": agreed on"));
  if (!doing.dry) context.out << ", " << committed_text(answer.committed());
  context.out << "\n";
  if (!doing.dry && !answer.committed().note().empty()) {
    context.out << context.style.warn("Note: ") << printable(answer.committed().note()) << "\n";
  }
  if (!silent.empty()) {
    context.err << "swarmctl: no answer from " << silent
                << (doing.dry ? "\n" : "; in force there when they are back\n");
  }
  if (!degraded.empty()) {
    context.err << "swarmctl: degraded: " << degraded
                << "; they keep their last good configuration until it is mended\n";
  }
  return code;
}

}  // namespace

int check_swarm_config(Context& context, const std::string& yaml, const std::string& file) {
  const auto document = parse_swarm_document(yaml, file);
  if (!document || context.swarm == nullptr) {
    v1::ApplySwarmConfigResponse judged;
    judged.set_accepted(document.has_value());
    if (!document) {
      for (const ConfigProblem& problem : document.error()) judged.add_problems(to_string(problem));
    }
    return report(context, {file, true}, judged);
  }
  v1::ApplySwarmConfigRequest request;
  *request.mutable_caller() = caller_of(context, "");
  request.set_document(yaml);
  request.set_file(file);
  request.set_check_only(true);
  const auto answer = context.swarm->apply_swarm_config(request);
  if (!answer) return fail(context, answer.error());
  return report(context, {file, true}, *answer);
}

int apply_swarm_config(Context& context, const std::string& yaml, const std::string& file,
                       const std::string& reason) {
  v1::ApplySwarmConfigRequest request;
  *request.mutable_caller() = caller_of(context, reason);
  request.set_document(yaml);
  request.set_file(file);
  const auto answer = context.swarm->apply_swarm_config(request);
  if (!answer) return fail(context, answer.error());
  return report(context, {file, false}, *answer);
}

int show_swarm_configs(Context& context, uint32_t limit, uint64_t height) {
  v1::ListSwarmConfigsRequest request;
  request.set_limit(limit);
  const auto answer = context.swarm->swarm_configs(request);
  if (!answer) return fail(context, answer.error());
  if (height > 0) {
    for (const v1::SwarmConfigVersion& version : answer->versions()) {
      if (version.height() != height) continue;
      context.out << (context.json ? to_json(version) : version.document());
      return kExitOk;
    }
    return fail(context, kExitNotFound,
                "block " + with_commas(height) +
                    " did not change the configuration; swarmctl config history lists those "
                    "that did");
  }
  if (context.json) {
    context.out << to_json(*answer);
    return kExitOk;
  }
  if (answer->versions().empty()) {
    context.out << "The swarm has agreed on no configuration yet: every node has its own file.\n"
                   "swarmctl config apply FILE with a document of all:, regions:, nodes: is the first.\n";
    return kExitOk;
  }
  Table table({"", ">BLOCK", "TIME", "WHO", "WHAT", "REASON"});
  bool first = true;
  for (const v1::SwarmConfigVersion& version : answer->versions()) {
    table.add({first ? context.style.good("now") : "", with_commas(version.height()),
               time_text(version.time_ms()), printable(version.principal()),
               version.restores_height() > 0
                   ? "restored that of block " + with_commas(version.restores_height())
                   : "new",
               printable(version.reason())});
    first = false;
  }
  context.out
      << table.render(context.style)
      << context.style.dim(
             "a document: swarmctl config history BLOCK; back to one: swarmctl config rollback --to BLOCK")
      << "\n";
  return kExitOk;
}

int roll_back_swarm_config(Context& context, const std::string& to, bool dry_run, const std::string& reason) {
  const auto target = parse_height_or_time(to, context.now_ms);
  if (!target) return fail(context, kExitUsage, "--to: " + target.error());
  v1::RollbackSwarmConfigRequest request;
  *request.mutable_caller() = caller_of(context, reason);
  request.set_to_height(target->height);
  request.set_to_ms(target->ms);
  request.set_dry_run(dry_run);
  const auto answer = context.swarm->rollback_swarm_config(request);
  if (!answer) return fail(context, answer.error());
  const std::string subject =
      "the configuration of " +
      (target->height > 0 ? "block " + with_commas(target->height) : time_text(target->ms));
  return report(context, {subject, dry_run}, *answer);
}

}  // namespace swarmdns::controlplane
