// The swarm's side of a node: in no swarm, or a running member of one; and what the admin API asks of it.
// Calls come from gRPC's threads, several at once, and wait for the reactor thread's answer.
//
//   swarm_host.cc      opening and closing the membership
//   swarm_founding.cc  init, join, leave
//   swarm_members.cc   tokens, members, settings, what `swarmctl nodes` shows
//   swarm_ledger.cc    blocks, checkpoints, proofs
//   swarm_caches.cc    history of names, going back
//   swarm_erasing.cc   destroying what is known of a name; copies of the ledger
//   swarm_forensics.cc what a mutation's proof, a time, two heights show
//   swarm_recovery.cc  a quorum lost for good
//   swarm_config.cc    the configuration that all nodes agree on
//   swarm_authority.cc the change of the certification authority
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>

#include "controlplane/api/swarm_control.h"
#include "controlplane/app/life_cycle.h"
#include "controlplane/app/log.h"
#include "controlplane/dataplane_link/link.h"
#include "controlplane/member/member.h"
#include "controlplane/swarm/fences.h"

namespace swarmdns::controlplane {

// A configuration as a block has it.
struct HeldConfig {
  v1::SwarmConfigVersion version;
  std::uint64_t follows = 0;  // height of the one before
};

class SwarmHost final : public SwarmControl {
 public:
  // `config`: the node's, with defaults; `port`: for the swarm to put its own on top. All outlive it.
  SwarmHost(std::function<v1::Config()> config, ConfigPort& port, LifePort& life, Log& log);
  ~SwarmHost() override;

  // Opens the membership that the state directory holds. What is wrong is logged and shown; the node goes on
  // without.
  void start();
  void stop();
  // A dump was loaded into the data plane: the fences are carried out once more.
  void cache_loaded();

  Outcome<v1::InitSwarmResponse> init_swarm(const v1::InitSwarmRequest& request) override;
  Outcome<v1::IssueTokenResponse> issue_token(const v1::IssueTokenRequest& request) override;
  Outcome<void> join_swarm(const v1::JoinSwarmRequest& request, const Take<v1::Progress>& take) override;
  Outcome<void> leave_swarm(const v1::LeaveSwarmRequest& request, const Take<v1::Progress>& take) override;
  Outcome<v1::Committed> remove_member(const v1::RemoveMemberRequest& request) override;
  Outcome<v1::Committed> set_role(const v1::SetRoleRequest& request) override;
  Outcome<v1::TransferLeaderResponse> transfer_leader(const v1::TransferLeaderRequest& request) override;
  Outcome<v1::RecoverSwarmResponse> recover_swarm(const v1::RecoverSwarmRequest& request) override;
  Outcome<v1::RotateAuthorityResponse> rotate_authority(const v1::RotateAuthorityRequest& request) override;
  Outcome<v1::SwarmView> swarm(const v1::GetSwarmRequest& request) override;
  Outcome<v1::Committed> change_settings(const v1::ChangeSettingsRequest& request) override;
  Outcome<v1::ApplySwarmConfigResponse> apply_swarm_config(
      const v1::ApplySwarmConfigRequest& request) override;
  Outcome<v1::ListSwarmConfigsResponse> swarm_configs(const v1::ListSwarmConfigsRequest& request) override;
  Outcome<v1::ApplySwarmConfigResponse> rollback_swarm_config(
      const v1::RollbackSwarmConfigRequest& request) override;
  Outcome<v1::ListBlocksResponse> blocks(const v1::ListBlocksRequest& request) override;
  Outcome<v1::BlockView> block(const v1::ShowBlockRequest& request) override;
  Outcome<v1::GetHistoryResponse> history(const v1::GetHistoryRequest& request) override;
  Outcome<v1::GetAtResponse> at(const v1::GetAtRequest& request) override;
  Outcome<v1::DiffHeightsResponse> diff(const v1::DiffHeightsRequest& request) override;
  Outcome<v1::ProveResponse> prove(const v1::ProveRequest& request) override;
  Outcome<v1::GetCheckpointResponse> checkpoint(const v1::GetCheckpointRequest& request) override;
  Outcome<void> verify_store(const v1::VerifyStoreRequest& request,
                             const Take<v1::VerifyProgress>& take) override;
  Outcome<void> rollback_cache(const v1::RollbackCacheRequest& request,
                               const Take<v1::RollbackProgress>& take) override;
  Outcome<v1::EraseNameResponse> erase_name(const v1::EraseNameRequest& request) override;
  Outcome<void> export_ledger(const v1::ExportLedgerRequest& request,
                              const Take<v1::ExportPiece>& take) override;

