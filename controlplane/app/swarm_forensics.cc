// What can be shown of the past: that a mutation happened, what caches held at a time, what lies between two
// heights.
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>

#include "controlplane/app/swarm_host.h"
#include "controlplane/ledger/block_leaves.h"
#include "controlplane/ledger/prove.h"
#include "controlplane/membership/directory.h"
#include "controlplane/state/keys.h"
#include "controlplane/swarm/standing.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::uint64_t kBlocksAtOnce = 500;
// A head is ordered a second or two behind its segment; clocks may differ by as much.
constexpr std::uint64_t kHeadSlackMs = 10'000;
constexpr std::uint32_t kAtMost = 10'000;
// Of blocks that two heights may lie apart: read one by one.
constexpr std::uint64_t kApartMost = 2'000'000;

std::unexpected<Refusal> refused(Refusal::Kind kind, std::string why) {
  return std::unexpected(Refusal{kind, std::move(why)});
}

// What the transactions between two heights come to.
struct Difference {
  std::vector<std::string> lines;
  struct Counted {
    std::uint64_t mutations = 0;
    std::uint64_t lost = 0;
  };
  std::map<NodeId, Counted> caches;
  std::optional<v1::SwarmSettings> settings;  // the newest that were met
  std::uint64_t erased = 0;
};

// Those that differ from the ones before; all, when these are not known.
std::string settings_text(const v1::SwarmSettings& now, const std::optional<v1::SwarmSettings>& before) {
  std::string text;
  const auto& reflection = *v1::SwarmSettings::GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection.ListFields(now, &fields);
  for (const auto* field : fields) {
    std::string value;
    google::protobuf::TextFormat::PrintFieldValueToString(now, field, -1, &value);
    std::string old;
    if (before) google::protobuf::TextFormat::PrintFieldValueToString(*before, field, -1, &old);
    if (value != old) text += (text.empty() ? "" : ", ") + field->name() + " " + value;
  }
  return text;
}

std::string fields_of(const v1::MemberChanged& change) {
  std::string text;
  const auto add = [&](const std::string& one) { text += (text.empty() ? "" : ", ") + one; };
  if (change.has_backup()) add(change.backup() ? "role backup" : "role primary");
  if (change.has_name()) add("name " + change.name());
  if (change.has_address()) add("address " + change.address());
  if (change.has_region()) add("region " + change.region());
  if (change.has_version_min() || change.has_version_max()) add("versions");
  if (change.has_tls_pin()) add("TLS key");
  return text;
}

// `name`: of a member by its number.
void add_to(Difference& difference, const BlockLeaf& leaf, std::uint64_t height,
            const std::function<std::string(NodeId)>& name) {
  const v1::Transaction& what = leaf.transaction;
  const auto line = [&](const std::string& text) {
    const std::string& who = what.principal();
    difference.lines.push_back(text + ", block " + std::to_string(height) +
                               (who.empty() ? "" : ", by " + who));
  };
  switch (what.body_case()) {
    case v1::Transaction::kGenesis:
      line("+ swarm " + what.genesis().name() + " with member " + what.genesis().first().name());
      break;
    case v1::Transaction::kMemberAdded:
      line("+ member " + what.member_added().name() + " at " + what.member_added().address());
      break;
    case v1::Transaction::kMemberRemoved:
      line("- member " + name(what.member_removed().id()) + (what.member_removed().left() ? " left" : ""));
      break;
    case v1::Transaction::kMemberChanged:
      line("~ member " + name(what.member_changed().id()) + ": " + fields_of(what.member_changed()));
      break;
    case v1::Transaction::kSettingsChanged:
      line("~ settings: " + settings_text(what.settings_changed().settings(), difference.settings));
      difference.settings = what.settings_changed().settings();
      break;
    case v1::Transaction::kConfigChanged:
      line(what.config_changed().restores_height() == 0
               ? "~ configuration of all nodes"
               : "~ configuration of all nodes, that of block " +
                     std::to_string(what.config_changed().restores_height()) + " again");
      break;
    case v1::Transaction::kCertificateRotation:
      line("~ certificates: issuing key " + std::to_string(what.certificate_rotation().number()) +
           ", sealed to " + std::to_string(what.certificate_rotation().sealed_size()) + " members");
      break;
    case v1::Transaction::kVersionRaised:
      line("~ version of the ledger: " + std::to_string(what.version_raised().version()));
      break;
    case v1::Transaction::kFence:
      line("- caches went back to block " + std::to_string(what.fence().to_height()));
      break;
    case v1::Transaction::kErasure:
      line("- what was known of a name, or of transactions, was erased");
      break;
    case v1::Transaction::kLogMembers:
      line("~ voters: " + std::to_string(what.log_members().voters_size()) +
           ", stand-bys: " + std::to_string(what.log_members().standbys_size()));
      break;
    case v1::Transaction::kSegmentHead: {
      Difference::Counted& counted = difference.caches[leaf.node];
      counted.mutations += what.segment_head().mutations();
      counted.lost += what.segment_head().lost();
      break;
    }
    default:
      if (leaf.erased) ++difference.erased;
  }
}

}  // namespace

