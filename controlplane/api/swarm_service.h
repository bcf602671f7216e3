// The service SwarmAdmin of swarmdns/v1/swarm.proto over a SwarmControl: checks what can be checked without
// the swarm, and puts into each request who really asks. The swarm's part is in swarm_service.cc, the
// ledger's in ledger_service.cc.
#pragma once

#include "controlplane/api/callers.h"
#include "controlplane/api/swarm_control.h"
#include "swarmdns/v1/swarm.grpc.pb.h"

namespace swarmdns::controlplane {

class SwarmService final : public v1::SwarmAdmin::Service {
 public:
  // Both must outlive the service.
  SwarmService(SwarmControl& swarm, const Callers& callers) : swarm_(swarm), callers_(callers) {}

  grpc::Status InitSwarm(grpc::ServerContext*, const v1::InitSwarmRequest*, v1::InitSwarmResponse*) override;
  grpc::Status IssueToken(grpc::ServerContext*, const v1::IssueTokenRequest*,
                          v1::IssueTokenResponse*) override;
  grpc::Status JoinSwarm(grpc::ServerContext*, const v1::JoinSwarmRequest*,
                         grpc::ServerWriter<v1::Progress>*) override;
  grpc::Status LeaveSwarm(grpc::ServerContext*, const v1::LeaveSwarmRequest*,
                          grpc::ServerWriter<v1::Progress>*) override;
  grpc::Status RemoveMember(grpc::ServerContext*, const v1::RemoveMemberRequest*, v1::Committed*) override;
  grpc::Status SetRole(grpc::ServerContext*, const v1::SetRoleRequest*, v1::Committed*) override;
  grpc::Status TransferLeader(grpc::ServerContext*, const v1::TransferLeaderRequest*,
                              v1::TransferLeaderResponse*) override;
  grpc::Status RecoverSwarm(grpc::ServerContext*, const v1::RecoverSwarmRequest*,
                            v1::RecoverSwarmResponse*) override;
  grpc::Status RotateAuthority(grpc::ServerContext*, const v1::RotateAuthorityRequest*,
                               v1::RotateAuthorityResponse*) override;
  grpc::Status GetSwarm(grpc::ServerContext*, const v1::GetSwarmRequest*, v1::SwarmView*) override;
  grpc::Status ChangeSettings(grpc::ServerContext*, const v1::ChangeSettingsRequest*,
                              v1::Committed*) override;

  grpc::Status ApplySwarmConfig(grpc::ServerContext*, const v1::ApplySwarmConfigRequest*,
                                v1::ApplySwarmConfigResponse*) override;
  grpc::Status ListSwarmConfigs(grpc::ServerContext*, const v1::ListSwarmConfigsRequest*,
                                v1::ListSwarmConfigsResponse*) override;
  grpc::Status RollbackSwarmConfig(grpc::ServerContext*, const v1::RollbackSwarmConfigRequest*,
                                   v1::ApplySwarmConfigResponse*) override;

  grpc::Status ListBlocks(grpc::ServerContext*, const v1::ListBlocksRequest*,
                          v1::ListBlocksResponse*) override;
  grpc::Status ShowBlock(grpc::ServerContext*, const v1::ShowBlockRequest*, v1::BlockView*) override;
  grpc::Status GetHistory(grpc::ServerContext*, const v1::GetHistoryRequest*,
                          v1::GetHistoryResponse*) override;
  grpc::Status GetAt(grpc::ServerContext*, const v1::GetAtRequest*, v1::GetAtResponse*) override;
  grpc::Status DiffHeights(grpc::ServerContext*, const v1::DiffHeightsRequest*,
                           v1::DiffHeightsResponse*) override;
  grpc::Status Prove(grpc::ServerContext*, const v1::ProveRequest*, v1::ProveResponse*) override;
  grpc::Status GetCheckpoint(grpc::ServerContext*, const v1::GetCheckpointRequest*,
                             v1::GetCheckpointResponse*) override;
  grpc::Status VerifyStore(grpc::ServerContext*, const v1::VerifyStoreRequest*,
                           grpc::ServerWriter<v1::VerifyProgress>*) override;
  grpc::Status RollbackCache(grpc::ServerContext*, const v1::RollbackCacheRequest*,
                             grpc::ServerWriter<v1::RollbackProgress>*) override;
  grpc::Status EraseName(grpc::ServerContext*, const v1::EraseNameRequest*, v1::EraseNameResponse*) override;
  grpc::Status ExportLedger(grpc::ServerContext*, const v1::ExportLedgerRequest*,
                            grpc::ServerWriter<v1::ExportPiece>*) override;

 private:
  // The caller that goes into the request; its claims checked.
  Outcome<v1::Caller> caller(const grpc::ServerContext& context, const v1::Caller& claimed) const;

  // Passes a copy of the request on, with the caller as it is known here.
  template <typename Request, typename Response>
  grpc::Status ask(const grpc::ServerContext& context, const Request& request, Response* response,
                   Outcome<Response> (SwarmControl::*method)(const Request&)) const;
  template <typename Request, typename Piece>
  grpc::Status stream(grpc::ServerContext& context, const Request& request, grpc::ServerWriter<Piece>* writer,
                      Outcome<void> (SwarmControl::*method)(const Request&, const Take<Piece>&)) const;

  SwarmControl& swarm_;
  const Callers& callers_;
};

}  // namespace swarmdns::controlplane