 private:
  // A call holds it as long as it needs the membership; founding and leaving wait for all calls to end.
  using Held = std::shared_lock<std::shared_mutex>;

  std::expected<void, std::string> open(const IdentityFiles& files, Identity identity);
  // The ledger of an earlier incarnation that this node has kept, and the seam to the one in force.
  Outcome<void> verify_kept(std::uint32_t incarnation, const Take<v1::VerifyProgress>& take);
  // After leaving: what the node has of the swarm goes.
  Outcome<void> forget_membership(const Take<v1::Progress>& take);
  // What the state directory holds; membership_ is held.
  void open_own();
  // The listening address as the configuration has it, and what others are told. Refused: the field is not
  // set.
  Outcome<std::pair<std::string, std::string>> addresses(const v1::Config& config) const;
  Outcome<void> require_member() const;
  Outcome<void> require_none() const;
  // Waits until a condition holds on the reactor thread; false: it did not in time.
  bool wait_until(const std::function<bool()>& holds, std::uint64_t patience_ms);
  v1::NodeReport describe() const;
  void poll_dataplane();
  void tell_life();

  // Has it ordered, and waits for the verdict.
  Outcome<v1::Committed> commit(v1::Transaction transaction, const v1::Caller& caller);
  // With a value made on the reactor thread.
  template <typename T>
  T on_reactor(const std::function<T()>& make) {
    T value{};
    member_->run([&] { value = make(); });
    return value;
  }
  Outcome<v1::MemberRecord> member_named(const std::string& who);
  std::string trust_file_text();
  v1::SwarmNode node_view(const v1::MemberRecord& record, const LogStatus& log) const;
  Outcome<v1::BlockView> view_of(std::uint64_t height, bool with_transactions);
  Outcome<std::vector<ReachedThen>> reached_at(std::uint64_t height);
  void follow_fence(v1::RollbackProgress progress, const Take<v1::RollbackProgress>& take);
  // What all nodes know of a name.
  struct NameKnowledge {
    std::vector<v1::NameMutation> mutations;  // each once, by node, segment and position
    std::vector<std::string> silent;          // nodes that did not answer
    bool more = false;                        // one of them had more than fits
  };
  Outcome<NameKnowledge> ask_all(const v1::NameQuery& query);
  // Reactor thread.
  static v1::MutationView mutation_view(const StateView& state, const v1::NameMutation& mutation);
  Outcome<v1::ProveResponse> prove_of_mutation(const v1::ProveMutation& mutation);

  struct ConfigHistory {
    std::vector<v1::SwarmConfigVersion> versions;  // newest first
    std::uint64_t newest = 0;                      // its height; 0 = there is none
    bool complete = false;                         // up to the first there was
  };
  std::optional<HeldConfig> config_in_block(std::uint64_t height) const;
  ConfigHistory config_history(std::size_t limit);
  std::vector<ConfigVerdict> ask_about(const std::string& document, const std::string& file);
  Outcome<v1::ApplySwarmConfigResponse> agree_on(v1::ConfigChanged change, const std::string& file,
                                                 bool only_ask, const v1::Caller& caller);
  void follow_config(v1::ApplySwarmConfigResponse& response);

  const std::function<v1::Config()> config_;
  ConfigPort& port_;
  LifePort& life_;
  Log& log_;
  mutable std::shared_mutex membership_;
  std::unique_ptr<Member> member_;
  std::string trouble_;  // why there is no membership though there should be

  mutable std::mutex report_mutex_;
  v1::NodeReport report_;  // what does not come from the member itself
  std::mutex poll_mutex_;
  std::condition_variable_any poll_wake_;
  std::jthread poller_;
};

}  // namespace swarmdns::controlplane
