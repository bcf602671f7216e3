#include "controlplane/state/apply.h"

#include "controlplane/state/handlers.h"

namespace swarmdns::controlplane {
namespace {

using namespace handlers;

constexpr std::size_t kRequestIdBytes = 16;
constexpr std::size_t kPrincipalMost = 256;
constexpr std::size_t kReasonMost = 1024;

Applied check_envelope(const StateView& state, const v1::Transaction& transaction) {
  if (transaction.principal().size() > kPrincipalMost) return refused("principal: longer than 256 octets");
  if (transaction.reason().size() > kReasonMost)
    return refused("reason: longer than 1024 octets; say it shorter");
  const std::string& id = transaction.request_id();
  if (!id.empty() && id.size() != kRequestIdBytes) return refused("request_id: not of 16 octets");
  if (!id.empty()) {
    if (const auto done = read<v1::RequestRecord>(state, keys::of(keys::kRequests, id))) {
      return refused("this request was carried out already, in block " + std::to_string(done->height()));
    }
  }
  return {};
}

Applied check_version(const StateView& state, const v1::Transaction& transaction) {
  const auto swarm = read<v1::SwarmRecord>(state, keys::kSwarm);
  if (!swarm) return refused("the swarm has no genesis yet");
  if (transaction.version() < kOldestVersion || transaction.version() > swarm->version()) {
    return refused("it needs version " + std::to_string(transaction.version()) +
                   " of the swarm, which is at version " + std::to_string(swarm->version()) +
                   "; when every member has the newer program the swarm raises it by itself");
  }
  return {};
}

Applied dispatch(StateView& state, const BlockPlace& place, const v1::Transaction& transaction) {
  switch (transaction.body_case()) {
    case v1::Transaction::kGenesis:
      return genesis(state, place, transaction.genesis());
    case v1::Transaction::kTokenIssued:
      return token_issued(state, place, transaction.token_issued());
    case v1::Transaction::kTokenRevoked:
      return token_revoked(state, transaction.token_revoked());
    case v1::Transaction::kMemberAdded:
      return member_added(state, place, transaction.member_added());
    case v1::Transaction::kMemberRemoved:
      return member_removed(state, place, transaction.member_removed());
    case v1::Transaction::kMemberChanged:
      return member_changed(state, transaction.member_changed());
    case v1::Transaction::kSettingsChanged:
      return settings(state, transaction.settings_changed());
    case v1::Transaction::kCertificateRotation:
      return certificates(state, transaction.certificate_rotation());
    case v1::Transaction::kVersionRaised:
      return version(state, transaction.version_raised());
    case v1::Transaction::kConfigChanged:
      return config_changed(state, place, transaction);
    case v1::Transaction::kConfigOutcome:
      return config_outcome(state, place, transaction.config_outcome());
    case v1::Transaction::kSegmentHead:
      return segment_head(state, place, transaction.segment_head());
    case v1::Transaction::kFence:
      return fence(state, place, transaction);
    case v1::Transaction::kFenceDone:
      return fence_done(state, place, transaction.fence_done());
    case v1::Transaction::kErasure:
      return erasure(state, place, transaction.erasure());
    case v1::Transaction::kLogMembers:
      return log_members(state, transaction.log_members());
    case v1::Transaction::kNote:
      return {};  // it is its own effect
    case v1::Transaction::BODY_NOT_SET:
      break;
  }
  return refused("a kind of transaction that this version does not know");
}

}  // namespace

std::expected<void, std::string> apply_transaction(StateView& state, const BlockPlace& place,
                                                   const v1::Transaction& transaction) {
  if (place.signer != 0 && transaction.has_genesis()) return refused("a genesis stands in block 1 alone");
  if (place.signer == 0 && !transaction.has_genesis()) return refused("block 1 holds the genesis alone");
  if (auto good = check_envelope(state, transaction); !good) return good;
  if (place.signer != 0) {
    if (auto good = check_version(state, transaction); !good) return good;
  }
  if (auto done = dispatch(state, place, transaction); !done) return done;
  if (const std::string& id = transaction.request_id(); !id.empty()) {
    v1::RequestRecord record;
    record.set_height(place.height);
    record.set_leaf(place.leaf);
    record.set_time_ms(place.time_ms);
    write(state, keys::of(keys::kRequests, id), record);
    state.put(keys::of(keys::kRequestTimes, place.time_ms) + id, "");
  }
  return {};
}

}  // namespace swarmdns::controlplane