Outcome<v1::GetAtResponse> SwarmHost::at(const v1::GetAtRequest& request) {
  const Held held(membership_);
  if (auto is = require_member(); !is) return std::unexpected(is.error());
  v1::NameQuery query;
  query.set_name(request.name());
  query.set_qtype(request.qtype());
  query.set_limit(kAtMost);
  query.set_until_ms(request.time_ms());
  query.set_flushes(true);
  const auto known = ask_all(query);
  if (!known) return std::unexpected(known.error());
  v1::GetAtResponse response;
  for (const std::string& name : known->silent) response.add_silent(name);
  member_->run([&] {
    const StateView state = member_->core().chain().state();
    std::vector<v1::FenceRecord> fences;
    state.scan(keys::kFences, [&](std::string_view, std::string_view value) {
      fences.emplace_back().ParseFromString(std::string(value));
      return true;
    });
    for (const v1::NameMutation& each : standing_at(known->mutations, request.time_ms(), fences))
      *response.add_standing() = mutation_view(state, each);
  });
  return response;
}

Outcome<v1::DiffHeightsResponse> SwarmHost::diff(const v1::DiffHeightsRequest& request) {
  const Held held(membership_);
  if (auto is = require_member(); !is) return std::unexpected(is.error());
  std::uint64_t newest = 0;
  std::uint64_t lowest = 0;
  std::map<NodeId, std::string> names;
  member_->run([&] {
    newest = member_->core().chain().height();
    lowest = member_->store().lowest_height();
    for (const v1::MemberRecord& record : all_members(member_->core().chain().state()))
      names[record.id()] = record.name();
  });
  const auto name = [&](NodeId id) {
    const auto known = names.find(id);
    return known == names.end() ? "node " + std::to_string(id) : known->second;
  };
  if (request.to() > newest) {
    return refused(Refusal::Kind::kInvalid, "H2: there is no block " + std::to_string(request.to()) +
                                                "; the newest is " + std::to_string(newest));
  }
  if (request.from() + 1 < lowest) {
    return refused(Refusal::Kind::kInvalid,
                   "H1: blocks below " + std::to_string(lowest) + " are pruned on this node");
  }
  if (request.to() - request.from() > kApartMost)
    return refused(Refusal::Kind::kInvalid,
                   "H1, H2: more than " + std::to_string(kApartMost) + " blocks apart");
  Difference difference;
  StoreResult read;
  for (std::uint64_t height = request.from() + 1; height <= request.to() && read;) {
    member_->run([&] {
      for (std::uint64_t i = 0; i < kBlocksAtOnce && height <= request.to() && read; ++i, ++height) {
        read = each_leaf(member_->store(), height, [&](const BlockLeaf& leaf) {
          add_to(difference, leaf, height, name);
          return true;
        });
      }
    });
  }
  if (!read) return refused(Refusal::Kind::kFailed, read.error());
  v1::DiffHeightsResponse response;
  for (std::string& line : difference.lines) response.add_lines(std::move(line));
  for (const auto& [node, counted] : difference.caches) {
    response.add_lines("+ " + std::to_string(counted.mutations) + " mutations of " + name(node) +
                       (counted.lost == 0 ? "" : ", " + std::to_string(counted.lost) + " lost in gaps"));
  }
  if (difference.erased > 0)
    response.add_lines("  " + std::to_string(difference.erased) + " transactions that were erased");
  return response;
}

