// A log that several consumers share. What is proposed waits until commit(), or is committed at once with
// `at_once`; each node's view of who leads is set by lead().
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "controlplane/consensus/replicated_log.h"
#include "controlplane/core/reactor.h"

namespace swarmdns::controlplane {

class FakeLog {
 public:
  class Node;
  struct Entry {
    std::uint64_t index = 0;
    std::string data;
  };
  struct Change {
    char kind = ' ';  // a dd, r emove, v oter, s tand-by, h and over
    NodeId id = 0;
    bool operator==(const Change&) const = default;
  };

  explicit FakeLog(Reactor& reactor) : reactor_(reactor) {}

  // `consumer` may be null; again for a node that starts anew, which is then given all entries it lacks.
  Node& add(NodeId id, LogConsumer* consumer);
  Node& node(NodeId id) { return *nodes_.at(id); }
  // 0: nobody. Those who win and lose are told.
  void lead(NodeId id);
  // What was proposed up to now is committed, and applied by all nodes that are not held back.
  void commit();
  // It is lost; its makers hear of it.
  void lose(LogFault fault = LogFault::kLeadershipLost);
  std::size_t waiting() const { return waiting_.size(); }

  bool at_once = false;
  std::optional<LogFault> next_fault;         // of the next proposal
  std::optional<LogFault> next_change_fault;  // of the next change of members
  bool hold_changes = false;                  // changes stay under way until finish_change()
  void finish_change();
  std::vector<LogMember> members;
  std::vector<Change> changes;
  std::vector<Entry> entries;

 private:
  struct Waiting {
    std::string data;
    LogDone<std::uint64_t> done;
  };
  void change(Change what, LogDone<void> done, const std::function<void()>& apply);
  void tell_members();

  Reactor& reactor_;
  std::map<NodeId, std::shared_ptr<Node>> nodes_;
  std::deque<Waiting> waiting_;
  std::function<void()> changing_;
  NodeId leader_ = 0;
};

class FakeLog::Node final : public ReplicatedLog {
 public:
  Node(FakeLog& log, NodeId self) : log_(log), self_(self) {}

  void propose(std::string entry, LogDone<std::uint64_t> done) override {
    std::optional<LogFault> fault = std::exchange(log_.next_fault, std::nullopt);
    if (!is_leader()) fault = LogFault::kNotLeader;
    if (fault) {
      log_.reactor_.post([done, fault] { done(std::unexpected(*fault)); });
      return;
    }
    log_.waiting_.push_back({std::move(entry), std::move(done)});
    if (log_.at_once) log_.reactor_.post([&log = log_] { log.commit(); });
  }
  void read(LogDone<std::uint64_t> done) override {
    log_.reactor_.post([done, at = applied] { done(at); });
  }
  void add(NodeId id, std::string address, LogDone<void> done) override {
    log_.change({'a', id}, std::move(done), [this, id, address] {
      log_.members.push_back({id, address, LogRole::kSpare});
    });
  }
  void assign(NodeId id, LogRole role, LogDone<void> done) override {
    log_.change({role == LogRole::kVoter ? 'v' : 's', id}, std::move(done), [this, id, role] {
      for (LogMember& each : log_.members) {
        if (each.id == id) each.role = role;
      }
    });
  }
  void remove(NodeId id, LogDone<void> done) override {
    log_.change({'r', id}, std::move(done), [this, id] {
      std::erase_if(log_.members, [id](const LogMember& each) { return each.id == id; });
    });
  }
  void transfer(NodeId id, LogDone<void> done) override {
    log_.change({'h', id}, std::move(done), [] {});
  }
  LogStatus status() const override {
    LogStatus status;
    status.state = is_leader() ? LogState::kLeader : LogState::kFollower;
    status.leader = believed_leader.value_or(log_.leader_);
    status.members = log_.members;
    status.changing = log_.changing_ != nullptr;
    status.applied_index = applied;
    return status;
  }
  bool is_leader() const override { return log_.leader_ == self_; }
  void receive(NodeId, v1::PeerMessage) override { ++received; }
  void stop(std::function<void()> done) override { log_.reactor_.post(std::move(done)); }

  // Applies whatever it lacks.
  void catch_up() {
    while (!held && consumer != nullptr && applied < log_.entries.size()) {
      const Entry& entry = log_.entries[applied];
      if (!consumer->apply(entry.index, std::as_bytes(std::span(entry.data)))) return;
      ++applied;
    }
  }

  LogConsumer* consumer = nullptr;
  bool held = false;
  std::uint64_t applied = 0;
  std::size_t received = 0;
  std::optional<NodeId> believed_leader;

 private:
  FakeLog& log_;
  const NodeId self_;
};

inline FakeLog::Node& FakeLog::add(NodeId id, LogConsumer* consumer) {
  auto& node = nodes_[id];
  if (!node) node = std::make_shared<Node>(*this, id);
  node->consumer = consumer;
  node->applied = 0;
  return *node;
}

inline void FakeLog::lead(NodeId id) {
  const NodeId before = std::exchange(leader_, id);
  if (before == id) return;
  const auto tell = [this](NodeId node, bool leader) {
    const auto at = nodes_.find(node);
    if (at != nodes_.end() && at->second->consumer != nullptr) at->second->consumer->leadership(leader, 1);
  };
  tell(before, false);
  tell(id, true);
}

inline void FakeLog::commit() {
  while (!waiting_.empty()) {
    const Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    entries.push_back({entries.size() + 1, next.data});
    for (const auto& [id, node] : nodes_) node->catch_up();
    reactor_.post([done = next.done, index = entries.size()] { done(index); });
  }
}

inline void FakeLog::lose(LogFault fault) {
  for (const Waiting& each : std::exchange(waiting_, {}))
    reactor_.post([done = each.done, fault] { done(std::unexpected(fault)); });
}

inline void FakeLog::change(Change what, LogDone<void> done, const std::function<void()>& apply) {
  if (const auto fault = changing_ ? LogFault::kChanging : std::exchange(next_change_fault, std::nullopt)) {
    reactor_.post([done, fault] { done(std::unexpected(*fault)); });
    return;
  }
  changes.push_back(what);
  changing_ = [this, done, apply] {
    apply();
    tell_members();
    done({});
  };
  if (!hold_changes) reactor_.post([this] { finish_change(); });
}

inline void FakeLog::finish_change() {
  if (const auto finish = std::exchange(changing_, nullptr)) finish();
}

inline void FakeLog::tell_members() {
  for (const auto& [id, node] : nodes_) {
    if (node->consumer != nullptr) node->consumer->members(entries.size(), members);
  }
}

}  // namespace swarmdns::controlplane
