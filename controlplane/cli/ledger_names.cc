// What the ledger knows of a name: history, at, erase.
#include "controlplane/cli/ask.h"
#include "controlplane/cli/committed_text.h"
#include "controlplane/cli/human.h"
#include "controlplane/cli/json.h"
#include "controlplane/cli/ledger_commands.h"
#include "controlplane/cli/mutation_text.h"
#include "controlplane/cli/node_names.h"
#include "controlplane/cli/read_name.h"

namespace swarmdns::controlplane {
namespace {

using Mutations = google::protobuf::RepeatedPtrField<v1::MutationView>;
using Names = google::protobuf::RepeatedPtrField<std::string>;

std::string joined(const Names& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + printable(name);
  return text;
}

std::string as_json(const char* key, const Mutations& mutations, const Names& silent) {
  std::string text = std::string("{\n  \"") + key + "\": [";
  for (int i = 0; i < mutations.size(); ++i) text += (i == 0 ? "\n" : ",\n") + mutation_json(mutations[i], 4);
  text += mutations.empty() ? "],\n  \"silent\": [" : "\n  ],\n  \"silent\": [";
  for (int i = 0; i < silent.size(); ++i) text += (i == 0 ? "" : ", ") + json_string(silent[i]);
  return text + "]\n}\n";
}

std::string table_of(const Mutations& mutations, const Style& style) {
  Table table(
      {"TIME", "NODE", "DID", "TYPE", "ANSWER", ">TTL", "UPSTREAM", ">SEGMENT", ">POSITION", ">BLOCK"});
  for (const v1::MutationView& view : mutations) {
    const MutationText text = mutation_text(view);
    const std::string node =
        view.node_name().empty() ? "node " + std::to_string(view.node()) : printable(view.node_name());
    std::string answer = text.answer;
    if (!text.rcode.empty() && text.rcode != "NOERROR") answer = text.rcode;
    table.add({text.erased || text.unreadable ? "-" : time_text_with_ms(text.wall_ms), node,
               text.erased       ? style.dim("(erased)")
               : text.unreadable ? style.bad("cannot be read")
                                 : text.did,
               text.type, answer, text.answer.empty() || text.ttl_s == 0 ? "" : std::to_string(text.ttl_s),
               text.upstream, std::to_string(view.segment()), std::to_string(view.position()),
               view.ordered_height() > 0 ? with_commas(view.ordered_height()) : style.dim("not yet")});
  }
  return table.render(style);
}

// Some nodes' part is missing: said beside the result, and by the exit code.
int end_with(Context& context, const Names& silent, bool found) {
  if (!silent.empty()) {
    context.err << "swarmctl: no answer from " << joined(silent) << ": what only they know is missing here\n";
    return kExitPartly;
  }
  return found ? kExitOk : kExitNotFound;
}

}  // namespace

int show_history(Context& context, const std::string& name, const std::string& type, uint32_t limit) {
  v1::GetHistoryRequest request;
  uint32_t qtype = 0;
  if (!read_name(context, name, *request.mutable_name()) || !read_type(context, type, qtype))
    return kExitUsage;
  *request.mutable_caller() = caller_of(context, "");
  request.set_qtype(qtype);
  request.set_limit(limit);
  const auto answer = context.swarm->history(request);
  if (!answer) return fail(context, answer.error());
  const bool found = !answer->mutations().empty();
  if (context.json) {
    context.out << as_json("mutations", answer->mutations(), answer->silent());
  } else if (found) {
    context.out << table_of(answer->mutations(), context.style)
                << context.style.dim("proof of a line: swarmctl ledger prove mutation NODE SEGMENT POSITION")
                << "\n";
  } else {
    context.err << "swarmctl: nothing is known of " << name << (type.empty() ? "" : " " + type)
                << "; bodies of cache changes are kept as long as the setting retain_mutations says\n";
  }
  return end_with(context, answer->silent(), found);
}

int show_at(Context& context, const std::string& time, const std::string& name, const std::string& type) {
  v1::GetAtRequest request;
  uint32_t qtype = 0;
  const auto when = parse_time(time, context.now_ms);
  if (!when) return fail(context, kExitUsage, when.error());
  if (!read_name(context, name, *request.mutable_name()) || !read_type(context, type, qtype))
    return kExitUsage;
  *request.mutable_caller() = caller_of(context, "");
  request.set_time_ms(*when);
  request.set_qtype(qtype);
  const auto answer = context.swarm->at(request);
  if (!answer) return fail(context, answer.error());
  const bool found = !answer->standing().empty();
  if (context.json) {
    context.out << as_json("standing", answer->standing(), answer->silent());
  } else if (found) {
    context.out << "At " << time_text(*when) << " the caches held of " << name << ":\n"
                << table_of(answer->standing(), context.style);
  } else {
    context.err << "swarmctl: at " << time_text(*when) << " no cache that answered held " << name
                << (type.empty() ? "" : " " + type) << "\n";
  }
  return end_with(context, answer->silent(), found);
}

int erase_name(Context& context, const std::string& name, bool yes, const std::string& reason) {
  v1::EraseNameRequest request;
  if (!read_name(context, name, *request.mutable_name())) return kExitUsage;
  *request.mutable_caller() = caller_of(context, reason);
  int code = kExitOk;
  if (!yes && context.can_ask) {
    context.err
        << "What every node has written down of " << name
        << " is destroyed: who learned it, when, from whom, what it was.\n"
           "That cannot be undone. That something stood there can still be proved, and so can all the rest.\n"
           "The caches themselves are not touched (swarmctl cache flush).\n";
  }
  if (!agreed(context, "Erase it?", yes, "--yes", code)) return code;
  const auto answer = context.swarm->erase_name(request);
  if (!answer) return fail(context, answer.error());
  if (context.json) {
    context.out << to_json(*answer);
  } else {
    context.out << "Erased " << name << ": " << with_commas(answer->mutations())
                << (answer->mutations() == 1 ? " mutation, " : " mutations, ")
                << committed_text(answer->committed()) << "\n";
  }
  if (answer->silent().empty()) return kExitOk;
  context.err << "swarmctl: not confirmed yet by " << joined(answer->silent())
              << "; they erase it when they are back\n";
  return kExitPartly;
}

}  // namespace swarmdns::controlplane
