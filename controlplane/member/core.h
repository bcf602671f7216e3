// A member of a swarm: everything that decides, wired together on the reactor thread over the seams of
// controlplane/core. In production app/ hands in libuv, gRPC, RocksDB and the control socket; in tests/sim
// all of these are simulated, and many members live in one process.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "controlplane/chain/chain.h"
#include "controlplane/chain/cosigner.h"
#include "controlplane/chain/sequencer.h"
#include "controlplane/chain/submitter.h"
#include "controlplane/consensus/replicated_log.h"
#include "controlplane/core/peer_link.h"
#include "controlplane/core/reactor.h"
#include "controlplane/member/block_server.h"
#include "controlplane/member/follower.h"
#include "controlplane/member/fresh_read.h"
#include "controlplane/member/healer.h"
#include "controlplane/membership/log_keeper.h"
#include "controlplane/membership/roster.h"
#include "controlplane/membership/version_keeper.h"
#include "swarmdns/v1/identity.pb.h"

namespace swarmdns::controlplane {

// Fetches a leader's state and puts it in place of this node's own (member/state_fetcher.h).
class StateInstaller {
 public:
  using Done = std::function<void(std::expected<void, std::string>)>;
  virtual ~StateInstaller() = default;
  // From `from`, at least up to `manifest`. `done` after the store has been replaced.
  virtual void install(NodeId from, const v1::Manifest& manifest, Done done) = 0;
  virtual void cancel() = 0;
};

class MemberCore final : public LogConsumer {
 public:
  struct Options {
    NodeId self = 0;
    KeyPair keys;                                 // the ledger key
    std::vector<PeerAddress> first_peers;         // whom to speak with until the ledger says who there is
    std::uint64_t first_peers_height = 0;         // and has come to here, where they were all there was
    v1::Transaction genesis;                      // of a swarm that this node founds; none otherwise
    std::function<v1::NodeReport()> describe;     // this node, for its reports; the core adds what it knows
    std::function<void(const std::string&)> say;  // to the node's log
    std::function<void(const v1::SwarmSettings&)> settings_changed;  // may be empty
    std::function<void()> state_replaced;  // by a copy from a peer: no block said so; may be empty
    // What is to be known when the ledger is lost, whenever it changes; may be empty.
    std::function<void(const v1::KeptPeers&)> peers_changed;
  };
  struct Parts {
    Reactor& reactor;
    PeerLink& link;
    ChainStore& store;
    StateInstaller& installer;
  };

  // The error: what the store holds cannot be.
  static std::expected<std::unique_ptr<MemberCore>, std::string> open(Parts parts, Options options);
  ~MemberCore() override;

  // Once, before anything else. `log` is opened with this core as its consumer, and outlives it.
  void start(ReplicatedLog& log);

  // The link's handler goes through here.
  void receive(NodeId from, Channel channel, v1::PeerMessage message);
  // Messages that are not the core's own business (segments, warm-up, names, renewals ...).
  void on_other(std::function<void(NodeId, v1::PeerMessage)> handler) { other_ = std::move(handler); }

  Chain& chain() { return *chain_; }
  const Chain& chain() const { return *chain_; }
  Cosigner& cosigner() { return *cosigner_; }
  Submitter& submitter() { return *submitter_; }
  Roster& roster() { return *roster_; }
  Follower& follower() { return *follower_; }
  FreshRead& fresh() { return *fresh_; }
  const Healer& healer() const { return *healer_; }
  ReplicatedLog& log() { return *log_; }
  // The log as this node sees it: of one that follows, as the ledger and the others tell.
  LogStatus log_status() const;
  NodeId self() const { return options_.self; }
  bool leads() const { return leads_; }

  // --- LogConsumer ---
  std::expected<void, std::string> apply(std::uint64_t index, std::span<const std::byte> entry) override;
  std::expected<std::string, std::string> manifest() override;
  void manifest_kept(bool kept) override;
  void install(NodeId from, std::string manifest,
               std::function<void(std::expected<void, std::string>)> done) override;
  void cancel_install() override;
  std::expected<void, std::string> restore(std::string_view manifest) override;
  void leadership(bool leader, std::uint64_t term) override;
  void members(std::uint64_t index, const std::vector<LogMember>& members) override;

 private:
  MemberCore(Parts parts, Options options)
      : parts_(parts),
        options_(std::move(options)),
        watch_(parts.reactor),
        farewell_(parts.reactor),
        poster_(parts.reactor) {}

  std::expected<void, std::string> reopen();
  void applied(const AppliedBlock& block);
  void meet_members();
  void keep_peers();
  void watch_damage();
  void see_off(NodeId leaving);
  void found();
  void watch_leader();
  void fetch_state(NodeId from, const v1::Manifest& manifest, StateInstaller::Done done);
  void fetch_to_heal(NodeId from, std::uint64_t log_index, Healer::Fetched done);
  v1::NodeReport describe() const;

  Parts parts_;
  const Options options_;
  ReplicatedLog* log_ = nullptr;
  std::unique_ptr<Chain> chain_;
  std::unique_ptr<Sequencer> sequencer_;
  std::unique_ptr<Submitter> submitter_;
  std::unique_ptr<Cosigner> cosigner_;
  std::unique_ptr<Roster> roster_;
  std::unique_ptr<LogKeeper> keeper_;
  std::unique_ptr<VersionKeeper> versions_;
  std::unique_ptr<BlockServer> blocks_;
  std::unique_ptr<Follower> follower_;
  std::unique_ptr<FreshRead> fresh_;
  std::unique_ptr<Healer> healer_;
  std::function<void(NodeId, v1::PeerMessage)> other_;
  bool leads_ = false;
  bool log_installs_ = false;
  NodeId leader_ = 0;
  std::uint64_t founded_ms_ = 0;    // when the genesis was proposed last
  std::uint64_t hand_over_ms_ = 0;  // with a damaged ledger: not before
  std::set<NodeId> leaving_;        // spoken with for a moment more, though no members any longer
  Timer watch_;
  Timer farewell_;
  Poster poster_;
};

}  // namespace swarmdns::controlplane
