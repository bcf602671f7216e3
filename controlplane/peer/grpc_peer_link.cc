#include "controlplane/peer/grpc_peer_link.h"

#include <grpcpp/create_channel.h>

#include <algorithm>
#include <utility>

#include "controlplane/peer/channel_settings.h"
#include "proto/rpc/library.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::uint64_t kRefusalPauseMs = 1000;
constexpr std::uint64_t kSlowDialMs = 500;
constexpr std::uint64_t kGreetMs = 10'000;
constexpr std::uint64_t kRefusalsShownMs = 60'000;
constexpr std::size_t kRefusalsKept = 32;

const char* name_of(Channel channel) {
  return channel == Channel::kConsensus ? "consensus" : "bulk";
}

std::string stream_text(NodeId peer, Channel channel) {
  return std::string(name_of(channel)) + " stream to node " + std::to_string(peer);
}

Clock::time_point time_of(const Reactor& reactor) {
  return Clock::time_point(std::chrono::milliseconds(reactor.now_ms()));
}

}  // namespace

template <typename... Arguments, typename Task>
std::function<void(Arguments...)> GrpcPeerLink::posting(Task task) {
  return [&reactor = reactor_, weak = std::weak_ptr(alive_), task](Arguments... arguments) {
    reactor.post([weak, task, arguments...] {
      if (const auto alive = weak.lock()) task(**alive, arguments...);
    });
  };
}

GrpcPeerLink::GrpcPeerLink(Reactor& reactor, PeerTls& tls, PeerLinkOptions options)
    : reactor_(reactor),
      tls_(tls),
      options_(std::move(options)),
      alive_(std::make_shared<GrpcPeerLink*>(this)) {
  rpc::keep_callbacks();
}

GrpcPeerLink::~GrpcPeerLink() {
  alive_.reset();
  for (auto& [id, peer] : peers_) {
    for (auto& lane : peer.lanes) hang_up(*lane);
  }
  peers_.clear();
  // Before the server: streams go on gRPC's callback threads, and who goes last of all that use these joins
  // them.
  outgoing_.wait_for_none();
  if (inbox_) inbox_->close();
  if (registry_) registry_->close();
  if (service_) service_->close();
  if (server_) server_->Shutdown(std::chrono::system_clock::now());
  incoming_.wait_for_none();
}

void GrpcPeerLink::on_message(Handler handler) {
  handler_ = std::move(handler);
}
void GrpcPeerLink::on_join(JoinHandler handler) {
  join_ = std::move(handler);
}
void GrpcPeerLink::on_note(std::function<void(const std::string&)> note) {
  note_ = std::move(note);
}

std::expected<int, std::string> GrpcPeerLink::start() {
  inbox_ = std::make_shared<Inbox>(reactor_, options_.limits,
                                   [this](NodeId from, Channel channel, v1::PeerMessage message) {
                                     if (Lane* const lane = find(from, channel)) ++lane->received;
                                     handler_(from, channel, std::move(message));
                                   });
  registry_ = std::make_shared<PeerRegistry>(posting<NodeId, Channel>(
      [](GrpcPeerLink& link, NodeId peer, Channel channel) { link.dialled_by(peer, channel); }));
  service_ = std::make_unique<PeerService>(
      tls_, reactor_, own_hello(), options_.limits, registry_, inbox_, incoming_,
      posting<std::string, bool>(
          [](GrpcPeerLink& link, const std::string& text, bool shown) { link.refused(text, shown); }));
  if (join_) service_->on_join(join_);

  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(options_.listen, tls_.server_credentials(), &port);
  builder.RegisterService(service_.get());
  set_up_peer_server(builder, options_.limits);
  server_ = builder.BuildAndStart();
  if (!server_ || port == 0) {
    return std::unexpected("swarm.listen: cannot listen on " + options_.listen +
                           ": is the address one of this machine's, and is no other program on that port?");
  }
  return port;
}

v1::PeerHello GrpcPeerLink::own_hello() const {
  v1::PeerHello hello;
  hello.set_swarm_id(options_.swarm_id);
  hello.set_incarnation(options_.incarnation);
  hello.set_node(options_.node);
  hello.set_version(options_.version);
  return hello;
}

