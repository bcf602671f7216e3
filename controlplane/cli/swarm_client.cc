#include "controlplane/cli/swarm_client.h"

#include "swarmdns/v1/swarm.grpc.pb.h"

namespace swarmdns::controlplane {
namespace {

using Stub = v1::SwarmAdmin::Stub;

// What waits for the whole swarm, or asks every node, has the longer deadline.
class SwarmClient final : public SwarmControl {
 public:
  explicit SwarmClient(std::shared_ptr<AdminChannel> channel)
      : channel_(std::move(channel)), stub_(v1::SwarmAdmin::NewStub(channel_->channel())) {}

  Outcome<v1::InitSwarmResponse> init_swarm(const v1::InitSwarmRequest& request) override {
    return call(&Stub::InitSwarm, request, AdminChannel::kSlowCallMs);
  }
  Outcome<v1::IssueTokenResponse> issue_token(const v1::IssueTokenRequest& request) override {
    return call(&Stub::IssueToken, request);
  }
  Outcome<v1::Committed> remove_member(const v1::RemoveMemberRequest& request) override {
    return call(&Stub::RemoveMember, request, AdminChannel::kSlowCallMs);
  }
  Outcome<v1::Committed> set_role(const v1::SetRoleRequest& request) override {
    return call(&Stub::SetRole, request, AdminChannel::kSlowCallMs);
  }
  Outcome<v1::TransferLeaderResponse> transfer_leader(const v1::TransferLeaderRequest& request) override {
    return call(&Stub::TransferLeader, request, AdminChannel::kSlowCallMs);
  }
  Outcome<v1::RecoverSwarmResponse> recover_swarm(const v1::RecoverSwarmRequest& request) override {
    return call(&Stub::RecoverSwarm, request, AdminChannel::kSlowCallMs);
  }
  Outcome<v1::RotateAuthorityResponse> rotate_authority(const v1::RotateAuthorityRequest& request) override {
    return call(&Stub::RotateAuthority, request, AdminChannel::kSlowCallMs);
  }
  Outcome<v1::SwarmView> swarm(const v1::GetSwarmRequest& request) override {
    return call(&Stub::GetSwarm, request);
  }
  Outcome<v1::Committed> change_settings(const v1::ChangeSettingsRequest& request) override {
    return call(&Stub::ChangeSettings, request, AdminChannel::kSlowCallMs);
  }
  Outcome<v1::ApplySwarmConfigResponse> apply_swarm_config(
      const v1::ApplySwarmConfigRequest& request) override {
    return call(&Stub::ApplySwarmConfig, request, AdminChannel::kSlowCallMs);
  }
  Outcome<v1::ListSwarmConfigsResponse> swarm_configs(const v1::ListSwarmConfigsRequest& request) override {
    return call(&Stub::ListSwarmConfigs, request);
  }
  Outcome<v1::ApplySwarmConfigResponse> rollback_swarm_config(
      const v1::RollbackSwarmConfigRequest& request) override {
    return call(&Stub::RollbackSwarmConfig, request, AdminChannel::kSlowCallMs);
  }
  Outcome<v1::ListBlocksResponse> blocks(const v1::ListBlocksRequest& request) override {
    return call(&Stub::ListBlocks, request);
  }
  Outcome<v1::BlockView> block(const v1::ShowBlockRequest& request) override {
    return call(&Stub::ShowBlock, request);
  }
  Outcome<v1::GetHistoryResponse> history(const v1::GetHistoryRequest& request) override {
    return call(&Stub::GetHistory, request, AdminChannel::kSlowCallMs);
  }
  Outcome<v1::GetAtResponse> at(const v1::GetAtRequest& request) override {
    return call(&Stub::GetAt, request, AdminChannel::kSlowCallMs);
  }
  Outcome<v1::DiffHeightsResponse> diff(const v1::DiffHeightsRequest& request) override {
    return call(&Stub::DiffHeights, request, AdminChannel::kSlowCallMs);
  }
  Outcome<v1::ProveResponse> prove(const v1::ProveRequest& request) override {
    return call(&Stub::Prove, request, AdminChannel::kSlowCallMs);
  }
  Outcome<v1::GetCheckpointResponse> checkpoint(const v1::GetCheckpointRequest& request) override {
    return call(&Stub::GetCheckpoint, request);
  }
  Outcome<v1::EraseNameResponse> erase_name(const v1::EraseNameRequest& request) override {
    return call(&Stub::EraseName, request, AdminChannel::kSlowCallMs);
  }
  Outcome<void> join_swarm(const v1::JoinSwarmRequest& request, const Take<v1::Progress>& take) override {
    return channel_->read<v1::Progress>(
        [&](grpc::ClientContext* context) { return stub_->JoinSwarm(context, request); }, take);
  }
  Outcome<void> leave_swarm(const v1::LeaveSwarmRequest& request, const Take<v1::Progress>& take) override {
    return channel_->read<v1::Progress>(
        [&](grpc::ClientContext* context) { return stub_->LeaveSwarm(context, request); }, take);
  }
  Outcome<void> verify_store(const v1::VerifyStoreRequest& request,
                             const Take<v1::VerifyProgress>& take) override {
    return channel_->read<v1::VerifyProgress>(
        [&](grpc::ClientContext* context) { return stub_->VerifyStore(context, request); }, take);
  }
  Outcome<void> rollback_cache(const v1::RollbackCacheRequest& request,
                               const Take<v1::RollbackProgress>& take) override {
    return channel_->read<v1::RollbackProgress>(
        [&](grpc::ClientContext* context) { return stub_->RollbackCache(context, request); }, take);
  }
  Outcome<void> export_ledger(const v1::ExportLedgerRequest& request,
                              const Take<v1::ExportPiece>& take) override {
    return channel_->read<v1::ExportPiece>(
        [&](grpc::ClientContext* context) { return stub_->ExportLedger(context, request); }, take);
  }

 private:
  template <typename Request, typename Response>
  Outcome<Response> call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                         const Request& request, int timeout_ms = AdminChannel::kCallMs) {
    return channel_->call(*stub_, method, request, timeout_ms);
  }

  std::shared_ptr<AdminChannel> channel_;
  std::unique_ptr<Stub> stub_;
};

}  // namespace

std::unique_ptr<SwarmControl> make_swarm_client(std::shared_ptr<AdminChannel> channel) {
  return std::make_unique<SwarmClient>(std::move(channel));
}

}  // namespace swarmdns::controlplane
