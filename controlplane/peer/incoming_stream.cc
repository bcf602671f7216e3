#include "controlplane/peer/incoming_stream.h"

#include <utility>

#include "controlplane/certs/node_name.h"

namespace swarmdns::controlplane {

IncomingStream::IncomingStream(NodeId peer, std::string pin, const v1::PeerHello& own,
                               const PeerLimits& limits, std::shared_ptr<PeerRegistry> registry,
                               std::shared_ptr<Inbox> inbox, Living::Token living)
    : living_(std::move(living)),
      peer_(peer),
      pin_(std::move(pin)),
      own_(own),
      limits_(limits),
      registry_(std::move(registry)),
      inbox_(std::move(inbox)) {}

void IncomingStream::start() {
  self_ = shared_from_this();
  StartRead(&in_);
}

void IncomingStream::OnReadDone(bool ok) {
  // The peer has ended the stream; what arrived before is handled.
  if (!ok) return finish(grpc::Status::OK);
  if (!admitted_) return take_hello();
  v1::PeerFrames frames = std::move(in_);
  in_.Clear();
  const std::size_t bytes = frames.ByteSizeLong();
  {
    const std::scoped_lock lock(mutex_);
    reading_ = false;
    unhandled_ += bytes;
  }
  inbox_->add(shared_from_this(), std::move(frames), bytes);
  read_more();
}

void IncomingStream::handled(std::size_t bytes) {
  {
    const std::scoped_lock lock(mutex_);
    unhandled_ -= bytes;
  }
  read_more();
}

void IncomingStream::take_hello() {
  const std::string fault = fault_of(in_.hello());
  if (!fault.empty()) return finish({grpc::StatusCode::FAILED_PRECONDITION, fault});
  channel_ = static_cast<Channel>(in_.hello().channel());
  *out_.mutable_hello() = own_;
  out_.mutable_hello()->set_to(peer_);
  out_.mutable_hello()->set_channel(in_.hello().channel());
  admitted_ = true;
  in_.Clear();
  const std::string refusal = registry_->admit(shared_from_this());
  if (!refusal.empty()) return finish({grpc::StatusCode::PERMISSION_DENIED, refusal});
  const std::scoped_lock lock(mutex_);
  if (finished_) return;  // cut off already
  StartWrite(&out_);
  StartRead(&in_);
}

std::string IncomingStream::fault_of(const v1::PeerHello& hello) const {
  const std::string node = "node " + std::to_string(peer_);
  if (hello.swarm_id() != own_.swarm_id()) {
    return node + " speaks for swarm " + hex_text(hello.swarm_id()) + ", this is swarm " +
           hex_text(own_.swarm_id());
  }
  if (hello.incarnation() != own_.incarnation()) {
    return node + " is at incarnation " + std::to_string(hello.incarnation()) +
           ", this node at incarnation " + std::to_string(own_.incarnation());
  }
  if (hello.node() != peer_) {
    return node + " by its certificate says that it is node " + std::to_string(hello.node());
  }
  if (hello.to() != own_.node()) {
    return node + " wants to speak with node " + std::to_string(hello.to()) + ", this is node " +
           std::to_string(own_.node()) + ": look at the addresses that the two advertise";
  }
  if (hello.channel() >= kChannels) {
    return "there is no channel " + std::to_string(hello.channel());
  }
  return "";
}

void IncomingStream::read_more() {
  const std::scoped_lock lock(mutex_);
  const LaneLimits& lane = limits_.lanes[static_cast<std::size_t>(channel_)];
  if (finished_ || reading_ || unhandled_ >= lane.unhandled_bytes) return;
  reading_ = true;
  StartRead(&in_);
}

void IncomingStream::finish(const grpc::Status& status) {
  const std::scoped_lock lock(mutex_);
  if (finished_) return;
  finished_ = true;
  Finish(status);
}

void IncomingStream::cut_off(const grpc::Status& status) {
  cut_ = true;
  finish(status);
}

void IncomingStream::OnWriteDone(bool) {}

void IncomingStream::OnCancel() {
  finish(grpc::Status::CANCELLED);
}

void IncomingStream::OnDone() {
  const auto self = std::move(self_);
  registry_->left(*this);
}

}  // namespace swarmdns::controlplane
