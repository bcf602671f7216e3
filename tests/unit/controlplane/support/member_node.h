// A member's core over a store in memory, on a TestNet and a FakeLog.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "controlplane/certs/keys.h"
#include "controlplane/member/core.h"
#include "tests/unit/controlplane/chain/memory_store.h"
#include "tests/unit/controlplane/support/chain_node.h"
#include "tests/unit/controlplane/support/fake_log.h"
#include "tests/unit/controlplane/support/test_net.h"
#include "tests/unit/controlplane/support/test_reactor.h"

namespace swarmdns::controlplane {

class FakeInstaller final : public StateInstaller {
 public:
  void install(NodeId peer, const v1::Manifest& wanted, Done then) override {
    from = peer;
    manifest = wanted;
    done = std::move(then);
  }
  void cancel() override { done = nullptr; }

  NodeId from = 0;
  v1::Manifest manifest;
  Done done;
};

inline KeyPair key_pair_of(const LedgerKey& key) {
  return {*array_from<std::tuple_size_v<PublicKey>>(key.public_key),
          *array_from<std::tuple_size_v<SecretKey>>(key.secret.view())};
}

class MemberNode {
 public:
  MemberNode(TestReactor& reactor, TestNet& net, FakeLog& log, NodeId id, const KeyPair& keys,
             const v1::Transaction& genesis = {}, MemoryStore kept = {},
             std::vector<PeerAddress> first_peers = {}, std::uint64_t first_peers_height = 0)
      : store(std::move(kept)), link_(net.add(id)), log_(log.add(id, nullptr)) {
    MemberCore::Options options;
    options.self = id;
    options.keys = keys;
    options.genesis = genesis;
    options.first_peers = std::move(first_peers);
    options.describe = [this] {
      v1::NodeReport report;
      if (describe) describe(report);
      return report;
    };
    options.say = [this](const std::string& text) { said.push_back(text); };
    options.settings_changed = [this](const v1::SwarmSettings& now) { settings = now; };
    options.first_peers_height = first_peers_height;
    options.peers_changed = [this](const v1::KeptPeers& now) { kept_peers = now; };
    options.state_replaced = [this] { ++replaced; };
    core = std::move(*MemberCore::open({reactor, link_, store, installer}, std::move(options)));
    link_.on_message([this](NodeId from, Channel channel, v1::PeerMessage message) {
      core->receive(from, channel, std::move(message));
    });
    core->start(log.add(id, core.get()));
    log_.catch_up();
  }
  ~MemberNode() {
    link_.on_message(nullptr);
    log_.consumer = nullptr;
  }
  MemberNode(const MemberNode&) = delete;
  MemberNode& operator=(const MemberNode&) = delete;

  Chain& chain() { return core->chain(); }

  MemoryStore store;
  FakeInstaller installer;
  std::vector<std::string> said;
  std::optional<v1::SwarmSettings> settings;
  std::optional<v1::KeptPeers> kept_peers;
  int replaced = 0;
  std::function<void(v1::NodeReport&)> describe;  // what else its reports say
  std::unique_ptr<MemberCore> core;

 private:
  TestNet::Link& link_;
  FakeLog::Node& log_;
};

}  // namespace swarmdns::controlplane
