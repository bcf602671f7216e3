#include "controlplane/api/swarm_service.h"

#include <algorithm>

#include "controlplane/api/swarm_ask.h"

namespace swarmdns::controlplane {
namespace {

constexpr size_t kMaxReason = 500;
constexpr uint64_t kMinTokenLife = 60;
constexpr uint64_t kMaxTokenLife = 2592000;

bool has_control_characters(const std::string& text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

Outcome<v1::Caller> SwarmService::caller(const grpc::ServerContext& context,
                                         const v1::Caller& claimed) const {
  if (claimed.reason().size() > kMaxReason || has_control_characters(claimed.reason())) {
    return std::unexpected(
        Refusal{Refusal::Kind::kInvalid, "caller.reason: must be one line of at most 500 bytes"});
  }
  if (!claimed.request_id().empty() && claimed.request_id().size() != 16) {
    return std::unexpected(
        Refusal{Refusal::Kind::kInvalid, "caller.request_id: must have 16 bytes, or none"});
  }
  auto principal = callers_.principal(context.peer(), claimed.principal());
  if (!principal) return std::unexpected(principal.error());
  v1::Caller known = claimed;
  known.set_principal(std::move(*principal));
  return known;
}

grpc::Status SwarmService::InitSwarm(grpc::ServerContext* context, const v1::InitSwarmRequest* request,
                                     v1::InitSwarmResponse* response) {
  if (request->name().empty() || request->name().size() > 63 || has_control_characters(request->name())) {
    return invalid("name: must have 1 to 63 bytes of printable text");
  }
  return ask(*context, *request, response, &SwarmControl::init_swarm);
}

grpc::Status SwarmService::IssueToken(grpc::ServerContext* context, const v1::IssueTokenRequest* request,
                                      v1::IssueTokenResponse* response) {
  if (request->ttl_s() < kMinTokenLife || request->ttl_s() > kMaxTokenLife) {
    return invalid("ttl_s: must be 60 (a minute) to 2592000 (30 days)");
  }
  return ask(*context, *request, response, &SwarmControl::issue_token);
}

grpc::Status SwarmService::JoinSwarm(grpc::ServerContext* context, const v1::JoinSwarmRequest* request,
                                     grpc::ServerWriter<v1::Progress>* writer) {
  if (request->address().empty()) return invalid("address: is required, HOST:PORT of a member");
  if (request->token().empty()) return invalid("token: is required; a member gives one: swarm token");
  return stream(*context, *request, writer, &SwarmControl::join_swarm);
}

grpc::Status SwarmService::LeaveSwarm(grpc::ServerContext* context, const v1::LeaveSwarmRequest* request,
                                      grpc::ServerWriter<v1::Progress>* writer) {
  return stream(*context, *request, writer, &SwarmControl::leave_swarm);
}

grpc::Status SwarmService::RemoveMember(grpc::ServerContext* context, const v1::RemoveMemberRequest* request,
                                        v1::Committed* response) {
  if (request->node().empty()) return invalid("node: is required, a name or a number");
  return ask(*context, *request, response, &SwarmControl::remove_member);
}

grpc::Status SwarmService::SetRole(grpc::ServerContext* context, const v1::SetRoleRequest* request,
                                   v1::Committed* response) {
  if (request->node().empty()) return invalid("node: is required, a name or a number");
  return ask(*context, *request, response, &SwarmControl::set_role);
}

grpc::Status SwarmService::TransferLeader(grpc::ServerContext* context,
                                          const v1::TransferLeaderRequest* request,
                                          v1::TransferLeaderResponse* response) {
  return ask(*context, *request, response, &SwarmControl::transfer_leader);
}

grpc::Status SwarmService::RecoverSwarm(grpc::ServerContext* context, const v1::RecoverSwarmRequest* request,
                                        v1::RecoverSwarmResponse* response) {
  if (request->confirm().empty()) return invalid("confirm: is required, the swarm's name typed out");
  return ask(*context, *request, response, &SwarmControl::recover_swarm);
}

grpc::Status SwarmService::RotateAuthority(grpc::ServerContext* context,
                                           const v1::RotateAuthorityRequest* request,
                                           v1::RotateAuthorityResponse* response) {
  if (request->new_root() && request->root_key().empty()) {
    return invalid("root_key: is required with new_root; the root in force vouches for its successor");
  }
  return ask(*context, *request, response, &SwarmControl::rotate_authority);
}

grpc::Status SwarmService::GetSwarm(grpc::ServerContext*, const v1::GetSwarmRequest* request,
                                    v1::SwarmView* response) {
  return reply(swarm_.swarm(*request), response);
}

grpc::Status SwarmService::ChangeSettings(grpc::ServerContext* context,
                                          const v1::ChangeSettingsRequest* request, v1::Committed* response) {
  return ask(*context, *request, response, &SwarmControl::change_settings);
}

grpc::Status SwarmService::ApplySwarmConfig(grpc::ServerContext* context,
                                            const v1::ApplySwarmConfigRequest* request,
                                            v1::ApplySwarmConfigResponse* response) {
  return ask(*context, *request, response, &SwarmControl::apply_swarm_config);
}

grpc::Status SwarmService::ListSwarmConfigs(grpc::ServerContext*, const v1::ListSwarmConfigsRequest* request,
                                            v1::ListSwarmConfigsResponse* response) {
  return reply(swarm_.swarm_configs(*request), response);
}

grpc::Status SwarmService::RollbackSwarmConfig(grpc::ServerContext* context,
                                               const v1::RollbackSwarmConfigRequest* request,
                                               v1::ApplySwarmConfigResponse* response) {
  if ((request->to_height() == 0) == (request->to_ms() == 0)) {
    return invalid("to_height, to_ms: exactly one of them is required");
  }
  return ask(*context, *request, response, &SwarmControl::rollback_swarm_config);
}

}  // namespace swarmdns::controlplane
