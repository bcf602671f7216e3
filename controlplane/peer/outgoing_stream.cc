#include "controlplane/peer/outgoing_stream.h"

#include <utility>

namespace swarmdns::controlplane {

OutgoingStream::OutgoingStream(std::shared_ptr<grpc::Channel> channel, const v1::PeerHello& hello,
                               const PeerLimits& limits, std::shared_ptr<LaneCounters> counters,
                               Events events, Living::Token living, bool greets_only)
    : living_(std::move(living)),
      channel_(std::move(channel)),
      hello_(hello),
      limits_(limits),
      lane_(limits.lanes[hello.channel()]),
      counters_(std::move(counters)),
      greets_only_(greets_only),
      stub_(v1::Peer::NewStub(channel_)),
      events_(std::move(events)) {}

void OutgoingStream::start() {
  self_ = shared_from_this();
  *out_.mutable_hello() = hello_;
  stub_->async()->Exchange(&context_, this);
  AddHold();  // for the writes that send() starts
  StartRead(&in_);
  StartWrite(&out_);
  StartCall();
}

bool OutgoingStream::send(v1::PeerMessage message) {
  const std::size_t size = message.ByteSizeLong();
  std::unique_lock lock(mutex_);
  if (!up_ || closed_) {
    ++counters_->dropped_unconnected;
    return false;
  }
  const bool fits =
      queue_.empty() || (queued_bytes_ + size <= lane_.queued_bytes && queue_.size() < lane_.queued_messages);
  if (!fits || size > limits_.message_bytes) {
    ++counters_->dropped_full;
    return false;
  }
  queue_.push_back({std::move(message), size});
  queued_bytes_ += size;
  if (writing_) return true;
  take_batch();
  starting_ = true;
  lock.unlock();
  StartWrite(&out_);
  lock.lock();
  starting_ = false;
  const bool closed = closed_;
  lock.unlock();
  if (closed) RemoveHold();  // close() has left that to us
  return true;
}

std::size_t OutgoingStream::queued_bytes() const {
  const std::scoped_lock lock(mutex_);
  return queued_bytes_;
}

// Into out_, as much as one batch holds, and one message at least; the queue is not empty. With the mutex,
// which is not held while gRPC serialises and encrypts the batch: the reactor thread would wait for it in
// send().
void OutgoingStream::take_batch() {
  out_.Clear();
  std::size_t bytes = 0;
  while (!queue_.empty() && (bytes == 0 || bytes + queue_.front().size <= limits_.batch_bytes)) {
    bytes += queue_.front().size;
    *out_.add_messages() = std::move(queue_.front().message);
    queue_.pop_front();
  }
  writing_ = true;
  queued_bytes_ -= bytes;
  counters_->sent += static_cast<std::uint64_t>(out_.messages_size());
  counters_->sent_bytes += bytes;
}

void OutgoingStream::OnWriteDone(bool ok) {
  if (!ok) return close();
  {
    const std::scoped_lock lock(mutex_);
    writing_ = false;
    if (!up_ || closed_ || queue_.empty()) return;
    take_batch();
  }
  StartWrite(&out_);
}

bool OutgoingStream::is_expected(const v1::PeerHello& answer) const {
  return answer.swarm_id() == hello_.swarm_id() && answer.incarnation() == hello_.incarnation() &&
         answer.node() == hello_.to() && answer.to() == hello_.node() && answer.channel() == hello_.channel();
}

// The peer says its hello and then nothing more: it speaks on its own streams.
void OutgoingStream::OnReadDone(bool ok) {
  if (!ok) return close();
  std::function<void()> up;
  {
    const std::scoped_lock lock(mutex_);
    if (closed_) return;
    if (!up_ && !greets_only_ && in_.has_hello() && is_expected(in_.hello())) {
      up_ = true;
      up = events_.up;
      StartRead(&in_);
    }
  }
  if (up) return up();
  {
    const std::scoped_lock lock(mutex_);
    why_ = "the peer does not keep to the protocol";
  }
  context_.TryCancel();
  close();
}

void OutgoingStream::end() {
  {
    const std::scoped_lock lock(mutex_);
    events_ = {};
  }
  context_.TryCancel();
  close();
}

// Gives back the hold, after which nothing may be started from outside. It does not cancel: when the peer has
// ended the stream, its status is on the way, and the reason in it.
void OutgoingStream::close() {
  const auto self = shared_from_this();
  bool keeps_hold = false;
  {
    const std::scoped_lock lock(mutex_);
    if (closed_) return;
    closed_ = true;
    keeps_hold = starting_;
    counters_->lost += queue_.size();
    queue_.clear();
    queued_bytes_ = 0;
  }
  if (!keeps_hold) RemoveHold();
}

void OutgoingStream::OnDone(const grpc::Status& status) {
  const auto self = std::move(self_);
  std::function<void(std::string)> ended;
  std::string why;
  {
    const std::scoped_lock lock(mutex_);
    ended = std::move(events_.ended);
    events_ = {};
    why = !why_.empty()                     ? why_
          : !status.error_message().empty() ? status.error_message()
                                            : "the peer has ended the stream";
  }
  if (ended) ended(std::move(why));
}

}  // namespace swarmdns::controlplane
