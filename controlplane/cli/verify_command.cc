#include "controlplane/cli/verify_command.h"

#include "controlplane/cli/json.h"
#include "controlplane/cli/mutation_text.h"
#include "controlplane/cli/time_text.h"
#include "controlplane/cli/transaction_text.h"
#include "controlplane/ledger/verify.h"
#include "proto/config/store.h"

namespace swarmdns::controlplane {
namespace {

constexpr size_t kTrustFileMost = 1u << 20;

// What the proof shows, in words; "" when there is nothing to be read: a tree, or a body that was erased.
std::string content_of(const Proof& proof) {
  if (const auto* inclusion = std::get_if<InclusionProof>(&proof)) {
    const auto* body = std::get_if<LeafBody>(&inclusion->leaf.content);
    v1::TransactionView view;
    if (body == nullptr || !view.mutable_transaction()->ParseFromString(body->octets)) return "";
    std::string text = view.transaction().principal().empty() ? "a node " + what_of(view, NodeNames())
                                                              : sentence_of(view, NodeNames());
    return text + " (made " + time_text_with_ms(view.transaction().made_ms()) + ")";
  }
  if (const auto* mutation = std::get_if<MutationProof>(&proof)) {
    const auto* body = std::get_if<LeafBody>(&mutation->mutation.content);
    if (body == nullptr || body->octets.empty()) return "";
    v1::MutationView view;
    view.set_mutation(body->octets);
    const MutationText text = mutation_text(view);
    if (text.unreadable) return "";
    std::string what = text.did;
    if (!text.name.empty()) what += " " + text.name + " " + text.type;
    if (!text.answer.empty()) what += ": " + text.rcode + " " + text.answer;
    if (!text.upstream.empty()) what += ", from " + text.upstream;
    return what + " (" + time_text_with_ms(text.wall_ms) + ")";
  }
  return "";
}

}  // namespace

int verify_file(Context& context, const std::string& file, const std::string& trust_file) {
  const auto proof = config::read_file(file, kProofOctetsMost);
  if (!proof) return fail(context, kExitNotFound, proof.error());
  const auto trust = config::read_file(trust_file, kTrustFileMost);
  if (!trust) return fail(context, kExitNotFound, "--trust: " + trust.error());
  const Verdict verdict = verify_proof(*proof, *trust);
  const std::string content = verdict.proof ? content_of(*verdict.proof) : "";
  if (context.json) {
    std::string steps;
    for (const std::string& step : verdict.steps) steps += (steps.empty() ? "" : ", ") + json_string(step);
    context.out << "{\"holds\": " << (verdict.holds ? "true" : "false")
                << ", \"sentence\": " << json_string(verdict.sentence)
                << ", \"content\": " << json_string(verdict.holds ? content : "") << ", \"steps\": [" << steps
                << "]}\n";
    return verdict.holds ? kExitOk : kExitRefused;
  }
  for (const std::string& step : verdict.steps) context.out << "  ok  " << printable(step) << "\n";
  if (!verdict.holds) {
    return fail(context, kExitRefused, file + " proves nothing: " + printable(verdict.sentence));
  }
  context.out << context.style.good("verified") << ": " << printable(verdict.sentence) << "\n";
  if (!content.empty()) context.out << "it says: " << content << "\n";
  return kExitOk;
}

}  // namespace swarmdns::controlplane
