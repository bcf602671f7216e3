// Members as the replicated state lists them. Reactor thread.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/ledger/note.h"
#include "controlplane/state/state_view.h"
#include "swarmdns/v1/state.pb.h"

namespace swarmdns::controlplane {

// Those that have not been removed, by number.
std::vector<v1::MemberRecord> live_members(const StateView& state);
// All that ever were, by number.
std::vector<v1::MemberRecord> all_members(const StateView& state);
// By number; also one that was removed.
std::optional<v1::MemberRecord> member(const StateView& state, std::uint64_t id);
// As a person says it: a name, or a number. The error lists who there is.
std::expected<v1::MemberRecord, std::string> find_member(const StateView& state, std::string_view who);
// With a key of that public part, live.
std::optional<v1::MemberRecord> member_with_key(const StateView& state, std::string_view ledger_key);
// The keys of those that vote, as the state records the log's members.
std::vector<VerifierKey> voters_in(const StateView& state);

}  // namespace swarmdns::controlplane
