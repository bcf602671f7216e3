// ledger log, ledger show, ledger diff.
#include "controlplane/cli/ask.h"
#include "controlplane/cli/json.h"
#include "controlplane/cli/ledger_commands.h"
#include "controlplane/cli/log_text.h"

namespace swarmdns::controlplane {

int show_log(Context& context, const LogOptions& options) {
  v1::ListBlocksRequest request;
  request.set_from_height(options.from);
  request.set_limit(options.limit);
  request.set_heads_too(options.heads);
  const auto answer = context.swarm->blocks(request);
  if (!answer) return fail(context, answer.error());
  if (context.json) {
    context.out << to_json(*answer);
    return kExitOk;
  }
  LogText log;
  log.blocks.assign(answer->blocks().begin(), answer->blocks().end());
  log.heads = options.heads;
  log.newest = options.from;
  NodeNames names;
  // For names of nodes and the newest height only; the log is worth reading without it.
  if (const auto view = context.swarm->swarm(v1::GetSwarmRequest())) {
    names.learn(*view);
    if (options.from == 0) log.newest = view->height();
  }
  for (const v1::BlockView& block : answer->blocks()) names.learn(block);
  context.out << log_text(log, names, context.style);
  if (!answer->blocks().empty()) {
    const uint64_t lowest = answer->blocks(answer->blocks_size() - 1).height();
    if (lowest > 1) {
      context.out << context.style.dim("older: swarmctl ledger log --from " + std::to_string(lowest - 1))
                  << "\n";
    }
  }
  return kExitOk;
}

int show_block(Context& context, uint64_t height) {
  v1::ShowBlockRequest request;
  request.set_height(height);
  const auto answer = context.swarm->block(request);
  if (!answer) return fail(context, answer.error());
  if (context.json) {
    context.out << to_json(*answer);
    return kExitOk;
  }
  NodeNames names;
  if (const auto view = context.swarm->swarm(v1::GetSwarmRequest())) names.learn(*view);
  names.learn(*answer);
  context.out << block_text(*answer, names, context.style);
  return kExitOk;
}

int diff_heights(Context& context, uint64_t from, uint64_t to) {
  v1::DiffHeightsRequest request;
  *request.mutable_caller() = caller_of(context, "");
  request.set_from(from);
  request.set_to(to);
  const auto answer = context.swarm->diff(request);
  if (!answer) return fail(context, answer.error());
  if (context.json) {
    context.out << to_json(*answer);
    return kExitOk;
  }
  if (answer->lines().empty()) context.out << "nothing differs\n";
  for (const std::string& line : answer->lines()) {
    const std::string shown = printable(line);
    const Style& style = context.style;
    context.out << (line.starts_with("+")   ? style.good(shown)
                    : line.starts_with("-") ? style.bad(shown)
                    : line.starts_with("~") ? style.warn(shown)
                                            : shown)
                << "\n";
  }
  return kExitOk;
}

}  // namespace swarmdns::controlplane
