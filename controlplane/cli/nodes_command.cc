// How the swarm is: swarm status, nodes, swarm settings, the swarm's part of status.
#include <algorithm>
#include <optional>

#include "controlplane/cli/ask.h"
#include "controlplane/cli/committed_text.h"
#include "controlplane/cli/human.h"
#include "controlplane/cli/json.h"
#include "controlplane/cli/node_names.h"
#include "controlplane/cli/swarm_commands.h"
#include "controlplane/cli/swarm_settings.h"
#include "controlplane/cli/time_text.h"

namespace swarmdns::controlplane {
namespace {

constexpr const char* kNoSwarm =
    "this node is in no swarm\n"
    "Make one here:          swarmctl swarm init --name NAME\n"
    "or join one: on one of its members swarmctl swarm token --role primary, and here what that prints";

struct Quorum {
  int voters = 0;
  int up = 0;
  int needed() const { return voters / 2 + 1; }
};

Quorum quorum_of(const v1::SwarmView& view) {
  Quorum quorum;
  for (const v1::SwarmNode& node : view.nodes()) {
    if (node.log_role() != "leader" && node.log_role() != "voter") continue;
    ++quorum.voters;
    if (node.state() == "up" || node.id() == view.self()) ++quorum.up;
  }
  return quorum;
}

// Whether changes can be made: somebody leads.
bool decides(const v1::SwarmView& view) {
  return view.leader() != 0 && view.log_state() != "no quorum";
}

std::string quorum_text(const v1::SwarmView& view, const Style& style) {
  const Quorum quorum = quorum_of(view);
  const std::string count = std::to_string(quorum.up) + " of " + std::to_string(quorum.voters) +
                            " voters up, " + std::to_string(quorum.needed()) + " needed";
  if (!decides(view)) return style.bad("none") + ": " + count + "; DNS is answered, changes wait";
  if (quorum.up <= quorum.needed() && quorum.voters > 1) {
    return style.warn("without slack") + ": " + count + "; one more lost, and changes wait";
  }
  return style.good("yes") + ": " + count;
}

const v1::SwarmNode* node_of(const v1::SwarmView& view, uint64_t id) {
  for (const v1::SwarmNode& node : view.nodes()) {
    if (node.id() == id) return &node;
  }
  return nullptr;
}

std::string phase_text(const std::string& phase, const Style& style) {
  if (phase == "ready") return style.good(phase);
  return phase.empty() ? "-" : style.warn(phase);
}

std::string skew_text(int64_t ms, const Style& style) {
  const uint64_t size = static_cast<uint64_t>(ms < 0 ? -ms : ms);
  const std::string text = (ms < 0   ? "-"
                            : ms > 0 ? "+"
                                     : "") +
                           (size < 10000 ? std::to_string(size) + " ms" : duration_text(size));
  return size > 2000 ? style.bad(text) : text;  // beyond that a node does not share
}

std::vector<std::string> troubles_of(const v1::SwarmNode& node) {
  std::vector<std::string> troubles;
  for (const std::string& trouble : node.report().troubles()) troubles.push_back(printable(trouble));
  if (!node.report().config_problem().empty()) {
    troubles.push_back("degraded, keeps its last good configuration: " +
                       printable(node.report().config_problem()));
  }
  const int64_t skew = node.skew_ms();
  if (skew > 2000 || skew < -2000)
    troubles.emplace_back("its clock is off: it does not share until that is mended");
  return troubles;
}

std::string health_text(const v1::SwarmNode& node, const Style& style) {
  if (node.heard_ms_ago() == UINT64_MAX) return style.bad("never heard of");
  if (node.state() != "up") return style.bad("no word for " + duration_text(node.heard_ms_ago()));
  const size_t troubles = troubles_of(node).size();
  if (troubles == 0) return style.good("good");
  return style.warn(std::to_string(troubles) + (troubles == 1 ? " trouble" : " troubles"));
}

std::string state_text(const v1::SwarmNode& node, const Style& style) {
  return node.state() == "up" ? style.good(node.state()) : style.bad(node.state());
}

int not_a_member(Context& context, const v1::SwarmView& view) {
  if (context.json) context.out << to_json(view);
  return fail(context, kExitNotFound, kNoSwarm);
}

// Asks for the view and prints it as JSON, or says why not. nullopt: `code` is the exit code.
std::optional<v1::SwarmView> view_of(Context& context, bool confirmed, int& code) {
  v1::GetSwarmRequest request;
  request.set_linearizable(confirmed);
  auto view = context.swarm->swarm(request);
  if (!view) {
    code = fail(context, view.error());
    return std::nullopt;
  }
  if (!view->member()) {
    code = not_a_member(context, *view);
    return std::nullopt;
  }
  return std::move(*view);
}

}  // namespace

void print_swarm_part(Context& context, const v1::SwarmView& view) {
  NodeNames names;
  names.learn(view);
  const Style& style = context.style;
  context.out << "swarm " << style.bold(printable(view.name())) << ", incarnation " << view.incarnation()
              << "; this node is number " << view.self() << ", " << phase_text(view.phase(), style) << "\n"
              << "  quorum  " << quorum_text(view, style) << "\n"
              << "  leader  " << (view.leader() == 0 ? style.bad("nobody") : names.of(view.leader()))
              << ", term " << view.term() << "; this node: " << view.log_state() << "\n"
              << "  ledger  block " << with_commas(view.height()) << ", " << time_text(view.block_time_ms())
              << "; cosigned up to " << with_commas(view.checkpoint_height()) << "\n";
  if (view.config_agreed() != 0) {
    context.out << "  config  that of block " << with_commas(view.config_agreed()) << ", "
                << (view.config_height() == view.config_agreed() ? style.good("in force here")
                    : view.config_height() == 0
                        ? style.warn("not in force here")
                        : style.warn("here still that of block " + with_commas(view.config_height())))
                << "\n";
  }
  for (const std::string& trouble : view.troubles()) {
    context.out << "  " << style.warn("trouble") << " " << printable(trouble) << "\n";
  }
}

int show_swarm(Context& context, bool confirmed) {
  int code = kExitOk;
  const auto view = view_of(context, confirmed, code);
  if (!view) return code;
  // What was asked for is shown either way; the exit status is for scripts that watch the swarm.
  code = decides(*view) ? kExitOk : kExitUnreachable;
  if (context.json) {
    context.out << to_json(*view);
    return code;
  }
  print_swarm_part(context, *view);
  const v1::SwarmNode* self = node_of(*view, view->self());
  context.out << "  rules   version " << view->version() << ", fence epoch " << view->fence_epoch() << "\n"
              << "  cert    valid until " << time_text(view->certificate_expires_ms())
              << ", renewed before by itself\n";
  if (self != nullptr) {
    context.out << "  address " << printable(self->address()) << "\n";
  }
  std::string away;
  for (const v1::SwarmNode& node : view->nodes()) {
    if (node.state() != "up" && node.id() != view->self())
      away += (away.empty() ? "" : ", ") + printable(node.name());
  }
  if (!away.empty()) context.out << "  away    " << context.style.bad(away) << "\n";
  return code;
}

int show_nodes(Context& context, bool confirmed) {
  int code = kExitOk;
  const auto view = view_of(context, confirmed, code);
  if (!view) return code;
  if (context.json) {
    context.out << to_json(*view);
    return kExitOk;
  }
  const Style& style = context.style;
  uint64_t newest = view->height();
  for (const v1::SwarmNode& node : view->nodes()) newest = std::max(newest, node.report().height());
  Table table({">#", "NODE", "REGION", "ROLE", "LOG", "STATE", "PHASE", ">LOAD", ">CACHE", ">QUERIES/S",
               ">BEHIND", ">SKEW", ">RTT", "HEALTH"});
  std::string troubles;
  for (const v1::SwarmNode& node : view->nodes()) {
    const v1::NodeReport& report = node.report();
    const bool self = node.id() == view->self();
    // What a node that is away said last is no news of it; how far it had come still is.
    const bool heard = node.state() == "up" && report.node() != 0;
    const bool measured = heard && !self;
    table.add({std::to_string(node.id()), printable(node.name()) + (self ? " *" : ""),
               printable(node.region()), node.backup() ? "backup" : "primary", node.log_role(),
               state_text(node, style), heard ? phase_text(report.phase(), style) : "-",
               heard ? percent_text(report.busy_permille(), 1000) : "-",
               heard ? percent_text(static_cast<double>(report.cache_used_bytes()),
                                    static_cast<double>(report.cache_budget_bytes()))
                     : "-",
               heard ? with_commas(report.queries_per_second()) : "-",
               report.node() != 0 ? with_commas(newest - report.height()) : "-",
               measured ? skew_text(node.skew_ms(), style) : "-",
               measured && node.rtt_us() > 0 ? nanoseconds_text(node.rtt_us() * 1000) : "-",
               health_text(node, style)});
    for (const std::string& trouble : troubles_of(node)) {
      troubles += style.warn(printable(node.name()) + ": ") + trouble + "\n";
    }
  }
  context.out << table.render(style) << (troubles.empty() ? "" : "\n") << troubles;
  if (!decides(*view)) context.out << "\nquorum " << quorum_text(*view, style) << "\n";
  return kExitOk;
}

int change_settings(Context& context, const std::vector<std::string>& changes, const std::string& reason) {
  if (changes.empty()) {
    int code = kExitOk;
    const auto view = view_of(context, false, code);
    if (!view) return code;
    if (context.json) {
      context.out << to_json(view->settings());
      return kExitOk;
    }
    Table table({"SETTING", "VALUE", "MAY BE", "WHAT IT IS"});
    for (const SettingHelp& setting : settings_help()) {
      table.add({setting.key, setting_value(view->settings(), setting.key), setting.values, setting.help});
    }
    context.out << table.render(context.style);
    return kExitOk;
  }
  v1::ChangeSettingsRequest request;
  *request.mutable_caller() = caller_of(context, reason);
  for (const std::string& change : changes) {
    if (const auto set = set_setting(change, *request.mutable_settings()); !set) {
      return fail(context, kExitUsage, set.error());
    }
  }
  const auto answer = context.swarm->change_settings(request);
  if (!answer) return fail(context, answer.error());
  std::string what = "set";
  for (const std::string& change : changes) what += " " + change;
  return print_committed(context, what, *answer);
}

}  // namespace swarmdns::controlplane
