#include "controlplane/cli/transaction_text.h"

#include <algorithm>

#include "controlplane/cli/human.h"
#include "controlplane/cli/swarm_settings.h"
#include "controlplane/cli/time_text.h"

namespace swarmdns::controlplane {
namespace {

std::string counted(uint64_t count, const std::string& one, const std::string& many) {
  return with_commas(count) + " " + (count == 1 ? one : many);
}

template <typename Ids>
std::string list_of(const Ids& ids, const NodeNames& names) {
  std::string text;
  for (const uint64_t id : ids) text += (text.empty() ? "" : ", ") + names.of(id);
  return text.empty() ? "none" : text;
}

std::string role_word(bool backup) {
  return backup ? "backup" : "primary";
}

std::string in_region(const std::string& region) {
  return region.empty() ? "" : ", region " + printable(region);
}

std::string of_member(const v1::MemberAdded& member) {
  return printable(member.name()) + " (" + printable(member.address()) + in_region(member.region()) +
         (member.backup() ? ", backup" : "") + ")";
}

std::string token_mark(const std::string& hash) {
  static const char* const kDigits = "0123456789abcdef";
  std::string text;
  for (size_t i = 0; i < hash.size() && i < 4; ++i) {
    const auto byte = static_cast<unsigned char>(hash[i]);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 0xf];
  }
  return text.empty() ? "" : " " + text;
}

std::string genesis_text(const v1::Genesis& genesis) {
  const std::string name = "\"" + printable(genesis.name()) + "\"";
  if (genesis.incarnation() <= 1) {
    return "made the swarm " + name + " with " + of_member(genesis.first()) + " as its first member";
  }
  return "began incarnation " + std::to_string(genesis.incarnation()) + " of the swarm " + name + " with " +
         of_member(genesis.first()) + ", going on from block " + with_commas(genesis.previous_height()) +
         " of incarnation " + std::to_string(genesis.previous_incarnation()) +
         "; all other members are refused";
}

std::string member_changed_text(const v1::MemberChanged& change, const NodeNames& names) {
  std::string what;
  const auto add = [&](const std::string& text) { what += (what.empty() ? "" : ", ") + text; };
  if (change.has_backup()) add("role " + role_word(change.backup()));
  if (change.has_name()) add("name " + printable(change.name()));
  if (change.has_address()) add("address " + printable(change.address()));
  if (change.has_region()) add("region " + printable(change.region()));
  if (change.has_version_min() || change.has_version_max()) {
    add("versions " + std::to_string(change.version_min()) + " to " + std::to_string(change.version_max()));
  }
  if (change.has_tls_pin()) add("a new TLS key");
  return "changed " + names.of(change.id()) + ": " + (what.empty() ? "nothing" : what);
}

std::string config_changed_text(const v1::ConfigChanged& change) {
  if (change.restores_height() > 0) {
    return "restored the configuration of block " + with_commas(change.restores_height());
  }
  const auto lines =
      static_cast<uint64_t>(std::count(change.document().begin(), change.document().end(), '\n') +
                            (!change.document().empty() && change.document().back() != '\n' ? 1 : 0));
  if (lines == 0) return "changed the configuration of all nodes";
  return "changed the configuration of all nodes (" + counted(lines, "line", "lines") + ")";
}

std::string config_outcome_text(const v1::ConfigOutcome& outcome) {
  const std::string which = "the configuration of block " + with_commas(outcome.height());
  if (!outcome.degraded()) return "carries out " + which;
  return "is degraded, it cannot carry out " + which + ": " + printable(outcome.problem());
}

std::string segment_head_text(const v1::SegmentHead& head) {
  std::string text = "cache changes up to segment " + with_commas(head.segment()) + ": " +
                     counted(head.mutations(), "mutation", "mutations");
  if (head.lost() > 0) text += ", " + with_commas(head.lost()) + " lost in gaps";
  return text;
}

std::string fence_text(const v1::Fence& fence) {
  std::string text = "rolled the caches back to ";
  text += fence.to_ms() > 0 ? time_text(fence.to_ms()) : "block " + with_commas(fence.to_height());
  text += ": epoch " + std::to_string(fence.epoch()) + ", " +
          counted(static_cast<uint64_t>(fence.dead_size()), "range of mutations is dead",
                  "ranges of mutations are dead");
  if (fence.readmit()) text += ", what was current then is readmitted";
  return text;
}

std::string fence_done_text(const v1::FenceDone& done) {
  std::string text = "carried out the rollback of epoch " + std::to_string(done.epoch()) + ": " +
                     counted(done.removed(), "entry", "entries") + " removed";
  text += done.resolver_flushed() ? ", resolver flushed" : ", resolver not flushed";
  if (done.readmitted() > 0) text += ", " + with_commas(done.readmitted()) + " readmitted";
  if (!done.problem().empty()) text += "; problem: " + printable(done.problem());
  return text;
}

std::string erasure_text(const v1::Erasure& erasure) {
  uint64_t mutations = 0;
  for (const v1::MutationPlace& place : erasure.places())
    mutations += static_cast<uint64_t>(place.positions_size());
  std::string text = "erased ";
  if (erasure.leaves_size() > 0) {
    text += counted(static_cast<uint64_t>(erasure.leaves_size()), "transaction", "transactions") + " and ";
  }
  text += counted(mutations, "mutation", "mutations");
  if (!erasure.name_tag().empty()) text += " of a name, and whatever other nodes have of it";
  return text;
}

// A new one, or the one in force for other members: the transaction alone does not tell.
std::string rotation_text(const v1::CertificateRotation& rotation) {
  std::string text = "sealed the issuing key of the CA to " +
                     counted(static_cast<uint64_t>(rotation.sealed_size()), "member", "members");
  if (rotation.roots_size() > 1)
    text += "; " + std::to_string(rotation.roots_size()) + " roots are trusted meanwhile";
  return text;
}

}  // namespace

