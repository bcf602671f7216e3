// What can be asked of the swarm through a node: implemented by the node (app/) and, over the admin socket,
// by swarmctl's client (cli/). As node_control.h: any of gRPC's threads, several at once; a call blocks until
// it is answered.
#pragma once

#include <functional>
#include <string>

#include "controlplane/api/node_control.h"
#include "swarmdns/v1/swarm.pb.h"

namespace swarmdns::controlplane {

// Takes one piece of a stream; false: the reader is gone.
template <typename T>
using Take = std::function<bool(const T&)>;

class SwarmControl {
 public:
  virtual ~SwarmControl() = default;

  virtual Outcome<v1::InitSwarmResponse> init_swarm(const v1::InitSwarmRequest& request) = 0;
  virtual Outcome<v1::IssueTokenResponse> issue_token(const v1::IssueTokenRequest& request) = 0;
  virtual Outcome<void> join_swarm(const v1::JoinSwarmRequest& request, const Take<v1::Progress>& take) = 0;
  virtual Outcome<void> leave_swarm(const v1::LeaveSwarmRequest& request, const Take<v1::Progress>& take) = 0;
  virtual Outcome<v1::Committed> remove_member(const v1::RemoveMemberRequest& request) = 0;
  virtual Outcome<v1::Committed> set_role(const v1::SetRoleRequest& request) = 0;
  virtual Outcome<v1::TransferLeaderResponse> transfer_leader(const v1::TransferLeaderRequest& request) = 0;
  virtual Outcome<v1::RecoverSwarmResponse> recover_swarm(const v1::RecoverSwarmRequest& request) = 0;
  virtual Outcome<v1::RotateAuthorityResponse> rotate_authority(
      const v1::RotateAuthorityRequest& request) = 0;
  virtual Outcome<v1::SwarmView> swarm(const v1::GetSwarmRequest& request) = 0;
  virtual Outcome<v1::Committed> change_settings(const v1::ChangeSettingsRequest& request) = 0;

  virtual Outcome<v1::ApplySwarmConfigResponse> apply_swarm_config(
      const v1::ApplySwarmConfigRequest& request) = 0;
  virtual Outcome<v1::ListSwarmConfigsResponse> swarm_configs(const v1::ListSwarmConfigsRequest& request) = 0;
  virtual Outcome<v1::ApplySwarmConfigResponse> rollback_swarm_config(
      const v1::RollbackSwarmConfigRequest& request) = 0;

  virtual Outcome<v1::ListBlocksResponse> blocks(const v1::ListBlocksRequest& request) = 0;
  virtual Outcome<v1::BlockView> block(const v1::ShowBlockRequest& request) = 0;
  virtual Outcome<v1::GetHistoryResponse> history(const v1::GetHistoryRequest& request) = 0;
  virtual Outcome<v1::GetAtResponse> at(const v1::GetAtRequest& request) = 0;
  virtual Outcome<v1::DiffHeightsResponse> diff(const v1::DiffHeightsRequest& request) = 0;
  virtual Outcome<v1::ProveResponse> prove(const v1::ProveRequest& request) = 0;
  virtual Outcome<v1::GetCheckpointResponse> checkpoint(const v1::GetCheckpointRequest& request) = 0;
  virtual Outcome<void> verify_store(const v1::VerifyStoreRequest& request,
                                     const Take<v1::VerifyProgress>& take) = 0;
  virtual Outcome<void> rollback_cache(const v1::RollbackCacheRequest& request,
                                       const Take<v1::RollbackProgress>& take) = 0;
  virtual Outcome<v1::EraseNameResponse> erase_name(const v1::EraseNameRequest& request) = 0;
  virtual Outcome<void> export_ledger(const v1::ExportLedgerRequest& request,
                                      const Take<v1::ExportPiece>& take) = 0;
};

}  // namespace swarmdns::controlplane
