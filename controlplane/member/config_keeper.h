// The swarm's configuration on this node: put in force here whenever the ledger has a newer one, and what
// became of that told to the ledger. And the question whether a new one would do, asked of all members and
// answered to them. What touches the node's configuration runs off the reactor thread; the rest on it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "controlplane/core/peer_link.h"
#include "controlplane/core/reactor.h"
#include "controlplane/member/config_port.h"
#include "controlplane/member/core.h"

namespace swarmdns::controlplane {

struct ConfigVerdict {
  enum class Kind : std::uint8_t { kSilent, kAccepts, kRefuses };
  NodeId node = 0;
  Kind kind = Kind::kSilent;
  std::vector<std::string> problems;
};

// Why a configuration with these verdicts is not proposed: no majority of the voters accepts it. "" = it is.
std::string missing_majority(const std::vector<ConfigVerdict>& verdicts, const std::vector<NodeId>& voters);

class ConfigKeeper {
 public:
  using Checked = std::function<void(std::vector<ConfigVerdict>)>;

  // All outlive it.
  ConfigKeeper(Reactor& reactor, PeerLink& link, MemberCore& core, ConfigPort& port,
               std::function<void(const std::string&)> say);

  void start();
  // The state has changed.
  void state_changed() { look(); }

  // Of this keeper's business; false: of another's.
  bool receive(NodeId from, const v1::PeerMessage& message);

  // Asks every member, this one too. `done` once, with a verdict for each in the order of their numbers, when
  // all have answered or patience is over.
  void check(const std::string& document, const std::string& file, Checked done);

  // In force here, and why a newer one is not ("" = there is none).
  std::uint64_t height() const { return in_force_.height(); }
  const std::string& problem() const { return problem_; }
  void describe(v1::NodeReport& report) const;

 private:
  struct Check {
    std::map<NodeId, ConfigVerdict> verdicts;
    std::set<NodeId> awaited;
    Checked done;
    std::unique_ptr<Timer> patience;
  };

  void look();
  void carried_out(const v1::KeptConfig& wanted, const std::vector<std::string>& problems);
  void tell_outcome();
  void judge(v1::KeptConfig config, const std::string& file,
             std::function<void(std::vector<std::string>)> done);
  void answer(NodeId to, std::uint64_t request, const v1::ConfigCheckRequest& question);
  void settle(std::uint64_t number, NodeId node, bool accepted, std::vector<std::string> problems);
  void finish(std::uint64_t number);

  Reactor& reactor_;
  PeerLink& link_;
  MemberCore& core_;
  ConfigPort& port_;
  const std::function<void(const std::string&)> say_;
  v1::KeptConfig in_force_;
  v1::KeptConfig refused_;  // the one that this node could not carry out last
  std::string problem_;
  std::uint64_t pause_ms_ = 0;  // until it is tried again
  bool busy_ = false;           // carrying one out
  bool telling_ = false;        // an outcome is on its way
  std::size_t judging_ = 0;
  std::uint64_t last_number_ = 0;
  std::map<std::uint64_t, Check> checks_;
  Timer timer_;
  Timer again_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace swarmdns::controlplane
