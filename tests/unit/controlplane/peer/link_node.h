// A node of a test swarm that has nothing but a link: keeps what arrives and what is noted.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "controlplane/peer/grpc_peer_link.h"
#include "tests/unit/controlplane/certs/test_swarm.h"
#include "tests/unit/controlplane/peer/test_reactor.h"

namespace swarmdns::controlplane::test {

// Waits for a condition; false after a minute.
template <typename Condition>
bool eventually(Condition condition) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

inline v1::PeerMessage numbered(std::uint64_t number, std::size_t size = 0) {
  v1::PeerMessage message;
  message.set_request(number);
  if (size > 0) message.mutable_state_response()->set_data(std::string(size, 'x'));
  return message;
}

struct Received {
  NodeId from;
  Channel channel;
  std::uint64_t number;
  bool operator==(const Received&) const = default;
};

class LinkNode {
 public:
  LinkNode(const TestSwarm& swarm, NodeId id) : LinkNode(swarm, id, swarm.node(id)) {}
  LinkNode(const TestSwarm& swarm, NodeId id, TestNode node)
      : id_(id), swarm_id_(swarm.id), incarnation_(swarm.incarnation), node_(std::move(node)) {
    if (!tls_.set_identity(node_.key.pem, node_.chain)) throw std::runtime_error("identity");
  }
  ~LinkNode() { stop(); }

  // Again on the same port after stop().
  void start() {
    reactor_ = std::make_unique<TestReactor>();
    port_ = reactor_->run_on([this] {
      PeerLinkOptions options{id_,   swarm_id_, incarnation_, "test", "127.0.0.1:" + std::to_string(port_),
                              limits};
      link_ = std::make_unique<GrpcPeerLink>(*reactor_, tls_, options);
      link_->on_message([this](NodeId from, Channel channel, v1::PeerMessage message) {
        received_.push_back({from, channel, message.request()});
        if (handle) handle(from, channel, message);
      });
      link_->on_note([this](const std::string& text) { notes_ += text + "\n"; });
      if (join) link_->on_join(join);
      const auto port = link_->start();
      if (!port) throw std::runtime_error(port.error());
      return *port;
    });
  }
  void stop() {
    if (!reactor_) return;
    reactor_->run_on([this] { link_.reset(); });
    reactor_.reset();
  }

  void know(const SwarmView& view) { tls_.set_swarm(std::make_shared<SwarmView>(view)); }
  void set_peers(std::vector<PeerAddress> peers) {
    reactor_->run_on([&] { link_->set_peers(peers); });
  }
  bool send(NodeId to, Channel channel, v1::PeerMessage message) {
    return reactor_->run_on([&] { return link_->send(to, channel, message); });
  }
  bool connected(NodeId to) {
    return reactor_->run_on([&] { return link_->connected(to) && link_->stats(to, Channel::kBulk)->up; });
  }
  LaneStats stats(NodeId to, Channel channel) {
    return reactor_->run_on([&] { return link_->stats(to, channel).value_or(LaneStats()); });
  }
  std::vector<Received> received() {
    return reactor_->run_on([this] { return received_; });
  }
  std::string notes() {
    return reactor_->run_on([this] { return notes_; });
  }
  PeerAddress address() const { return {id_, "127.0.0.1:" + std::to_string(port_), node_.key.pin}; }
  NodeId id() const { return id_; }
  TestReactor& reactor() { return *reactor_; }
  GrpcPeerLink& link() { return *link_; }  // on the reactor thread
  PeerTls& tls() { return tls_; }
  const TestNode& node() const { return node_; }

  // Set before start().
  PeerLimits limits;
  JoinHandler join;
  std::function<void(NodeId, Channel, const v1::PeerMessage&)> handle;

 private:
  const NodeId id_;
  const std::string swarm_id_;
  const std::uint32_t incarnation_;
  const TestNode node_;
  PeerTls tls_{[] { return kNow; }};
  int port_ = 0;
  std::unique_ptr<TestReactor> reactor_;
  std::vector<Received> received_;  // reactor thread, like all below
  std::string notes_;
  std::unique_ptr<GrpcPeerLink> link_;
};

}  // namespace swarmdns::controlplane::test
