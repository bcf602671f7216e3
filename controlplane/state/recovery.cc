// A swarm that goes on as a new incarnation: what its genesis takes over of the state before.
//
// Kept as it was: the configuration, request ids, the count of members, the version, fences and erasures of
// mutations. Members of before are there as removed ones, so that no number, key or pin is used again; a
// token that nobody has used is revoked, for it names a certification authority that is gone. Not taken over
// is what counts heights or leaves of the tree before: heads of segments, outcomes, receipts, erasures of
// leaves.
#include <algorithm>
#include <array>

#include "controlplane/state/handlers.h"

namespace swarmdns::controlplane::handlers {
namespace {

constexpr std::size_t kHashBytes = 32;
constexpr std::array kCarried = {keys::kSwarm,    keys::kConfig,       keys::kMembers, keys::kTokens,
                                 keys::kRequests, keys::kRequestTimes, keys::kFences,  keys::kErasures};

Applied check_seam(const v1::Genesis& body) {
  if (body.previous_swarm_id() != body.swarm_id() || body.previous_incarnation() == 0 ||
      body.incarnation() != body.previous_incarnation() + 1)
    return refused("genesis.incarnation: a recovered swarm goes on as its own next incarnation");
  if (body.previous_height() == 0)
    return refused("genesis.previous_height: there was no block to go on from");
  if (body.carried_state().size() != kHashBytes || body.previous_block().size() != kHashBytes)
    return refused("genesis.carried_state, previous_block: not of 32 octets");
  const auto rises = [](const v1::CarriedValue& a, const v1::CarriedValue& b) { return a.key() >= b.key(); };
  if (std::ranges::adjacent_find(body.carried(), rises) != body.carried().end())
    return refused("genesis.carried: not in ascending order");
  for (const v1::CarriedValue& each : body.carried()) {
    if (std::ranges::none_of(kCarried,
                             [&](std::string_view prefix) { return each.key().starts_with(prefix); }))
      return refused("genesis.carried: a key that is not taken over");
  }
  return {};
}

template <typename Message>
bool parse(const v1::CarriedValue& from, Message& message) {
  return message.ParseFromString(from.value());
}

Applied carry_swarm(StateView& state, const v1::Genesis& body, const v1::CarriedValue& from) {
  v1::SwarmRecord before;
  if (!parse(from, before) || before.swarm_id() != body.swarm_id() || before.name() != body.name() ||
      before.incarnation() != body.previous_incarnation())
    return refused("genesis.carried: it is the state of another swarm");
  auto swarm = read<v1::SwarmRecord>(state, keys::kSwarm);
  swarm->set_version(before.version());
  swarm->set_next_member(before.next_member());
  swarm->set_fence_epoch(before.fence_epoch());
  write(state, std::string(keys::kSwarm), *swarm);
  return {};
}

Applied carry(StateView& state, const BlockPlace& place, const v1::Genesis& body,
              const v1::CarriedValue& from, std::uint64_t& erasures) {
  const auto unreadable = [] { return refused("genesis.carried: a value that cannot be read"); };
  const std::string_view key = from.key();
  if (key == keys::kSwarm) return carry_swarm(state, body, from);
  if (key == keys::kConfig) {
    v1::ConfigRecord config;
    if (!parse(from, config)) return unreadable();
    config.set_height(place.height);
    config.set_restores_height(0);
    config.set_follows(0);
    write(state, from.key(), config);
  } else if (key.starts_with(keys::kMembers)) {
    v1::MemberRecord member;
    if (!parse(from, member)) return unreadable();
    if (member.removed_height() == 0) {
      member.set_removed_height(place.height);
      member.set_removed_ms(place.time_ms);
      member.set_left_behind(body.previous_incarnation());
    }
    write(state, from.key(), member);
  } else if (key.starts_with(keys::kTokens)) {
    v1::TokenRecord token;
    if (!parse(from, token)) return unreadable();
    if (token.used_by() == 0) token.set_revoked(true);
    write(state, from.key(), token);
  } else if (key.starts_with(keys::kErasures)) {
    v1::ErasureRecord record;
    if (!parse(from, record)) return unreadable();
    record.mutable_erasure()->clear_leaves();
    if (record.erasure().places().empty() && record.erasure().name_tag().empty()) return {};
    record.set_height(place.height);
    // Where none of this chain can come to stand.
    write(state, keys::of(keys::kErasures, 0, erasures++), record);
  } else {
    state.put(from.key(), from.value());
  }
  return {};
}

}  // namespace

Applied carried_over(StateView& state, const BlockPlace& place, const v1::Genesis& body) {
  if (body.previous_incarnation() == 0 && body.carried().empty()) {
    if (body.incarnation() != 1) return refused("genesis.incarnation: a new swarm begins with 1");
    return {};
  }
  if (auto good = check_seam(body); !good) return good;
  if (std::ranges::none_of(body.carried(), [](const auto& each) { return each.key() == keys::kSwarm; }))
    return refused("genesis.carried: the record of the swarm is missing");
  std::uint64_t erasures = 0;
  for (const v1::CarriedValue& each : body.carried()) {
    if (auto done = carry(state, place, body, each, erasures); !done) return done;
  }
  return {};
}

}  // namespace swarmdns::controlplane::handlers
