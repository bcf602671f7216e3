#include "controlplane/consensus/raft_members.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace swarmdns::controlplane {

namespace {

// Nothing wrong: "".
std::string problem_of(const std::vector<LogMember>& members) {
  if (members.empty()) return "no members";
  if (members.size() > kMaxLogMembers) return "more than " + std::to_string(kMaxLogMembers) + " members";
  for (std::size_t i = 0; i < members.size(); ++i) {
    const LogMember& member = members[i];
    const std::string who = "member " + std::to_string(member.id);
    if (member.id == 0) return "a member with number 0";
    if (member.address.empty() || member.address.size() > kMaxMemberAddressBytes ||
        member.address.find('\0') != std::string::npos)
      return who + " has an address that is empty, longer than 256 bytes or holds a zero";
    for (std::size_t j = 0; j < i; ++j) {
      if (members[j].id == member.id) return who + " is listed twice";
      if (members[j].address == member.address)
        return who + " has the address of member " + std::to_string(members[j].id);
    }
  }
  return "";
}

}  // namespace

int to_raft_role(LogRole role) {
  switch (role) {
    case LogRole::kVoter:
      return RAFT_VOTER;
    case LogRole::kStandBy:
      return RAFT_STANDBY;
    case LogRole::kSpare:
      break;
  }
  return RAFT_SPARE;
}

LogRole from_raft_role(int role) {
  if (role == RAFT_VOTER) return LogRole::kVoter;
  return role == RAFT_STANDBY ? LogRole::kStandBy : LogRole::kSpare;
}

std::vector<LogMember> to_members(const struct raft_configuration& configuration) {
  std::vector<LogMember> members;
  members.reserve(configuration.n);
  for (unsigned i = 0; i < configuration.n; ++i) {
    const struct raft_server& server = configuration.servers[i];
    members.push_back({.id = server.id, .address = server.address, .role = from_raft_role(server.role)});
  }
  return members;
}

std::expected<struct raft_configuration, std::string> to_configuration(
    const std::vector<LogMember>& members) {
  if (std::string problem = problem_of(members); !problem.empty()) return std::unexpected(std::move(problem));
  struct raft_configuration configuration;
  raft_configuration_init(&configuration);
  for (const LogMember& member : members) {
    const int status =
        raft_configuration_add(&configuration, member.id, member.address.c_str(), to_raft_role(member.role));
    if (status != 0) {
      raft_configuration_close(&configuration);
      return std::unexpected("member " + std::to_string(member.id) + ": " + raft_strerror(status));
    }
  }
  return configuration;
}

void to_wire(const struct raft_configuration& configuration,
             google::protobuf::RepeatedPtrField<v1::LogServer>* servers) {
  for (const LogMember& member : to_members(configuration)) {
    v1::LogServer* server = servers->Add();
    server->set_id(member.id);
    server->set_address(member.address);
    server->set_role(static_cast<std::uint32_t>(member.role));
  }
}

std::expected<std::vector<LogMember>, std::string> from_wire(
    const google::protobuf::RepeatedPtrField<v1::LogServer>& servers) {
  std::vector<LogMember> members;
  for (const v1::LogServer& server : servers) {
    if (server.role() > static_cast<std::uint32_t>(LogRole::kSpare))
      return std::unexpected("member " + std::to_string(server.id()) + " has no known role");
    members.push_back(
        {.id = server.id(), .address = server.address(), .role = static_cast<LogRole>(server.role())});
  }
  if (std::string problem = problem_of(members); !problem.empty()) return std::unexpected(std::move(problem));
  return members;
}

// C-raft's format: a byte 1, the count (8 bytes, little endian), and for each server its number (8 bytes),
// its address ended by a zero, its role (a byte); zeros up to a multiple of 8.
bool encoded_members_are_sound(std::span<const std::byte> encoded) {
  if (encoded.size() % 8 != 0 || encoded.size() < 16 || encoded[0] != std::byte{1}) return false;
  std::size_t at = 1;
  const auto number = [&] {
    std::uint64_t value = 0;
    std::memcpy(&value, encoded.data() + at, 8);
    at += 8;
    return value;
  };
  const std::uint64_t count = number();
  if (count == 0 || count > kMaxLogMembers) return false;
  std::vector<LogMember> members;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (encoded.size() - at < 8) return false;
    LogMember member{.id = number()};
    const auto rest = encoded.subspan(at);
    const auto end = std::ranges::find(rest, std::byte{0});
    if (end == rest.end() || end + 1 == rest.end()) return false;
    const auto length = static_cast<std::size_t>(end - rest.begin());
    member.address.assign(reinterpret_cast<const char*>(rest.data()), length);
    if (rest[length + 1] > std::byte{RAFT_SPARE}) return false;
    at += length + 2;
    members.push_back(std::move(member));
  }
  return problem_of(members).empty();
}

}  // namespace swarmdns::controlplane
