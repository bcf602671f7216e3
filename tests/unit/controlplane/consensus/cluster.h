// Several engines with real logs on disk in one process, on one reactor, with a network of function calls.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "controlplane/consensus/engine.h"
#include "controlplane/consensus/uv_log_store.h"
#include "controlplane/consensus/uv_reactor.h"

namespace swarmdns::controlplane::test {

class MemoryNetwork {
 public:
  explicit MemoryNetwork(Reactor& reactor) : reactor_(reactor) {}

  class Link final : public PeerLink {
   public:
    Link(MemoryNetwork& network, NodeId self) : network_(network), self_(self) {}
    void on_message(Handler handler) override { network_.handlers_[self_] = std::move(handler); }
    void set_peers(std::vector<PeerAddress>) override {}
    bool send(NodeId to, Channel channel, v1::PeerMessage message) override {
      return network_.send(self_, to, channel, std::move(message));
    }
    std::size_t queued_bytes(NodeId, Channel) const override { return 0; }
    bool connected(NodeId to) const override { return network_.handlers_.contains(to); }

   private:
    MemoryNetwork& network_;
    NodeId self_;
  };

  void forget(NodeId node) { handlers_.erase(node); }
  // Both ways.
  void cut(NodeId node, bool off) {
    if (off)
      cut_.insert(node);
    else
      cut_.erase(node);
  }
  std::uint64_t installs = 0;  // InstallSnapshot messages sent

 private:
  bool send(NodeId from, NodeId to, Channel channel, v1::PeerMessage message) {
    if (message.raft().has_install_snapshot()) ++installs;
    // Through its serialised form, as on a wire.
    reactor_.post([this, from, to, channel, octets = message.SerializeAsString()] {
      const auto handler = handlers_.find(to);
      if (handler == handlers_.end() || cut_.contains(from) || cut_.contains(to)) return;
      v1::PeerMessage arrived;
      ASSERT_TRUE(arrived.ParseFromString(octets));
      handler->second(from, channel, std::move(arrived));
    });
    return true;
  }

  Reactor& reactor_;
  std::map<NodeId, PeerLink::Handler> handlers_;
  std::set<NodeId> cut_;
};

// Remembers all entries; its memory stands for a store on disk: it outlives the engine.
class Recorder final : public LogConsumer {
 public:
  struct State {
    std::vector<std::pair<std::uint64_t, std::string>> entries;
    bool operator==(const State&) const = default;
  };
  using Depot = std::map<std::string, State>;

  Recorder(Reactor& reactor, Depot& depot) : reactor_(reactor), depot_(depot) {}

  std::expected<void, std::string> apply(std::uint64_t index, std::span<const std::byte> entry) override {
    if (failing) return std::unexpected("the test says no");
    if (installing) ADD_FAILURE() << "applied during an installation";
    if (!state.entries.empty() && index <= state.entries.back().first) return {};
    state.entries.emplace_back(index, std::string(reinterpret_cast<const char*>(entry.data()), entry.size()));
    return {};
  }
  std::expected<std::string, std::string> manifest() override {
    const std::string name = "state up to " + std::to_string(last());
    depot_[name] = state;
    return name;
  }
  void manifest_kept(bool kept) override { manifests_kept += kept ? 1 : 0; }
  void install(NodeId, std::string manifest,
               std::function<void(std::expected<void, std::string>)> done) override {
    installing = true;
    reactor_.after(install_ms, [this, manifest, done] {
      if (!std::exchange(installing, false)) return;  // cancelled
      if (failed_installs > 0) {
        --failed_installs;
        done(std::unexpected("the peer went away"));
        return;
      }
      if (depot_.at(manifest).entries.size() > state.entries.size()) state = depot_.at(manifest);
      ++installed;
      done({});
    });
  }
  void cancel_install() override { installing = false; }
  std::expected<void, std::string> restore(std::string_view manifest) override {
    const State& named = depot_.at(std::string(manifest));
    if (named.entries.size() > state.entries.size())
      return std::unexpected("the state is behind its manifest");
    ++restored;
    return {};
  }
  void leadership(bool leader, std::uint64_t) override { leading = leader; }
  void members(std::uint64_t, const std::vector<LogMember>& now) override { told = now; }

  std::uint64_t last() const { return state.entries.empty() ? 0 : state.entries.back().first; }

  State state;
  bool failing = false;
  bool installing = false;
  bool leading = false;
  std::uint64_t install_ms = 20;
  int failed_installs = 0;
  int installed = 0;
  int restored = 0;
  int manifests_kept = 0;
  std::vector<LogMember> told;

