#include "tests/sim/core_checks.h"

#include <algorithm>

#include "controlplane/ledger/merkle.h"
#include "controlplane/ledger/segment.h"
#include "controlplane/ledger/tiles.h"
#include "controlplane/swarm/share_rules.h"

namespace swarmdns::sim {

using controlplane::array_from;
using controlplane::as_octets;
using controlplane::Hash;

namespace {

std::string who(NodeId id) {
  return "node " + std::to_string(id);
}

std::size_t voters_in(const std::vector<LogMember>& members) {
  return static_cast<std::size_t>(std::ranges::count(members, LogRole::kVoter, &LogMember::role));
}

bool votes(const std::vector<LogMember>& members, NodeId id) {
  return std::ranges::any_of(
      members, [&](const LogMember& member) { return member.id == id && member.role == LogRole::kVoter; });
}

}  // namespace

std::string CoreChecks::tail(const Hash& hash) {
  std::string text;
  for (std::size_t i = 0; i < 4; ++i) {
    constexpr char kDigits[] = "0123456789abcdef";
    text += kDigits[std::to_integer<unsigned>(hash[i]) >> 4];
    text += kDigits[std::to_integer<unsigned>(hash[i]) & 15];
  }
  return text;
}

void CoreChecks::check(bool holds, const char* rule, const std::string& what) {
  if (holds || !broken_.empty()) return;
  rule_ = rule;
  broken_ = std::string(rule) + ": " + what;
  world_.note("BROKEN: " + broken_);
}

void CoreChecks::knows(NodeId node, const std::string& region, controlplane::VerifierKey key) {
  regions_[node] = region;
  keys_[node] = std::move(key);
}

void CoreChecks::applied(NodeId node, const controlplane::AppliedBlock& block) {
  const std::uint64_t height = block.header.height;
  world_.note(who(node) + " has block " + std::to_string(height) + " " + tail(block.hash));
  const auto [known, fresh] = blocks_.emplace(height, Block{block.header, block.hash});
  if (fresh) {
    first_seen(block);
    return;
  }
  check(known->second.header.state_root == block.header.state_root, "fork",
        who(node) + " has another state at block " + std::to_string(height));
  check(known->second.hash == block.hash, "fork", who(node) + " has another block " + std::to_string(height));
}

void CoreChecks::first_seen(const controlplane::AppliedBlock& block) {
  const std::uint64_t height = block.header.height;
  const auto before = blocks_.find(height - 1);
  check(height == 1 || before != blocks_.end(), "fork",
        "block " + std::to_string(height) + " is there before the one below it");
  if (before != blocks_.end()) {
    check(before->second.hash == block.header.previous, "fork",
          "block " + std::to_string(height) + " does not stand on the one below it");
    check(before->second.header.time_ms <= block.header.time_ms, "fork",
          "block " + std::to_string(height) + " is older than the one below it");
  }
  for (const controlplane::AppliedBundle& bundle : block.bundles) {
    const auto [at, once] = bundles_.emplace(std::pair(bundle.node, bundle.number), height);
    check(once, "twice",
          "bundle " + std::to_string(bundle.number) + " of " + who(bundle.node) + " is in blocks " +
              std::to_string(at->second) + " and " + std::to_string(height));
    for (const controlplane::JudgedTransaction& judged : bundle.transactions) {
      if (!judged.refusal.empty()) {
        world_.note("refused, of " + who(bundle.node) + ": " + judged.refusal);
        continue;
      }
      const v1::Transaction& content = judged.content;
      if (content.has_note()) {
        const auto [leaf, new_mark] = marks_.emplace(content.note().text(), judged.leaf);
        check(new_mark, "twice",
              "\"" + content.note().text() + "\" is leaf " + std::to_string(leaf->second) + " and leaf " +
                  std::to_string(judged.leaf));
      } else if (content.has_genesis()) {
        voters_[height] = {1};
      } else if (content.has_log_members()) {
        const auto& voters = content.log_members().voters();
        voters_[height] = std::vector<NodeId>(voters.begin(), voters.end());
      } else if (content.has_segment_head()) {
        heads_[bundle.node][height] = content.segment_head().last_mutation();
        const auto hash = array_from<sizeof(Hash)>(content.segment_head().hash());
        const auto [seen, new_segment] = segments_.emplace(
            std::pair(bundle.node, content.segment_head().segment()), hash.value_or(Hash{}));
        check(new_segment || (hash && seen->second == *hash), "segment",
              "segment " + std::to_string(content.segment_head().segment()) + " of " + who(bundle.node) +
                  " was ordered with another hash than it was sent with");
      } else if (content.has_fence()) {
        fence(content.fence());
      }
    }
  }
}

void CoreChecks::fence(const v1::Fence& body) {
  Fence& made = fences_.emplace_back();
  made.body = body;
  for (const v1::MutationRange& range : body.dead()) made.reach[range.node()] = reach_(range.node());
}

void CoreChecks::opened(NodeId node, const controlplane::Chain& chain) {
  const std::uint64_t height = chain.height();
  world_.note(who(node) + " comes up at block " + std::to_string(height) + ", entry " +
              std::to_string(chain.applied_index()));
  check(height >= synced_[node], "store",
        who(node) + " had synced block " + std::to_string(synced_[node]) + " and has " +
            std::to_string(height));
  if (height == 0) return;
  const auto known = blocks_.find(height);
  check(known != blocks_.end() && known->second.hash == chain.tip_hash(), "fork",
        who(node) + " comes up with another block " + std::to_string(height));
}

void CoreChecks::synced(NodeId node, const controlplane::Chain& chain) {
  synced_[node] = std::max(synced_[node], chain.height());
}

void CoreChecks::checkpoint(NodeId node, std::uint64_t height, const std::string& text) {
  const auto note = controlplane::parse_checkpoint_note(text);
  const std::string name =
      "the checkpoint of block " + std::to_string(height) + " that " + who(node) + " has";
  check(note.has_value(), "checkpoint", name + " cannot be read");
  if (!note) return;
  const auto block = blocks_.find(height);
  check(block != blocks_.end() && controlplane::checkpoint_of(block->second.header) == note->checkpoint,
        "checkpoint", name + " is not of the chain");
  auto voters = voters_.upper_bound(height);
  if (voters == voters_.begin()) return;
  --voters;
  std::vector<controlplane::VerifierKey> keys;
  for (const NodeId id : voters->second) keys.push_back(keys_[id]);
  const auto cosigned =
      controlplane::check_cosigned(note->note, keys, controlplane::majority_of(keys.size()));
  check(cosigned.has_value(), "checkpoint", name + ": " + (cosigned ? "" : cosigned.error()));
  notes_.emplace(height, text);
}

void CoreChecks::sent(NodeId from, const v1::PeerMessage& message) {
  if (message.has_cosign_response() && !message.cosign_response().text().empty())
    world_.note(who(from) + " does not cosign: " + message.cosign_response().text());
  if (message.has_cosign_response() && !message.cosign_response().signature_line().empty()) {
    const auto note = controlplane::parse_note(message.cosign_response().signature_line());
    const auto said =
        note ? controlplane::parse_checkpoint(note->text) : std::unexpected(std::string("it cannot be read"));
    if (!said) return;
    const auto [before, first] = signed_.emplace(std::pair(from, said->height), note->text);
    check(first || before->second == note->text, "checkpoint",
          who(from) + " cosigns two blocks " + std::to_string(said->height));
    const auto block = blocks_.find(said->height);
    check(block != blocks_.end() && controlplane::checkpoint_of(block->second.header) == *said, "checkpoint",
          who(from) + " cosigns a block " + std::to_string(said->height) + " that is not of the chain");
  } else if (message.has_segment()) {
    const std::string& octets = message.segment().segment().header();
    v1::SegmentHeader header;
    if (!header.ParseFromString(octets)) return;
    const Hash hash = controlplane::segment_hash(as_octets(octets));
    const auto [before, first] = segments_.emplace(std::pair(header.node(), header.number()), hash);
    check(first || before->second == hash, "segment",
          who(header.node()) + " has two segments " + std::to_string(header.number()));
  }
}

void CoreChecks::members(NodeId node, std::uint64_t index, const std::vector<LogMember>& members) {
  const auto [known, fresh] = log_members_.emplace(index, members);
  check(known->second == members, "fork",
        who(node) + " has other members of the log at entry " + std::to_string(index));
  if (!fresh || known == log_members_.begin() || std::next(known) != log_members_.end()) return;
  const std::vector<LogMember>& before = std::prev(known)->second;
  std::size_t changed = 0;
  for (const LogMember& member : members) changed += votes(members, member.id) != votes(before, member.id);
  for (const LogMember& member : before) {
    const bool gone = std::ranges::find(members, member.id, &LogMember::id) == members.end();
    changed += gone && member.role == LogRole::kVoter;
  }
  // Entries in between may not have been seen: then two may have changed since.
  std::string text = "the log's members at entry " + std::to_string(index) + ":";
  for (const LogMember& member : members)
    text += " " + std::to_string(member.id) + "vbs"[static_cast<std::size_t>(member.role)];
  world_.note(text + ", " + std::to_string(changed) + " votes changed");
  check(voters_in(members) > 0, "quorum", "nobody votes any more");
}

void CoreChecks::changes(NodeId node, const std::vector<LogMember>& after,
                         const std::function<bool(NodeId)>& up) {
  std::size_t here = 0;
  std::string text = who(node) + " makes the voters";
  for (const LogMember& member : after) {
    if (member.role != LogRole::kVoter) continue;
    here += up(member.id) ? 1 : 0;
    text += " " + std::to_string(member.id) + (up(member.id) ? "" : "(down)");
  }
  world_.note(text);
  check(here >= voters_in(after) / 2 + 1, "quorum", text);
}

void CoreChecks::taken(NodeId node, const v1::CacheEntry& entry) {
  static const controlplane::PrivateZones zones;
  const NodeId origin = entry.origin().node();
  const std::string what = who(node) + " takes an answer of " + who(origin);
  check(!entry.authenticated(), "sharing", what + " with AD");
  check(regions_[node] == regions_[origin], "sharing", what + ", which is of another region");
  check(!zones.holds(entry.key().qname()), "sharing", what + " for a private name");
}

void CoreChecks::purged(NodeId node, const v1::CacheEntry& entry) {
  const v1::Origin& origin = entry.origin();
  const bool dead = std::ranges::any_of(fences_, [&](const Fence& fence) {
    return std::ranges::any_of(fence.body.dead(), [&](const v1::MutationRange& range) {
      return range.node() == origin.node() && origin.sequence() >= range.first() &&
             (range.last() == 0 || origin.sequence() <= range.last());
    });
  });
  check(dead, "fence",
        who(node) + " removes mutation " + std::to_string(origin.sequence()) + " of " + who(origin.node()) +
            ", which no fence is about");
}

void CoreChecks::cache(NodeId node, std::uint64_t epoch, const SimDataplane& dataplane) {
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(epoch, fences_.size()); ++i) {
    for (const v1::MutationRange& range : fences_[i].body.dead()) {
      const std::uint64_t last = range.last() != 0 ? range.last() : fences_[i].reach.at(range.node());
      for (const auto& [name, item] : dataplane.entries()) {
        const v1::Origin& origin = item.entry.origin();
        check(origin.node() != range.node() || origin.sequence() < range.first() || origin.sequence() > last,
              "fence",
              who(node) + " has carried out fence " + std::to_string(i + 1) + " and still has mutation " +
                  std::to_string(origin.sequence()) + " of " + who(origin.node()));
      }
    }
  }
}

