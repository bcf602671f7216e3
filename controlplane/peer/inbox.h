// From gRPC's threads to the reactor's: what has arrived is handled there, in order per stream, CONSENSUS
// before BULK, many messages a post. Bounded by its streams, which read no more while too much of theirs
// waits here.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>

#include "controlplane/core/peer_link.h"
#include "controlplane/core/reactor.h"
#include "controlplane/peer/peer_limits.h"

namespace swarmdns::controlplane {

class IncomingStream;

class Inbox : public std::enable_shared_from_this<Inbox> {
 public:
  // `handler` on the reactor thread.
  Inbox(Reactor& reactor, const PeerLimits& limits, PeerLink::Handler handler)
      : reactor_(reactor), turn_bytes_(limits.bulk_turn_bytes), handler_(std::move(handler)) {}

  // Any thread.
  void add(std::shared_ptr<IncomingStream> stream, v1::PeerFrames frames, std::size_t bytes);
  // Reactor thread, not from a handler. Nothing is handled any more.
  void close();

 private:
  struct Arrived {
    std::shared_ptr<IncomingStream> stream;
    v1::PeerFrames frames;
    std::size_t bytes;
  };

  void post();
  void drain();
  void handle(std::deque<Arrived>& arrived);

  Reactor& reactor_;
  const std::size_t turn_bytes_;
  const PeerLink::Handler handler_;

  std::mutex mutex_;  // all below
  std::deque<Arrived> waiting_[kChannels];
  bool posted_ = false;
  bool closed_ = false;
};

}  // namespace swarmdns::controlplane
