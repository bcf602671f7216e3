// Who may speak to this node now, and the streams on which they do. One place decides both, so that a peer's
// removal and its new stream cannot pass each other. Any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "controlplane/core/peer_link.h"

namespace swarmdns::controlplane {

class IncomingStream;

class PeerRegistry {
 public:
  // `admitted`: a peer's stream was let in. On any thread.
  explicit PeerRegistry(std::function<void(NodeId, Channel)> admitted) : admitted_(std::move(admitted)) {}

  // By node, the pin of its TLS key. Ends the streams of all others, with the reason.
  void set_peers(std::map<NodeId, std::string> pins);
  // Nobody any more, for good.
  void close();

  // Empty: the stream is in, and an older one of the same peer and channel has ended. Otherwise why not.
  std::string admit(const std::shared_ptr<IncomingStream>& stream);
  void left(const IncomingStream& stream);

 private:
  using Key = std::pair<NodeId, Channel>;

  const std::function<void(NodeId, Channel)> admitted_;
  std::mutex mutex_;  // all below; never held while a stream is called
  std::map<NodeId, std::string> pins_;
  std::map<Key, std::shared_ptr<IncomingStream>> streams_;
  bool closed_ = false;
};

}  // namespace swarmdns::controlplane