 private:
  Reactor& reactor_;
  Depot& depot_;
};

inline std::filesystem::path make_temporary_directory() {
  std::string name = (std::filesystem::temp_directory_path() / "swarmdns-log-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) std::abort();
  return name;
}

class Cluster {
 public:
  struct Node {
    std::unique_ptr<MemoryNetwork::Link> link;
    std::unique_ptr<Recorder> recorder;
    std::unique_ptr<UvLogStore> store;
    std::unique_ptr<Engine> engine;  // none: switched off
  };

  Cluster() : directory(make_temporary_directory()), network(reactor) {}
  ~Cluster() {
    for (auto& [id, node] : nodes) stop(id);
    reactor.stop();
    std::filesystem::remove_all(directory);
  }

  std::filesystem::path log_of(NodeId id) const { return directory / std::to_string(id); }
  static std::string address(NodeId id) { return "node" + std::to_string(id) + ":8453"; }

  void bootstrap(NodeId id) {
    const auto made = bootstrap_log(log_of(id), {{id, address(id), LogRole::kVoter}});
    ASSERT_TRUE(made) << made.error();
  }

  void start(NodeId id) {
    reactor.run([&] {
      Node& node = nodes[id];
      if (!node.recorder) node.recorder = std::make_unique<Recorder>(reactor, depot);
      node.link = std::make_unique<MemoryNetwork::Link>(network, id);
      node.store = std::make_unique<UvLogStore>(
          reactor, UvLogStoreOptions{.directory = log_of(id),
                                     .disk_retry_ms = 100,
                                     .say = [this](const std::string& note) { said.push_back(note); }});
      EngineOptions own = options;
      own.id = id;
      own.address = address(id);
      node.engine = std::make_unique<Engine>(reactor, *node.link, *node.store, *node.recorder, own);
      node.link->on_message([engine = node.engine.get()](NodeId from, Channel, v1::PeerMessage message) {
        engine->receive(from, std::move(message));
      });
      node.engine->start();
    });
  }

  void stop(NodeId id) {
    std::atomic<bool> stopped = false;
    bool running = false;
    reactor.run([&] {
      network.forget(id);
      running = nodes[id].engine != nullptr;
      if (running) nodes[id].engine->stop([&] { stopped = true; });
    });
    if (!running) return;
    EXPECT_TRUE(wait_for([&] { return stopped.load(); }));
    reactor.run([&] {
      nodes[id].engine.reset();
      nodes[id].store.reset();
      nodes[id].link.reset();
    });
  }

  // `condition` on the reactor thread, until it holds or a minute is over.
  bool wait_for(const std::function<bool()>& condition, int seconds = 60) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
    for (;;) {
      bool holds = false;
      reactor.run([&] { holds = condition(); });
      if (holds) return true;
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }

  // 0: none.
  NodeId leader() {
    NodeId found = 0;
    wait_for([&] {
      for (auto& [id, node] : nodes)
        if (node.engine && node.recorder->leading && node.engine->is_leader()) found = id;
      return found != 0;
    });
    return found;
  }

  std::expected<std::uint64_t, LogFault> propose(NodeId id, std::string entry) {
    return wait_done<std::uint64_t>(
        [&](LogDone<std::uint64_t> done) { nodes[id].engine->propose(std::move(entry), std::move(done)); });
  }
  // Until somebody takes it.
  std::uint64_t propose_anywhere(const std::string& entry) {
    for (int i = 0; i < 1000; ++i) {
      const NodeId id = leader();
      if (id == 0) break;
      if (const auto done = propose(id, entry)) return *done;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ADD_FAILURE() << "nobody takes an entry";
    return 0;
  }
  std::expected<std::uint64_t, LogFault> read(NodeId id) {
    return wait_done<std::uint64_t>(
        [&](LogDone<std::uint64_t> done) { nodes[id].engine->read(std::move(done)); });
  }
  std::expected<void, LogFault> add(NodeId to) {
    return wait_done<void>(
        [&, id = leader()](LogDone<void> done) { nodes[id].engine->add(to, address(to), std::move(done)); });
  }
  std::expected<void, LogFault> assign(NodeId member, LogRole role) {
    return wait_done<void>(
        [&, id = leader()](LogDone<void> done) { nodes[id].engine->assign(member, role, std::move(done)); });
  }
  std::expected<void, LogFault> remove(NodeId member) {
    return wait_done<void>(
        [&, id = leader()](LogDone<void> done) { nodes[id].engine->remove(member, std::move(done)); });
  }
  std::expected<void, LogFault> transfer(NodeId member) {
    return wait_done<void>(
        [&, id = leader()](LogDone<void> done) { nodes[id].engine->transfer(member, std::move(done)); });
  }
  LogStatus status(NodeId id) {
    LogStatus status;
    reactor.run([&] { status = nodes[id].engine->status(); });
    return status;
  }

  // Reactor thread.
  std::string status_text(NodeId id) { return nodes[id].engine->status().trouble; }

  // Node 1 alone, then the others as voters.
  void grow_to(NodeId count) {
    bootstrap(1);
    start(1);
    for (NodeId id = 2; id <= count; ++id) {
      start(id);
      ASSERT_TRUE(add(id));
      ASSERT_TRUE(assign(id, LogRole::kStandBy));
      ASSERT_TRUE(assign(id, LogRole::kVoter));
    }
  }

  // All that run have applied what the leader has, and the same.
  bool all_equal() {
    return wait_for([&] {
      const Recorder::State* first = nullptr;
      for (auto& [id, node] : nodes) {
        if (!node.engine) continue;
        if (first == nullptr) first = &node.recorder->state;
        if (node.recorder->state != *first) return false;
      }
      return true;
    });
  }

  template <typename T>
  std::expected<T, LogFault> wait_done(const std::function<void(LogDone<T>)>& act) {
    struct Outcome {
      bool done = false;
      std::expected<T, LogFault> result = std::unexpected(LogFault::kStopped);
    };
    const auto outcome = std::make_shared<Outcome>();
    reactor.run([&] {
      act([outcome](std::expected<T, LogFault> result) {
        EXPECT_FALSE(outcome->done) << "called twice";
        outcome->result = result;
        outcome->done = true;
      });
      EXPECT_FALSE(outcome->done) << "called from within the call";
    });
    EXPECT_TRUE(wait_for([&] { return outcome->done; }));
    return outcome->result;
  }

  std::filesystem::path directory;
  EngineOptions options;
  UvReactor reactor;
  MemoryNetwork network;
  Recorder::Depot depot;
  std::map<NodeId, Node> nodes;
  std::vector<std::string> said;  // of all stores
};

}  // namespace swarmdns::controlplane::test
