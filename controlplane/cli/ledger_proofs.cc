// Proofs and copies of the ledger: prove, checkpoint, verify (of this node's store), export.
#include <charconv>
#include <cstdio>
#include <fstream>

#include "controlplane/cli/ask.h"
#include "controlplane/cli/human.h"
#include "controlplane/cli/json.h"
#include "controlplane/cli/ledger_commands.h"
#include "controlplane/cli/node_names.h"
#include "proto/config/store.h"

namespace swarmdns::controlplane {
namespace {

int give_proof(Context& context, v1::ProveRequest request, const std::string& out_file) {
  *request.mutable_caller() = caller_of(context, "");
  const auto answer = context.swarm->prove(request);
  if (!answer) return fail(context, answer.error());
  if (!out_file.empty()) {
    if (const auto written = config::write_file_atomically(out_file, answer->file()); !written) {
      return fail(context, kExitFailed, written.error());
    }
  }
  if (context.json) {
    context.out << to_json(*answer);
  } else if (out_file.empty()) {
    context.out << answer->file();
  } else {
    context.out
        << "The proof is in " << out_file << ". Anybody checks it, without a node:\n"
        << "  swarmctl ledger verify " << out_file << " --trust TRUSTFILE\n"
        << "with the trust file of swarmctl ledger checkpoint --trust-file, kept since before it mattered.\n";
  }
  return kExitOk;
}

// The number of a member that is named, or numbered. 0: there is none, and that has been said.
uint64_t node_number(Context& context, const std::string& node, int& code) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(node.data(), node.data() + node.size(), number);
  if (error == std::errc() && end == node.data() + node.size() && number > 0) return number;
  const auto view = context.swarm->swarm(v1::GetSwarmRequest());
  if (!view) {
    code = fail(context, view.error());
    return 0;
  }
  std::string known;
  for (const v1::SwarmNode& member : view->nodes()) {
    if (member.name() == node) return member.id();
    known += (known.empty() ? "" : ", ") + printable(member.name());
  }
  code = fail(
      context, kExitNotFound,
      "no member is called \"" + node + "\"; there are: " + known + ". A former member goes by its number");
  return 0;
}

}  // namespace

int prove_leaf(Context& context, uint64_t leaf, const std::string& out_file) {
  v1::ProveRequest request;
  request.set_leaf(leaf);
  return give_proof(context, request, out_file);
}

int prove_consistency(Context& context, uint64_t size, const std::string& out_file) {
  v1::ProveRequest request;
  request.set_from_size(size);
  return give_proof(context, request, out_file);
}

int prove_mutation(Context& context, const std::string& node, uint64_t segment, uint32_t position,
                   const std::string& out_file) {
  int code = kExitOk;
  const uint64_t number = node_number(context, node, code);
  if (number == 0) return code;
  v1::ProveRequest request;
  request.mutable_mutation()->set_node(number);
  request.mutable_mutation()->set_segment(segment);
  request.mutable_mutation()->set_position(position);
  return give_proof(context, request, out_file);
}

int show_checkpoint(Context& context, const std::string& trust_file) {
  const auto answer = context.swarm->checkpoint(v1::GetCheckpointRequest());
  if (!answer) return fail(context, answer.error());
  if (!trust_file.empty()) {
    if (const auto written = config::write_file_atomically(trust_file, answer->trust_file()); !written) {
      return fail(context, kExitFailed, written.error());
    }
  }
  if (context.json) {
    context.out << to_json(*answer);
    return kExitOk;
  }
  context.out << answer->note();
  if (!trust_file.empty()) {
    context.err << "swarmctl: the keys of the voters of block " << with_commas(answer->height()) << " are in "
                << trust_file << "; keep it where nobody on a node can change it\n";
  }
  return kExitOk;
}

int verify_store(Context& context, std::uint32_t incarnation) {
  v1::VerifyStoreRequest request;
  request.set_incarnation(incarnation);
  v1::VerifyProgress last;
  bool shown = false;
  const auto outcome = context.swarm->verify_store(request, [&](const v1::VerifyProgress& progress) {
    last = progress;
    if (context.terminal && !context.json && !progress.done()) {
      shown = true;
      context.err << "\r\033[Kverified " << with_commas(progress.height()) << " of "
                  << with_commas(progress.of()) << " blocks ("
                  << percent_text(static_cast<double>(progress.height()), static_cast<double>(progress.of()))
                  << ")" << std::flush;
    }
    return true;
  });
  if (shown) context.err << "\r\033[K" << std::flush;
  if (!outcome) return fail(context, outcome.error());
  if (context.json) context.out << to_json(last);
  if (!last.finding().empty()) {
    return fail(context, kExitRefused,
                "this node's ledger is not what the swarm agreed on: " + printable(last.finding()));
  }
  if (!last.done()) {
    return fail(context, kExitFailed, "the check broke off at block " + with_commas(last.height()));
  }
  if (!context.json) {
    context.out << context.style.good("verified") << ": " << with_commas(last.height())
                << " blocks, their transactions, signatures, trees and state are what the checkpoints say\n";
  }
  return kExitOk;
}

int export_ledger(Context& context, const ExportOptions& options) {
  v1::ExportLedgerRequest request;
  *request.mutable_caller() = caller_of(context, "");
  request.set_from(options.from);
  request.set_to(options.to);
  request.set_bodies(options.bodies);
  const std::string partial = options.file + ".partial";
  uint64_t bytes = 0;
  {
    std::ofstream file(partial, std::ios::binary | std::ios::trunc);
    if (!file) return fail(context, kExitFailed, "cannot write " + partial);
    const auto outcome = context.swarm->export_ledger(request, [&](const v1::ExportPiece& piece) {
      file.write(piece.data().data(), static_cast<std::streamsize>(piece.data().size()));
      bytes += piece.data().size();
      return file.good();
    });
    file.close();
    if (!file || !outcome) {
      std::remove(partial.c_str());
      if (!file) return fail(context, kExitFailed, "cannot write " + partial + "; is the disk full?");
      return fail(context, outcome.error());
    }
  }
  if (std::rename(partial.c_str(), options.file.c_str()) != 0) {
    std::remove(partial.c_str());
    return fail(context, kExitFailed, "cannot make " + options.file);
  }
  if (context.json) {
    context.out << "{\"file\": " << json_string(options.file) << ", \"bytes\": " << bytes << "}\n";
  } else {
    context.out << "blocks " << with_commas(options.from) << " to " << with_commas(options.to) << ", "
                << bytes_text(bytes) << ", in " << options.file
                << (options.bodies ? "; it holds names\n" : "; without the bodies of transactions\n");
  }
  return kExitOk;
}

}  // namespace swarmdns::controlplane
