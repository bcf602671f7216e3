// A SwarmControl that notes what it is asked and answers what a test wants. The test's thread and one of
// gRPC's take turns: a call has returned before its answer is looked at.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "controlplane/api/swarm_control.h"

namespace swarmdns::controlplane {

class FakeSwarm final : public SwarmControl {
 public:
  std::vector<std::string>
      asked;          // method and request, without the request's id: "set_role caller { ... } node: ..."
  v1::Caller caller;  // of the newest request that has one
  std::optional<Refusal>
      refusal;       // of everything; `view` and what tells of blocks excepted where `only` says so
  std::string only;  // the method that is refused; "" = all

  v1::InitSwarmResponse made;
  v1::IssueTokenResponse token;
  std::vector<v1::Progress> progress;
  v1::Committed committed;
  v1::TransferLeaderResponse transferred;
  v1::RecoverSwarmResponse recovered;
  v1::RotateAuthorityResponse rotated;
  v1::SwarmView view;
  v1::GetSwarmRequest viewed;  // the newest, as it is not in `asked`
  v1::ApplySwarmConfigResponse applied;
  v1::ListSwarmConfigsResponse configs;
  v1::ListBlocksResponse listed;
  v1::BlockView shown;
  v1::GetHistoryResponse past;
  v1::GetAtResponse standing;
  v1::DiffHeightsResponse difference;
  v1::ProveResponse proof;
  v1::GetCheckpointResponse newest;
  std::vector<v1::VerifyProgress> verified;
  v1::RollbackProgress plan;
  std::vector<v1::RollbackProgress> rollback;
  v1::EraseNameResponse erased;
  std::vector<v1::ExportPiece> pieces;

  // The newest request.
  std::string last() const { return asked.empty() ? "" : asked.back(); }
  bool was_asked(const std::string& method) const {
    for (const std::string& request : asked) {
      if (request.starts_with(method + " ")) return true;
    }
    return false;
  }

  Outcome<v1::InitSwarmResponse> init_swarm(const v1::InitSwarmRequest& request) override {
    return answer("init_swarm", request, made);
  }
  Outcome<v1::IssueTokenResponse> issue_token(const v1::IssueTokenRequest& request) override {
    return answer("issue_token", request, token);
  }
  Outcome<void> join_swarm(const v1::JoinSwarmRequest& request, const Take<v1::Progress>& take) override {
    return stream("join_swarm", request, progress, take);
  }
  Outcome<void> leave_swarm(const v1::LeaveSwarmRequest& request, const Take<v1::Progress>& take) override {
    return stream("leave_swarm", request, progress, take);
  }
  Outcome<v1::Committed> remove_member(const v1::RemoveMemberRequest& request) override {
    return answer("remove_member", request, committed);
  }
  Outcome<v1::Committed> set_role(const v1::SetRoleRequest& request) override {
    return answer("set_role", request, committed);
  }
  Outcome<v1::TransferLeaderResponse> transfer_leader(const v1::TransferLeaderRequest& request) override {
    return answer("transfer_leader", request, transferred);
  }
  Outcome<v1::RecoverSwarmResponse> recover_swarm(const v1::RecoverSwarmRequest& request) override {
    return answer("recover_swarm", request, recovered);
  }
  Outcome<v1::RotateAuthorityResponse> rotate_authority(const v1::RotateAuthorityRequest& request) override {
    return answer("rotate_authority", request, rotated);
  }
  Outcome<v1::SwarmView> swarm(const v1::GetSwarmRequest& request) override {
    viewed = request;
    return give("swarm", request, view);
  }
  Outcome<v1::Committed> change_settings(const v1::ChangeSettingsRequest& request) override {
    return answer("change_settings", request, committed);
  }
  Outcome<v1::ApplySwarmConfigResponse> apply_swarm_config(
      const v1::ApplySwarmConfigRequest& request) override {
    return answer("apply_swarm_config", request, applied);
  }
  Outcome<v1::ListSwarmConfigsResponse> swarm_configs(const v1::ListSwarmConfigsRequest& request) override {
    return give("swarm_configs", request, configs);
  }
  Outcome<v1::ApplySwarmConfigResponse> rollback_swarm_config(
      const v1::RollbackSwarmConfigRequest& request) override {
    return answer("rollback_swarm_config", request, applied);
  }
  Outcome<v1::ListBlocksResponse> blocks(const v1::ListBlocksRequest& request) override {
    return give("blocks", request, listed);
  }
  Outcome<v1::BlockView> block(const v1::ShowBlockRequest& request) override {
    return give("block", request, shown);
  }
  Outcome<v1::GetHistoryResponse> history(const v1::GetHistoryRequest& request) override {
    return answer("history", request, past);
  }
  Outcome<v1::GetAtResponse> at(const v1::GetAtRequest& request) override {
    return answer("at", request, standing);
  }
  Outcome<v1::DiffHeightsResponse> diff(const v1::DiffHeightsRequest& request) override {
    return answer("diff", request, difference);
  }
  Outcome<v1::ProveResponse> prove(const v1::ProveRequest& request) override {
    return answer("prove", request, proof);
  }
  Outcome<v1::GetCheckpointResponse> checkpoint(const v1::GetCheckpointRequest& request) override {
    return give("checkpoint", request, newest);
  }
  Outcome<void> verify_store(const v1::VerifyStoreRequest& request,
                             const Take<v1::VerifyProgress>& take) override {
    note("verify_store", request);
    return pass_on("verify_store", verified, take);
  }
  Outcome<void> rollback_cache(const v1::RollbackCacheRequest& request,
                               const Take<v1::RollbackProgress>& take) override {
    if (request.dry_run()) return stream("rollback_cache", request, std::vector{plan}, take);
    return stream("rollback_cache", request, rollback, take);
  }
  Outcome<v1::EraseNameResponse> erase_name(const v1::EraseNameRequest& request) override {
    return answer("erase_name", request, erased);
  }
  Outcome<void> export_ledger(const v1::ExportLedgerRequest& request,
                              const Take<v1::ExportPiece>& take) override {
    return stream("export_ledger", request, pieces, take);
  }

 private:
  template <typename Request>
  void note(const std::string& method, const Request& request) {
    asked.push_back(method + " " + request.ShortDebugString());
  }
  template <typename Request>
  void note_with_caller(const std::string& method, Request request) {
    caller = request.caller();
    request.mutable_caller()->clear_request_id();
    note(method, request);
  }
  bool refuses(const std::string& method) const { return refusal && (only.empty() || only == method); }

  template <typename Request, typename Response>
  Outcome<Response> give(const std::string& method, const Request& request, const Response& response) {
    note(method, request);
    if (refuses(method)) return std::unexpected(*refusal);
    return response;
  }
  template <typename Request, typename Response>
  Outcome<Response> answer(const std::string& method, const Request& request, const Response& response) {
    note_with_caller(method, request);
    if (refuses(method)) return std::unexpected(*refusal);
    return response;
  }
  template <typename Piece>
  Outcome<void> pass_on(const std::string& method, const std::vector<Piece>& all, const Take<Piece>& take) {
    for (const Piece& piece : all) {
      if (!take(piece)) break;
    }
    if (refuses(method)) return std::unexpected(*refusal);
    return {};
  }
  template <typename Request, typename Piece>
  Outcome<void> stream(const std::string& method, const Request& request, const std::vector<Piece>& all,
                       const Take<Piece>& take) {
    note_with_caller(method, request);
    return pass_on(method, all, take);
  }
};

}  // namespace swarmdns::controlplane
