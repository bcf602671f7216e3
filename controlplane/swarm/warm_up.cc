#include "controlplane/swarm/warm_up.h"

#include <algorithm>
#include <utility>

namespace swarmdns::controlplane {
namespace {

constexpr std::uint64_t kLookAgainMs = 100;
constexpr std::uint64_t kWarmAgainMs = 500;
constexpr std::uint64_t kBusyAgainMs = 1000;

}  // namespace

WarmUp::WarmUp(Reactor& reactor, PeerLink& link, CachePort& cache, SharePeers& peers, Fences& fences,
               Options options, std::function<void()> over)
    : reactor_(reactor),
      link_(link),
      cache_(cache),
      peers_(peers),
      fences_(fences),
      options_(std::move(options)),
      over_(std::move(over)),
      deadline_(reactor),
      wait_(reactor) {}

void WarmUp::start(bool ready_already) {
  ++generation_;
  state_ = {};
  state_.phase = Phase::kFences;
  begun_ms_ = reactor_.now_ms();
  tried_.clear();
  failures_.clear();
  request_ = 0;
  wait_.stop();
  // The data plane ends it by itself, too, should this process die.
  if (!ready_already) cache_.warming(options_.at_most_ms, [](const std::expected<void, std::string>&) {});
  deadline_.start(options_.at_most_ms, [this] {
    finish(true, "the time for warming up, " + std::to_string(options_.at_most_ms / 1000) + " s, was over");
  });
  if (fences_.may_insert()) local();
}

void WarmUp::fences_clear() {
  if (state_.phase == Phase::kFences) local();
}

void WarmUp::local() {
  state_.phase = Phase::kLocal;
  options_.load_local([this, generation = generation_,
                       alive = std::weak_ptr(alive_)](std::expected<std::uint64_t, std::string> loaded) {
    if (alive.expired() || generation != generation_ || state_.phase != Phase::kLocal) return;
    if (loaded) {
      state_.local = *loaded;
    } else {
      failures_.push_back("its own snapshot: " + loaded.error());
    }
    peers();
  });
}

void WarmUp::peers() {
  state_.phase = Phase::kPeers;
  try_next_peer();
}

void WarmUp::try_next_peer() {
  const std::uint64_t now = reactor_.now_ms();
  std::vector<NodeId> ready;
  bool hope = false;
  for (const NodeId id : peers_.scope()) {
    if (std::ranges::find(tried_, id) != tried_.end() || peers_.skewed(id, now)) continue;
    const v1::NodeReport* report = peers_.newest_report(id);
    if (report == nullptr || !peers_.clock(id, now) || !link_.connected(id)) {
      hope = true;
      continue;
    }
    // One that is warming up itself has nothing yet, but may have soon.
    if (!report->phase().starts_with("ready")) {
      hope = true;
      continue;
    }
    ready.push_back(id);
  }
  if (ready.empty()) {
    if (hope && now - begun_ms_ < options_.peers_ms) {
      wait_.start(kLookAgainMs, [this] { try_next_peer(); });
      return;
    }
    if (state_.local != 0) return finish(false, failures_.empty() ? "" : failures_.back());
    std::string why = "there is no snapshot of its own and no peer in its scope that is ready";
    for (const std::string& failure : failures_) why += "; " + failure;
    return finish(true, why);
  }
  state_.peer = *std::ranges::min_element(ready, {}, [this](NodeId id) {
    const v1::NodeReport* report = peers_.newest_report(id);
    return std::tuple(report->busy_permille(), UINT64_MAX - report->cache_entries(), id);
  });
  tried_.push_back(state_.peer);
  cursor_ = 0;
  ask();
}

void WarmUp::ask() {
  v1::PeerMessage message;
  request_ = next_request_++;
  message.set_request(request_);
  message.mutable_warm_up_request()->set_cursor(cursor_);
  if (!link_.send(state_.peer, Channel::kBulk, std::move(message))) return give_up_peer("cannot be reached");
  wait_.start(options_.piece_ms, [this] { give_up_peer("did not answer in time"); });
}

void WarmUp::give_up_peer(const std::string& why, bool busy) {
  request_ = 0;
  if (busy) {
    // Again, as long as there is time for warming up.
    std::erase(tried_, state_.peer);
    wait_.start(kBusyAgainMs, [this] { try_next_peer(); });
    return;
  }
  failures_.push_back("node " + std::to_string(state_.peer) + " " + why);
  wait_.start(0, [this] { try_next_peer(); });
}

void WarmUp::receive(NodeId from, v1::PeerMessage message) {
  if (state_.phase != Phase::kPeers || from != state_.peer || message.request() != request_ || request_ == 0)
    return;
  request_ = 0;
  wait_.stop();
  piece_ = std::move(*message.mutable_warm_up_response());
  if (!piece_.problem().empty()) return give_up_peer("says: " + piece_.problem(), piece_.busy());
  next_entry_ = 0;
  insert_next();
}

void WarmUp::insert_next() {
  const auto age = peers_.age_ms(state_.peer, reactor_.now_ms(), reactor_.wall_ms(), piece_.wall_ms());
  if (!age) return give_up_peer("has a clock that cannot be compared with this node's any more");
  // A fence came meanwhile: it is tried anew in a moment.
  if (!fences_.may_insert()) {
    wait_.start(kLookAgainMs, [this] { insert_next(); });
    return;
  }
  std::vector<v1::CacheEntry> entries;
  while (next_entry_ < piece_.entries().entries_size() && entries.size() < options_.insert_entries) {
    v1::CacheEntry& entry = *piece_.mutable_entries()->mutable_entries(next_entry_++);
    // Its own, too: what it knew before it lost its cache.
    if (!may_share(entry, *options_.private_zones)) continue;
    if (!fences_.filter().alive(entry.origin().node(), entry.origin().sequence())) continue;
    if (entry.remaining_ms() <= static_cast<std::int64_t>(*age)) continue;
    entry.set_authenticated(false);
    entries.push_back(std::move(entry));
  }
  if (entries.empty()) {
    if (piece_.last()) return finish(false, "");
    cursor_ = piece_.cursor() + 1;
    return ask();
  }
  cache_.insert(std::move(entries), *age,
                [this, generation = generation_,
                 alive = std::weak_ptr(alive_)](std::expected<CachePort::Inserted, std::string> done) {
                  if (alive.expired() || generation != generation_ || state_.phase != Phase::kPeers) return;
                  if (!done) return finish(true, "the data plane went away: " + done.error());
                  state_.from_peer += done->accepted;
                  insert_next();
                });
}

void WarmUp::finish(bool cold, const std::string& why) {
  deadline_.stop();
  wait_.stop();
  if (request_ != 0 || state_.phase == Phase::kPeers) {
    v1::PeerMessage message;
    message.mutable_warm_up_request()->set_done(true);
    if (state_.peer != 0) link_.send(state_.peer, Channel::kBulk, std::move(message));
  }
  request_ = 0;
  state_.phase = Phase::kReady;
  state_.cold = cold;
  state_.why = why;
  state_.took_ms = reactor_.now_ms() - begun_ms_;
  tell_warm(generation_);
}

void WarmUp::tell_warm(std::uint64_t generation) {
  cache_.warm(
      [this, generation, alive = std::weak_ptr(alive_)](const std::expected<void, std::string>& done) {
        if (alive.expired() || generation != generation_) return;
        if (!done) {
          wait_.start(kWarmAgainMs, [this, generation] { tell_warm(generation); });
          return;
        }
        if (over_) over_();
      });
}

// --- The other side ---

WarmUpServer::WarmUpServer(Reactor& reactor, PeerLink& link, CachePort& cache, SharePeers& peers,
                           Fences& fences, Options options)
    : reactor_(reactor),
      link_(link),
      cache_(cache),
      peers_(peers),
      fences_(fences),
      options_(std::move(options)) {}

void WarmUpServer::receive(NodeId from, v1::PeerMessage message) {
  const v1::CachePieceRequest& asked = message.warm_up_request();
  const auto client = clients_.find(from);
  if (asked.done()) {
    if (client != clients_.end()) clients_.erase(client);
    return;
  }
  if (!peers_.in_scope(from))
    return refuse(from, message.request(), "this node does not share its cache with that one");
  if (asked.cursor() == 0) return open(from, message.request());
  if (client == clients_.end()) return refuse(from, message.request(), "this dump is over: begin anew");
  wait_for(from, client->second);
  if (asked.cursor() == client->second.newest.cursor() && client->second.request == 0)
    return answer(from, message.request(), client->second.newest);  // the answer was lost
  if (asked.cursor() != client->second.newest.cursor() + 1)
    return refuse(from, message.request(), "that piece is gone: begin anew");
  const bool waits = client->second.request != 0;
  client->second.request = message.request();
  if (!waits && client->second.next) std::exchange(client->second.next, {})();
}

void WarmUpServer::open(NodeId from, std::uint64_t request) {
  if (!clients_.contains(from) && clients_.size() >= options_.clients) {
    ++stats_.turned_away;
    return refuse(from, request, "it is serving others already", true);
  }
  if (!fences_.may_insert()) return refuse(from, request, "it has a fence to carry out first", true);
  ++stats_.clients;
  Client& client = clients_[from];
  client.dump = next_dump_++;
  client.request = request;
  client.newest.Clear();
  client.next = {};
  wait_for(from, client);
  cache_.dump([this, from, dump = client.dump, alive = std::weak_ptr(alive_)](
                  std::expected<v1::DumpEntries, std::string> entries, std::function<void()> next) {
    if (!alive.expired()) piece(from, dump, std::move(entries), std::move(next));
  });
}

void WarmUpServer::wait_for(NodeId from, Client& client) {
  if (!client.idle) client.idle = std::make_unique<Timer>(reactor_);
  // Not erased from within its own timer.
  client.idle->start(options_.idle_ms, [this, from] {
    reactor_.post([this, from, alive = std::weak_ptr(alive_)] {
      if (!alive.expired()) clients_.erase(from);
    });
  });
}

void WarmUpServer::piece(NodeId from, std::uint64_t dump, std::expected<v1::DumpEntries, std::string> entries,
                         std::function<void()> next) {
  const auto at = clients_.find(from);
  // Not asked for any more: `next` is dropped, and the dump ends.
  if (at == clients_.end() || at->second.dump != dump) return;
  Client& client = at->second;
  const std::uint64_t request = std::exchange(client.request, 0);
  if (!entries) {
    refuse(from, request, entries.error());
    clients_.erase(from);
    return;
  }
  const std::uint64_t cursor = client.newest.cursor() + 1;
  client.newest.Clear();
  client.newest.set_cursor(cursor);
  client.newest.set_wall_ms(reactor_.wall_ms());
  client.newest.set_last(entries->entries().empty());
  for (v1::CacheEntry& entry : *entries->mutable_entries()) {
    if (!may_share(entry, *options_.private_zones)) continue;
    if (!fences_.filter().alive(entry.origin().node(), entry.origin().sequence())) continue;
    *client.newest.mutable_entries()->add_entries() = std::move(entry);
  }
  ++stats_.pieces;
  stats_.entries += static_cast<std::uint64_t>(client.newest.entries().entries_size());
  client.next = std::move(next);
  answer(from, request, client.newest);
}

void WarmUpServer::answer(NodeId to, std::uint64_t request, v1::CachePieceResponse response) {
  if (request == 0 || link_.queued_bytes(to, Channel::kBulk) > options_.queued_bytes) return;
  v1::PeerMessage message;
  message.set_request(request);
  *message.mutable_warm_up_response() = std::move(response);
  link_.send(to, Channel::kBulk, std::move(message));
}

void WarmUpServer::refuse(NodeId to, std::uint64_t request, const std::string& problem, bool busy) {
  v1::CachePieceResponse response;
  response.set_busy(busy);
  response.set_problem(problem);
  answer(to, request, std::move(response));
}

}  // namespace swarmdns::controlplane
