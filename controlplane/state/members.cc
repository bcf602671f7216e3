// Who belongs to the swarm: tokens, members, their roles in the log.
#include <algorithm>

#include "controlplane/state/handlers.h"

namespace swarmdns::controlplane::handlers {
namespace {

constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kNameMost = 63;
constexpr std::size_t kAddressMost = 300;
constexpr std::size_t kRegionMost = 255;
constexpr std::uint64_t kTokenLifeMost = 30ULL * 86'400'000;
// Origins of cache entries carry 16 bits of it.
constexpr std::uint64_t kMemberMost = 65'535;

Applied check_label(const std::string& name) {
  if (name.empty() || name.size() > kNameMost) return refused("name: 1 to 63 octets long");
  for (const char c : name) {
    if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-')
      return refused("name: letters a-z, digits and hyphens only");
  }
  return {};
}

// Nobody else has the name; a key or a pin is never used twice, not even after its owner was removed.
Applied check_unique(const StateView& state, std::uint64_t self, const v1::MemberRecord& wanted) {
  std::string problem;
  state.scan(keys::kMembers, [&](std::string_view, std::string_view value) {
    v1::MemberRecord other;
    if (!other.ParseFromString(std::string(value)) || other.id() == self) return true;
    if (other.removed_height() == 0 && other.name() == wanted.name()) {
      problem = "name: member " + std::to_string(other.id()) + " is called " + wanted.name() + " already";
    } else if (other.removed_height() == 0 && other.address() == wanted.address()) {
      problem = "address: " + other.name() + " is at " + wanted.address() + " already";
    } else if (other.ledger_key() == wanted.ledger_key()) {
      problem =
          "ledger_key: it is that of " + other.name() +
          (other.removed_height() == 0 ? "" : ", which was removed; a node that comes back needs new keys");
    } else if (other.tls_pin() == wanted.tls_pin()) {
      problem = "tls_pin: it is that of " + other.name();
    }
    return problem.empty();
  });
  if (!problem.empty()) return refused(problem);
  return {};
}

Applied check_record(const StateView& state, std::uint64_t self, const v1::MemberRecord& member) {
  if (auto good = check_label(member.name()); !good) return good;
  if (member.address().empty() || member.address().size() > kAddressMost)
    return refused("address: 1 to 300 octets long");
  if (member.region().size() > kRegionMost) return refused("region: at most 255 octets");
  if (member.ledger_key().size() != kKeyBytes) return refused("ledger_key: not of 32 octets");
  if (member.tls_pin().size() != kHashBytes) return refused("tls_pin: not of 32 octets");
  const auto swarm = read<v1::SwarmRecord>(state, keys::kSwarm);
  if (member.version_max() < swarm->version() || member.version_min() > swarm->version()) {
    return refused("version: the swarm is at version " + std::to_string(swarm->version()) +
                   ", the node has versions " + std::to_string(member.version_min()) + " to " +
                   std::to_string(member.version_max()) + "; install the program of the other members");
  }
  return check_unique(state, self, member);
}

Applied insert_member(StateView& state, const BlockPlace& place, v1::MemberRecord member) {
  auto swarm = read<v1::SwarmRecord>(state, keys::kSwarm);
  if (swarm->next_member() > kMemberMost) return refused("no number is left for another member");
  member.set_id(swarm->next_member());
  member.set_joined_height(place.height);
  member.set_joined_ms(place.time_ms);
  if (auto good = check_record(state, member.id(), member); !good) return good;
  write(state, keys::of(keys::kMembers, member.id()), member);
  swarm->set_next_member(member.id() + 1);
  write(state, std::string(keys::kSwarm), *swarm);
  return {};
}

v1::MemberRecord record_of(const v1::MemberAdded& body) {
  v1::MemberRecord member;
  member.set_name(body.name());
  member.set_address(body.address());
  member.set_region(body.region());
  member.set_backup(body.backup());
  member.set_ledger_key(body.ledger_key());
  member.set_tls_pin(body.tls_pin());
  member.set_version_min(body.version_min());
  member.set_version_max(body.version_max());
  return member;
}

bool is_voter(const StateView& state, std::uint64_t id) {
  const auto log = read<v1::LogMembers>(state, keys::kLogMembers);
  return log && std::ranges::find(log->voters(), id) != log->voters().end();
}

// Its streams are cut, and its vote counts still. Were another one removed meanwhile, the rest might be no
// majority, and could never take them out.
std::optional<v1::MemberRecord> removed_voter(const StateView& state) {
  const auto log = read<v1::LogMembers>(state, keys::kLogMembers);
  if (!log) return std::nullopt;
  for (const std::uint64_t id : log->voters()) {
    auto member = read<v1::MemberRecord>(state, keys::of(keys::kMembers, id));
    if (member && member->removed_height() != 0) return member;
  }
  return std::nullopt;
}

std::size_t live_members(const StateView& state) {
  std::size_t count = 0;
  state.scan(keys::kMembers, [&](std::string_view, std::string_view value) {
    v1::MemberRecord member;
    if (member.ParseFromString(std::string(value)) && member.removed_height() == 0) ++count;
    return true;
  });
  return count;
}

}  // namespace

std::optional<v1::MemberRecord> live_member(const StateView& state, std::uint64_t id) {
  auto member = read<v1::MemberRecord>(state, keys::of(keys::kMembers, id));
  if (!member || member->removed_height() != 0) return std::nullopt;
  return member;
}

Applied token_issued(StateView& state, const BlockPlace& place, const v1::TokenIssued& body) {
  if (body.token_hash().size() != kHashBytes) return refused("token_hash: not of 32 octets");
  if (body.region().size() > kRegionMost) return refused("region: at most 255 octets");
  if (body.expires_ms() <= place.time_ms) return refused("expires_ms: it is over already");
  if (body.expires_ms() > place.time_ms + kTokenLifeMost)
    return refused("expires_ms: at most 30 days from now");
  const std::string key = keys::of(keys::kTokens, body.token_hash());
  if (state.get(key)) return refused("token_hash: issued already");
  v1::TokenRecord token;
  token.set_backup(body.backup());
  token.set_region(body.region());
  token.set_expires_ms(body.expires_ms());
  token.set_issued_height(place.height);
  write(state, key, token);
  return {};
}

Applied token_revoked(StateView& state, const v1::TokenRevoked& body) {
  const std::string key = keys::of(keys::kTokens, body.token_hash());
  auto token = read<v1::TokenRecord>(state, key);
  if (!token) return refused("token: there is no such token");
  if (token->used_by() != 0) return refused("token: it has been used");
  token->set_revoked(true);
  write(state, key, *token);
  return {};
}

Applied member_added(StateView& state, const BlockPlace& place, const v1::MemberAdded& body) {
  const std::string key = keys::of(keys::kTokens, body.token_hash());
  auto token = read<v1::TokenRecord>(state, key);
  if (!token)
    return refused("token: the swarm has issued no such token (or forgotten it: they live 30 days)");
  if (token->revoked()) return refused("token: it was revoked");
  if (token->used_by() != 0) {
    return refused("token: used already, by member " + std::to_string(token->used_by()) +
                   "; each token lets one node in");
  }
  if (token->expires_ms() <= place.time_ms) return refused("token: it has expired; issue another");
  v1::MemberRecord member = record_of(body);
  member.set_region(token->region());  // what the operator said, not what the node says
  member.set_backup(token->backup());
  if (auto added = insert_member(state, place, std::move(member)); !added) return added;
  token->set_used_by(read<v1::SwarmRecord>(state, keys::kSwarm)->next_member() - 1);
  write(state, key, *token);
  return {};
}

Applied first_member(StateView& state, const BlockPlace& place, const v1::MemberAdded& body) {
  if (auto added = insert_member(state, place, record_of(body)); !added)
    return refused("genesis.first." + added.error());
  return {};
}

Applied member_removed(StateView& state, const BlockPlace& place, const v1::MemberRemoved& body) {
  auto member = live_member(state, body.id());
  if (!member) return refused("id: " + std::to_string(body.id()) + " is no member");
  if (live_members(state) == 1) return refused("id: it is the last member; a swarm has one at least");
  if (const auto other = removed_voter(state); other && is_voter(state, body.id())) {
    return refused("id: the log has not parted with " + other->name() +
                   " yet, which was removed before; try again in a few seconds");
  }
  member->set_removed_height(place.height);
  member->set_removed_ms(place.time_ms);
  member->set_left(body.left());
  write(state, keys::of(keys::kMembers, body.id()), *member);
  return {};
}

Applied member_changed(StateView& state, const v1::MemberChanged& body) {
  auto member = live_member(state, body.id());
  if (!member) return refused("id: " + std::to_string(body.id()) + " is no member");
  if (body.has_name()) member->set_name(body.name());
  if (body.has_address()) member->set_address(body.address());
  if (body.has_region()) member->set_region(body.region());
  if (body.has_backup()) member->set_backup(body.backup());
  if (body.has_version_min()) member->set_version_min(body.version_min());
  if (body.has_version_max()) member->set_version_max(body.version_max());
  if (body.has_tls_pin()) member->set_tls_pin(body.tls_pin());
  if (auto good = check_record(state, body.id(), *member); !good) return good;
  write(state, keys::of(keys::kMembers, body.id()), *member);
  return {};
}

Applied log_members(StateView& state, const v1::LogMembers& body) {
  if (body.voters().empty()) return refused("voters: a log has one at least");
  const auto ascending = [](const auto& ids) {
    return std::adjacent_find(ids.begin(), ids.end(), [](auto a, auto b) { return a >= b; }) == ids.end();
  };
  if (!ascending(body.voters()) || !ascending(body.standbys()))
    return refused("voters, standbys: not in ascending order");
  write(state, std::string(keys::kLogMembers), body);
  return {};
}

}  // namespace swarmdns::controlplane::handlers
