// One function for each kind of transaction; apply.cc chooses. Each looks first and changes the state only
// when nothing stands against it any more.
#pragma once

#include <optional>

#include "controlplane/state/apply.h"
#include "controlplane/state/keys.h"

namespace swarmdns::controlplane::handlers {

using Applied = std::expected<void, std::string>;

inline std::unexpected<std::string> refused(std::string why) {
  return std::unexpected(std::move(why));
}

// A member that has not been removed.
std::optional<v1::MemberRecord> live_member(const StateView& state, std::uint64_t id);

// foundation.cc
Applied genesis(StateView& state, const BlockPlace& place, const v1::Genesis& body);
Applied settings(StateView& state, const v1::SettingsChanged& body);
Applied certificates(StateView& state, const v1::CertificateRotation& body);
Applied version(StateView& state, const v1::VersionRaised& body);

// recovery.cc
// What a recovered swarm takes over of its earlier incarnation; the swarm's record is written already.
Applied carried_over(StateView& state, const BlockPlace& place, const v1::Genesis& body);

// members.cc
Applied token_issued(StateView& state, const BlockPlace& place, const v1::TokenIssued& body);
Applied token_revoked(StateView& state, const v1::TokenRevoked& body);
Applied member_added(StateView& state, const BlockPlace& place, const v1::MemberAdded& body);
Applied member_removed(StateView& state, const BlockPlace& place, const v1::MemberRemoved& body);
Applied member_changed(StateView& state, const v1::MemberChanged& body);
Applied log_members(StateView& state, const v1::LogMembers& body);
// The first member of a swarm, without a token.
Applied first_member(StateView& state, const BlockPlace& place, const v1::MemberAdded& body);

// configuration.cc
Applied config_changed(StateView& state, const BlockPlace& place, const v1::Transaction& transaction);
Applied config_outcome(StateView& state, const BlockPlace& place, const v1::ConfigOutcome& body);

// caches.cc
Applied segment_head(StateView& state, const BlockPlace& place, const v1::SegmentHead& body);
Applied fence(StateView& state, const BlockPlace& place, const v1::Transaction& transaction);
Applied fence_done(StateView& state, const BlockPlace& place, const v1::FenceDone& body);
Applied erasure(StateView& state, const BlockPlace& place, const v1::Erasure& body);

}  // namespace swarmdns::controlplane::handlers
