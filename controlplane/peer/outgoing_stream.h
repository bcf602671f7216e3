// One attempt to speak to one peer on one channel: a connection of its own, a stream, and the queue of what
// waits for it. Made on the reactor thread, which also sends; gRPC calls it on its threads. It ends by itself
// or by end(), once, and what still waits then is lost.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "controlplane/core/peer_link.h"
#include "controlplane/peer/living.h"
#include "controlplane/peer/peer_limits.h"
#include "swarmdns/v1/peer.grpc.pb.h"

namespace swarmdns::controlplane {

// Of a peer and channel, over all attempts. Written on any thread.
struct LaneCounters {
  std::atomic<std::uint64_t> sent{0};  // messages given to gRPC
  std::atomic<std::uint64_t> sent_bytes{0};
  std::atomic<std::uint64_t> dropped_full{0};         // the queue was full, or the message too large
  std::atomic<std::uint64_t> dropped_unconnected{0};  // no stream was up
  std::atomic<std::uint64_t> lost{0};                 // waited when the stream ended
};

class OutgoingStream final : public grpc::ClientBidiReactor<v1::PeerFrames, v1::PeerFrames>,
                             public std::enable_shared_from_this<OutgoingStream> {
 public:
  // Both on gRPC's threads. `ended` comes once, last, with why, unless end() was called first.
  struct Events {
    std::function<void()> up;
    std::function<void(std::string why)> ended;
  };

  // `hello` says who speaks to whom, on which channel; the peer must answer with its own. `greets_only`: it
  // is there to be refused, and never comes up.
  OutgoingStream(std::shared_ptr<grpc::Channel> channel, const v1::PeerHello& hello, const PeerLimits& limits,
                 std::shared_ptr<LaneCounters> counters, Events events, Living::Token living,
                 bool greets_only = false);
  void start();

  // Reactor thread. False: the stream is not up, or the queue is full; counted.
  bool send(v1::PeerMessage message);
  std::size_t queued_bytes() const;
  // At once, and without the event.
  void end();

 private:
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

  void take_batch();
  void close();
  bool is_expected(const v1::PeerHello& answer) const;

  struct Waiting {
    v1::PeerMessage message;
    std::size_t size;
  };

  const Living::Token living_;  // first, so that it goes last
  const std::shared_ptr<grpc::Channel> channel_;
  const v1::PeerHello hello_;
  const PeerLimits limits_;
  const LaneLimits lane_;
  const std::shared_ptr<LaneCounters> counters_;
  const bool greets_only_;
  std::shared_ptr<OutgoingStream> self_;  // gRPC's share of the ownership
  std::unique_ptr<v1::Peer::Stub> stub_;
  grpc::ClientContext context_;
  v1::PeerFrames in_;
  v1::PeerFrames out_;  // what gRPC is writing

  mutable std::mutex mutex_;  // all below
  Events events_;
  std::deque<Waiting> queue_;
  std::size_t queued_bytes_ = 0;
  bool up_ = false;
  bool writing_ = true;    // the hello
  bool starting_ = false;  // send() is about to start a write
  bool closed_ = false;    // no more operations; the hold is given back
  std::string why_;        // when it was this side that found fault
};

}  // namespace swarmdns::controlplane