Outcome<v1::ProveResponse> SwarmHost::prove_of_mutation(const v1::ProveMutation& mutation) {
  const NodeId node = mutation.node();
  const std::string name =
      "segment " + std::to_string(mutation.segment()) + " of node " + std::to_string(node);
  SegmentStore& segments = member_->segments();
  const auto body = segments.get(node, mutation.segment());
  if (!body) return refused(Refusal::Kind::kFailed, body.error());
  if (!*body) {
    return refused(Refusal::Kind::kNotFound,
                   name +
                       " is not on this node: it has expired, or it is of another region and its own node "
                       "can prove it");
  }
  const auto header = parse_segment_header(as_octets((*body)->segment().header()));
  const auto commitments = segment_commitments(**body);
  if (!header) return refused(Refusal::Kind::kFailed, name + ": " + header.error());
  if (!commitments) return refused(Refusal::Kind::kFailed, name + ": " + commitments.error());

  // The nearest head makes the shortest file.
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  std::expected<std::optional<HeadLeaf>, std::string> head = std::nullopt;
  member_->run([&] {
    const LedgerStore& store = member_->store();
    const std::uint64_t since = header->first_ms() - std::min(header->first_ms(), kHeadSlackMs);
    const auto at = store.height_at(since);
    from = std::max(at ? at->value_or(0) : 0, store.lowest_height());
    to = member_->core().chain().height();
  });
  for (; from <= to && head && !*head; from += kBlocksAtOnce) {
    member_->run([&] {
      head =
          find_head(member_->store(), node, mutation.segment(), from, std::min(to, from + kBlocksAtOnce - 1));
    });
  }
  if (!head) return refused(Refusal::Kind::kFailed, head.error());
  if (!*head) {
    return refused(Refusal::Kind::kPrecondition,
                   name +
                       " is not ordered yet, or the block that orders it is pruned: a node's head is "
                       "ordered once a second, ask again in a moment");
  }
  std::vector<std::string> behind;
  const std::uint64_t last = (*head)->head.segment();
  if (last - mutation.segment() >= kProofSegmentsMost)
    return refused(Refusal::Kind::kPrecondition, name + " lies too far before the head that orders it");
  for (std::uint64_t number = mutation.segment() + 1; number <= last; ++number) {
    const auto next = segments.header(node, number);
    if (!next) return refused(Refusal::Kind::kFailed, next.error());
    if (!*next) {
      return refused(Refusal::Kind::kPrecondition,
                     "segment " + std::to_string(number) + " of node " + std::to_string(node) +
                         ", which lies between, has not arrived on this node (yet); its own node has it");
    }
    behind.push_back((*next)->header());
  }
  std::expected<Proof, std::string> proof = std::unexpected("");
  member_->run([&] {
    proof = prove_mutation(member_->store(), **body, *commitments, mutation.position(), std::move(behind),
                           (*head)->leaf);
  });
  if (!proof) return refused(Refusal::Kind::kPrecondition, proof.error());
  v1::ProveResponse response;
  response.set_file(format_proof(*proof));
  return response;
}

}  // namespace swarmdns::controlplane
