#include "controlplane/peer/inbox.h"

#include <utility>

#include "controlplane/peer/incoming_stream.h"

namespace swarmdns::controlplane {

void Inbox::add(std::shared_ptr<IncomingStream> stream, v1::PeerFrames frames, std::size_t bytes) {
  {
    const std::scoped_lock lock(mutex_);
    if (closed_) return;
    const auto channel = static_cast<std::size_t>(stream->channel());
    waiting_[channel].push_back({std::move(stream), std::move(frames), bytes});
    if (std::exchange(posted_, true)) return;
  }
  post();
}

void Inbox::post() {
  reactor_.post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->drain();
  });
}

void Inbox::close() {
  std::deque<Arrived> dropped[kChannels];  // destroyed without the mutex: streams may end with it
  const std::scoped_lock lock(mutex_);
  closed_ = true;
  for (std::size_t i = 0; i < kChannels; ++i) dropped[i].swap(waiting_[i]);
}

// All of CONSENSUS, one turn's worth of BULK; the rest behind what else is posted meanwhile.
void Inbox::drain() {
  std::deque<Arrived> now[kChannels];
  bool more = false;
  {
    const std::scoped_lock lock(mutex_);
    now[0].swap(waiting_[0]);
    auto& bulk = waiting_[1];
    for (std::size_t bytes = 0; !bulk.empty() && bytes < turn_bytes_;) {
      bytes += bulk.front().bytes;
      now[1].push_back(std::move(bulk.front()));
      bulk.pop_front();
    }
    more = !bulk.empty();
    posted_ = more;
  }
  if (more) post();
  for (auto& arrived : now) handle(arrived);
}

void Inbox::handle(std::deque<Arrived>& arrived) {
  for (auto& [stream, frames, bytes] : arrived) {
    for (auto& message : *frames.mutable_messages()) {
      if (stream->cut()) break;  // by what a message before it has led to
      handler_(stream->peer(), stream->channel(), std::move(message));
    }
    stream->handled(bytes);
  }
}

}  // namespace swarmdns::controlplane