GrpcPeerLink::Peer GrpcPeerLink::make_peer(PeerAddress address) {
  const BackOffOptions pauses{std::chrono::milliseconds(options_.limits.first_pause_ms),
                              std::chrono::milliseconds(options_.limits.longest_pause_ms), 2, 0.2,
                              std::chrono::milliseconds(5000)};
  const auto random = [this] {
    std::uint32_t number = 0;
    reactor_.random(std::as_writable_bytes(std::span(&number, 1)));
    return number / 4294967296.0;
  };
  Peer peer{std::move(address), {}};
  for (auto& lane : peer.lanes) lane = std::make_unique<Lane>(reactor_, pauses, random);
  return peer;
}

void GrpcPeerLink::set_peers(std::vector<PeerAddress> peers) {
  std::map<NodeId, PeerAddress> wanted;
  std::map<NodeId, std::string> pins;
  for (PeerAddress& peer : peers) {
    if (peer.id == 0 || peer.id == options_.node) continue;
    pins[peer.id] = peer.pin;
    const NodeId id = peer.id;
    wanted[id] = std::move(peer);
  }
  registry_->set_peers(std::move(pins));

  std::erase_if(peers_, [&](auto& entry) {
    const auto kept = wanted.find(entry.first);
    const PeerAddress& now = entry.second.address;
    if (kept != wanted.end() && kept->second.address == now.address && kept->second.pin == now.pin) {
      wanted.erase(kept);
      return false;
    }
    for (auto& lane : entry.second.lanes) hang_up(*lane);
    return true;
  });
  for (auto& [id, address] : wanted) {
    peers_.emplace(id, make_peer(std::move(address)));
    dial(id, Channel::kConsensus);
    dial(id, Channel::kBulk);
  }
}

GrpcPeerLink::Lane* GrpcPeerLink::find(NodeId peer, Channel channel) const {
  const auto entry = peers_.find(peer);
  return entry == peers_.end() ? nullptr : entry->second.lanes[static_cast<std::size_t>(channel)].get();
}

void GrpcPeerLink::dial(NodeId peer, Channel channel) {
  Lane* const lane = find(peer, channel);
  const std::string& address = peers_.at(peer).address.address;
  if (address.empty()) return;  // it may dial us
  lane->pause.stop();
  lane->attempt = ++attempts_;
  lane->dialled_ms = reactor_.now_ms();
  v1::PeerHello hello = own_hello();
  hello.set_to(peer);
  hello.set_channel(static_cast<std::uint32_t>(channel));
  const std::uint64_t attempt = lane->attempt;
  OutgoingStream::Events events;
  events.up =
      posting<>([peer, channel, attempt](GrpcPeerLink& link) { link.stream_up(peer, channel, attempt); });
  events.ended = posting<std::string>([peer, channel, attempt](GrpcPeerLink& link, const std::string& why) {
    link.stream_ended(peer, channel, attempt, why);
  });
  *lane->later = false;
  lane->stream = std::make_shared<OutgoingStream>(
      grpc::CreateCustomChannel(address,
                                lane->greets_only ? tls_.later_credentials(lane->later)
                                                  : tls_.member_credentials(peer, lane->later),
                                peer_channel_arguments(options_.limits)),
      hello, options_.limits, lane->counters, std::move(events), outgoing_.token(), lane->greets_only);
  ++lane->dials;
  lane->stream->start();
}

void GrpcPeerLink::hang_up(Lane& lane) {
  lane.pause.stop();
  lane.attempt = 0;
  lane.up = false;
  if (const auto stream = std::exchange(lane.stream, nullptr)) stream->end();
}

void GrpcPeerLink::stream_up(NodeId peer, Channel channel, std::uint64_t attempt) {
  Lane* const lane = find(peer, channel);
  if (!lane || lane->attempt != attempt) return;
  lane->up = true;
  lane->problem.clear();
  lane->back_off.started(time_of(reactor_));
  note(stream_text(peer, channel) + " is up");
}

