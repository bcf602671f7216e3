// The log's members in C-raft's three forms: struct raft_configuration, the bytes of an entry of type
// RAFT_CHANGE, and LogServer of the wire.
#pragma once

#include <cstddef>
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "controlplane/consensus/raft_headers.h"
#include "controlplane/consensus/replicated_log.h"
#include "swarmdns/v1/peer.pb.h"

namespace swarmdns::controlplane {

inline constexpr std::size_t kMaxLogMembers = 64;
inline constexpr std::size_t kMaxMemberAddressBytes = 256;

int to_raft_role(LogRole role);
LogRole from_raft_role(int role);

std::vector<LogMember> to_members(const struct raft_configuration& configuration);
// Owned by the caller: raft_configuration_close(). Error: a sentence naming the member.
std::expected<struct raft_configuration, std::string> to_configuration(const std::vector<LogMember>& members);

void to_wire(const struct raft_configuration& configuration,
             google::protobuf::RepeatedPtrField<v1::LogServer>* servers);
std::expected<std::vector<LogMember>, std::string> from_wire(
    const google::protobuf::RepeatedPtrField<v1::LogServer>& servers);

// Whether raft_configuration_decode() may be given these bytes: it does not check where they end.
bool encoded_members_are_sound(std::span<const std::byte> encoded);

}  // namespace swarmdns::controlplane
