#include "controlplane/peer/peer_registry.h"

#include "controlplane/peer/incoming_stream.h"

namespace swarmdns::controlplane {

void PeerRegistry::set_peers(std::map<NodeId, std::string> pins) {
  std::vector<std::shared_ptr<IncomingStream>> ended;
  {
    const std::scoped_lock lock(mutex_);
    pins_ = std::move(pins);
    std::erase_if(streams_, [&](auto& entry) {
      const auto peer = pins_.find(entry.first.first);
      if (peer != pins_.end() && peer->second == entry.second->pin()) return false;
      ended.push_back(entry.second);
      return true;
    });
  }
  for (const auto& stream : ended) {
    stream->cut_off({grpc::StatusCode::PERMISSION_DENIED,
                     "node " + std::to_string(stream->peer()) + " is not a peer of this node any more"});
  }
}

void PeerRegistry::close() {
  std::map<Key, std::shared_ptr<IncomingStream>> ended;
  {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
    ended.swap(streams_);
  }
  for (const auto& [key, stream] : ended) {
    stream->cut_off({grpc::StatusCode::UNAVAILABLE, "the node stops"});
  }
}

std::string PeerRegistry::admit(const std::shared_ptr<IncomingStream>& stream) {
  std::shared_ptr<IncomingStream> older;
  {
    const std::scoped_lock lock(mutex_);
    if (closed_) return "the node stops";
    const auto peer = pins_.find(stream->peer());
    if (peer == pins_.end() || peer->second != stream->pin()) {
      return "node " + std::to_string(stream->peer()) + " is not a peer of this node, or not yet";
    }
    older = std::exchange(streams_[{stream->peer(), stream->channel()}], stream);
  }
  if (older) older->cut_off({grpc::StatusCode::ABORTED, "the peer has a newer stream"});
  admitted_(stream->peer(), stream->channel());
  return "";
}

void PeerRegistry::left(const IncomingStream& stream) {
  std::shared_ptr<IncomingStream> gone;  // destroyed without the mutex
  const std::scoped_lock lock(mutex_);
  const auto entry = streams_.find({stream.peer(), stream.channel()});
  if (entry == streams_.end() || entry->second.get() != &stream) return;
  gone = std::move(entry->second);
  streams_.erase(entry);
}

}  // namespace swarmdns::controlplane