void CoreChecks::acknowledged(const std::string& mark, std::uint64_t leaf) {
  acknowledged_[mark] = leaf;
  const auto known = marks_.find(mark);
  check(known != marks_.end() && known->second == leaf, "lost",
        "\"" + mark + "\" is acknowledged as leaf " + std::to_string(leaf) + " and is not there");
}

void CoreChecks::store(NodeId node, const controlplane::LedgerStore& store) {
  for (const auto& [mark, leaf] : acknowledged_) {
    const auto body = store.leaf(leaf);
    v1::Transaction transaction;
    check(body && *body && transaction.ParseFromString((*body)->transaction()) &&
              transaction.note().text() == mark,
          "lost",
          "\"" + mark + "\" was acknowledged as leaf " + std::to_string(leaf) + " and " + who(node) +
              " does not have it there");
  }
  // Each checkpoint leads to the next one.
  const controlplane::BlockHeader* before = nullptr;
  for (const auto& [height, note] : notes_) {
    const controlplane::BlockHeader& header = blocks_.at(height).header;
    if (before != nullptr && store.tip() && header.tree_size <= store.tip()->tree_size) {
      const auto path = controlplane::consistency_path(controlplane::TiledTree(store, header.tree_size),
                                                       before->tree_size, header.tree_size);
      check(path && controlplane::verify_consistency(before->tree_size, header.tree_size, *path,
                                                     before->tree_root, header.tree_root),
            "checkpoint",
            who(node) + " cannot prove that block " + std::to_string(height) + " goes on from " +
                std::to_string(before->height));
    }
    before = &header;
  }
}

void CoreChecks::finish() {
  check(history_.check().empty(), "stale read", history_.check());
}

std::vector<controlplane::ReachedThen> CoreChecks::reached(std::uint64_t height) const {
  std::vector<controlplane::ReachedThen> all;
  for (const auto& [node, heads] : heads_) {
    const auto after = heads.upper_bound(height);
    all.push_back({node, after == heads.begin() ? 0 : std::prev(after)->second});
  }
  return all;
}

}  // namespace swarmdns::sim