void GrpcPeerLink::stream_ended(NodeId peer, Channel channel, std::uint64_t attempt, const std::string& why) {
  Lane* const lane = find(peer, channel);
  if (!lane || lane->attempt != attempt) return;
  const bool told = lane->problem == why;
  lane->attempt = 0;
  lane->up = false;
  lane->stream.reset();
  lane->problem = why;
  // Whoever was left behind is not just turned away: it says who it is, once in a while, and both sides know.
  if (*lane->later) {
    left_behind_ =
        "the swarm was recovered without this node: at " + peers_.at(peer).address.address +
        " answers a later incarnation than " + std::to_string(options_.incarnation) +
        "; what this node orders counts for nothing there. Mend: swarmctl swarm leave here, then join with a "
        "new token";
  }
  const bool greeted = std::exchange(lane->greets_only, lane->later->load());
  const auto pause = lane->back_off.ended(time_of(reactor_));
  lane->pause.start(greeted && lane->greets_only ? kGreetMs : static_cast<std::uint64_t>(pause.count()),
                    [this, peer, channel] { dial(peer, channel); });
  if (!told) note(stream_text(peer, channel) + ": " + why);
}

// It is there: what kept this node from reaching it may be over, and a pause is no use any more; nor is an
// attempt whose first packets are lost and whose next ones wait for TCP's patience.
void GrpcPeerLink::dialled_by(NodeId peer, Channel channel) {
  Lane* const lane = find(peer, channel);
  if (!lane || lane->up) return;
  if (lane->stream && reactor_.now_ms() - lane->dialled_ms < kSlowDialMs) return;
  hang_up(*lane);
  dial(peer, channel);
}

bool GrpcPeerLink::send(NodeId to, Channel channel, v1::PeerMessage message) {
  Lane* const lane = find(to, channel);
  if (!lane) return false;
  if (lane->stream) return lane->stream->send(std::move(message));
  ++lane->counters->dropped_unconnected;
  return false;
}

std::size_t GrpcPeerLink::queued_bytes(NodeId to, Channel channel) const {
  const Lane* const lane = find(to, channel);
  return lane && lane->stream ? lane->stream->queued_bytes() : 0;
}

bool GrpcPeerLink::connected(NodeId to) const {
  const Lane* const lane = find(to, Channel::kConsensus);
  return lane && lane->up;
}

std::optional<LaneStats> GrpcPeerLink::stats(NodeId to, Channel channel) const {
  const Lane* const lane = find(to, channel);
  if (!lane) return std::nullopt;
  const LaneCounters& counters = *lane->counters;
  return LaneStats{lane->up,
                   queued_bytes(to, channel),
                   counters.sent,
                   counters.sent_bytes,
                   lane->received,
                   counters.dropped_full,
                   counters.dropped_unconnected,
                   counters.lost,
                   lane->dials,
                   lane->problem};
}

std::vector<std::string> GrpcPeerLink::troubles() const {
  std::vector<std::string> all;
  if (!left_behind_.empty()) all.push_back(left_behind_);
  for (const auto& [text, at_ms] : refused_ms_) {
    if (reactor_.now_ms() - at_ms <= kRefusalsShownMs) all.push_back("refused " + text);
  }
  return all;
}

void GrpcPeerLink::refused(const std::string& text, bool shown) {
  const std::uint64_t now = reactor_.now_ms();
  if (shown) {
    std::erase_if(refused_ms_, [now](const auto& each) { return now - each.second > kRefusalsShownMs; });
    if (refused_ms_.size() < kRefusalsKept || refused_ms_.contains(text)) refused_ms_[text] = now;
  }
  if (refusal_noted_ms_ != 0 && now - refusal_noted_ms_ < kRefusalPauseMs) {
    ++refusals_untold_;
    return;
  }
  refusal_noted_ms_ = std::max<std::uint64_t>(now, 1);
  const std::uint64_t others = std::exchange(refusals_untold_, 0);
  note("refused " + text + (others > 0 ? "; and " + std::to_string(others) + " more callers" : ""));
}

void GrpcPeerLink::note(const std::string& text) const {
  if (note_) note_(text);
}

}  // namespace swarmdns::controlplane