std::string settings_text(const v1::SwarmSettings& settings) {
  std::string text;
  for (const auto& [key, value] : settings_set(settings))
    text += (text.empty() ? "" : " ") + key + "=" + value;
  return text;
}

std::string who_of(const v1::TransactionView& view, const NodeNames& names) {
  const std::string& principal = view.transaction().principal();
  if (!principal.empty()) return printable(principal);
  return view.node_name().empty() ? names.of(view.node()) : printable(view.node_name());
}

std::string what_of(const v1::TransactionView& view, const NodeNames& names) {
  if (view.erased()) return "(erased)";
  const v1::Transaction& transaction = view.transaction();
  switch (transaction.body_case()) {
    case v1::Transaction::kGenesis:
      return genesis_text(transaction.genesis());
    case v1::Transaction::kTokenIssued:
      return "gave out token" + token_mark(transaction.token_issued().token_hash()) + " for a " +
             role_word(transaction.token_issued().backup()) + " node" +
             (transaction.token_issued().region().empty()
                  ? ""
                  : " in region " + printable(transaction.token_issued().region())) +
             ", valid until " + time_text(transaction.token_issued().expires_ms());
    case v1::Transaction::kTokenRevoked:
      return "revoked token" + token_mark(transaction.token_revoked().token_hash());
    case v1::Transaction::kMemberAdded:
      return "added " + of_member(transaction.member_added());
    case v1::Transaction::kMemberRemoved:
      return transaction.member_removed().left()
                 ? "took " + names.of(transaction.member_removed().id()) + " out of the swarm by its own wish"
                 : "removed " + names.of(transaction.member_removed().id());
    case v1::Transaction::kMemberChanged:
      return member_changed_text(transaction.member_changed(), names);
    case v1::Transaction::kSettingsChanged:
      return "set " + settings_text(transaction.settings_changed().settings());
    case v1::Transaction::kCertificateRotation:
      return rotation_text(transaction.certificate_rotation());
    case v1::Transaction::kVersionRaised:
      return "raised the ledger's version to " + std::to_string(transaction.version_raised().version());
    case v1::Transaction::kConfigChanged:
      return config_changed_text(transaction.config_changed());
    case v1::Transaction::kConfigOutcome:
      return config_outcome_text(transaction.config_outcome());
    case v1::Transaction::kSegmentHead:
      return segment_head_text(transaction.segment_head());
    case v1::Transaction::kFence:
      return fence_text(transaction.fence());
    case v1::Transaction::kFenceDone:
      return fence_done_text(transaction.fence_done());
    case v1::Transaction::kErasure:
      return erasure_text(transaction.erasure());
    case v1::Transaction::kLogMembers:
      return "set the voters to " + list_of(transaction.log_members().voters(), names) +
             ", the stand-bys to " + list_of(transaction.log_members().standbys(), names);
    case v1::Transaction::kNote:
      return "noted: " + printable(transaction.note().text());
    case v1::Transaction::BODY_NOT_SET:
      break;
  }
  return "did something that this swarmctl does not know (version " + std::to_string(transaction.version()) +
         ")";
}

std::string sentence_of(const v1::TransactionView& view, const NodeNames& names) {
  const std::string& reason = view.transaction().reason();
  std::string sentence = who_of(view, names);
  // "n1: cache changes up to ..." has no verb.
  sentence += view.transaction().has_segment_head() && !view.erased() ? ": " : " ";
  sentence += what_of(view, names);
  if (!reason.empty()) sentence += " - " + printable(reason);
  if (view.withheld()) sentence += " (words that may hold names are for node.ledger_readers)";
  return sentence;
}

}  // namespace swarmdns::controlplane
