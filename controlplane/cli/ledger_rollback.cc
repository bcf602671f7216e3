// ledger rollback: what will change, the question, and each node's word as it comes.
#include <set>

#include "controlplane/cli/ask.h"
#include "controlplane/cli/committed_text.h"
#include "controlplane/cli/human.h"
#include "controlplane/cli/json.h"
#include "controlplane/cli/ledger_commands.h"
#include "controlplane/cli/node_names.h"
#include "controlplane/cli/swarm_config_commands.h"

namespace swarmdns::controlplane {
namespace {

std::string target_text(const HeightOrTime& target) {
  return target.height > 0 ? "block " + with_commas(target.height) : time_text(target.ms);
}

void print_plan(Context& context, const HeightOrTime& target, const v1::RollbackProgress& plan,
                bool readmit) {
  NodeNames names;
  if (const auto view = context.swarm->swarm(v1::GetSwarmRequest())) names.learn(*view);
  context.out << "The caches of all nodes go back to " << context.style.bold(target_text(target)) << ".\n";
  Table table({"LEARNED ON", ">FROM", ">TO", ">MUTATIONS"});
  for (const v1::MutationRange& range : plan.dead()) {
    const bool open = range.last() == 0;
    table.add({names.of(range.node()), with_commas(range.first()), open ? "now" : with_commas(range.last()),
               open ? "" : with_commas(range.last() - range.first() + 1)});
  }
  if (table.empty()) {
    context.out
        << "Nothing was learned since then that is known to the ledger; entries of unknown origin go all the "
           "same.\n";
  } else {
    context.out << table.render(context.style);
  }
  context.out << with_commas(plan.mutations()) << (plan.mutations() == 1 ? " mutation is" : " mutations are")
              << " taken back on every node that has them, and every resolver's cache is flushed.\n"
              << (readmit ? "What was current then and is still valid is put back in.\n"
                          : "What was current then is asked for anew (--readmit puts it back in).\n");
}

// Prints each acknowledgement once, as it comes.
class Followed {
 public:
  explicit Followed(Context& context) : context_(context) {}

  bool take(const v1::RollbackProgress& progress) {
    if (!context_.json && progress.committed().height() > 0 && last_.committed().height() == 0) {
      context_.out << "ordered: " << committed_text(progress.committed()) << "\n" << std::flush;
    }
    for (const v1::NodeFence& node : progress.nodes()) {
      if (!node.acknowledged() || !seen_.insert(node.node()).second || context_.json) continue;
      print(node);
    }
    last_ = progress;
    return true;
  }

  int end(const Outcome<void>& outcome) {
    if (!outcome) return fail(context_, outcome.error());
    if (context_.json) context_.out << to_json(last_);
    if (!last_.problem().empty()) return fail(context_, kExitFailed, printable(last_.problem()));
    if (last_.committed().height() == 0) {
      return fail(context_, kExitFailed,
                  "broke off before it was ordered; whether it was is in swarmctl ledger log");
    }
    std::string silent;
    bool troubled = false;
    for (const v1::NodeFence& node : last_.nodes()) {
      if (!node.acknowledged()) silent += (silent.empty() ? "" : ", ") + printable(node.node());
      troubled = troubled || (node.acknowledged() && (!node.problem().empty() || !node.resolver_flushed()));
    }
    if (silent.empty() && !troubled && last_.done()) {
      if (!context_.json) context_.out << context_.style.good("done on every node") << "\n";
      return kExitOk;
    }
    if (!silent.empty()) {
      context_.err
          << "swarmctl: no word yet from " << silent
          << ". It is ordered: each of them carries it out before it answers from shared entries again.\n";
    }
    return kExitPartly;
  }

 private:
  void print(const v1::NodeFence& node) {
    const Style& style = context_.style;
    context_.out << "  " << printable(node.node()) << "  "
                 << (node.problem().empty() ? style.good("done") : style.bad("problem")) << " after "
                 << duration_text(node.after_ms()) << ": " << with_commas(node.removed())
                 << (node.removed() == 1 ? " entry" : " entries") << " removed, "
                 << (node.readmitted() > 0 ? with_commas(node.readmitted()) + " readmitted, " : "")
                 << (node.resolver_flushed() ? "resolver flushed" : style.bad("resolver not flushed"))
                 << (node.problem().empty() ? "" : "; " + printable(node.problem())) << "\n"
                 << std::flush;
  }

  Context& context_;
  v1::RollbackProgress last_;
  std::set<std::string> seen_;
};

int roll_back_cache(Context& context, const RollbackOptions& options) {
  const auto target = parse_height_or_time(options.to, context.now_ms);
  if (!target) return fail(context, kExitUsage, "--to: " + target.error());
  v1::RollbackCacheRequest request;
  *request.mutable_caller() = caller_of(context, options.reason);
  request.set_to_height(target->height);
  request.set_to_ms(target->ms);
  request.set_readmit(options.readmit);
  request.set_dry_run(true);
  if (options.dry_run || !context.json) {
    v1::RollbackProgress plan;
    const auto planned = context.swarm->rollback_cache(request, [&](const v1::RollbackProgress& progress) {
      plan = progress;
      return true;
    });
    if (!planned) return fail(context, planned.error());
    if (!plan.problem().empty()) return fail(context, kExitRefused, printable(plan.problem()));
    if (context.json) {
      context.out << to_json(plan);
      return kExitOk;
    }
    print_plan(context, *target, plan, options.readmit);
    if (options.dry_run) {
      context.out << "Nothing was changed (--dry-run).\n";
      return kExitOk;
    }
  }
  int code = kExitOk;
  if (!agreed(context, "Go on?", options.yes, "--yes", code)) return code;
  request.set_dry_run(false);
  Followed followed(context);
  const auto outcome = context.swarm->rollback_cache(
      request, [&](const v1::RollbackProgress& progress) { return followed.take(progress); });
  return followed.end(outcome);
}

}  // namespace

int roll_back(Context& context, const RollbackOptions& options) {
  if (options.only == "cache") return roll_back_cache(context, options);
  if (options.only == "config") {
    return roll_back_swarm_config(context, options.to, options.dry_run, options.reason);
  }
  return fail(context, kExitUnsupported,
              "this version of SwarmDNS has no zones of its own; nothing was changed");
}

}  // namespace swarmdns::controlplane
