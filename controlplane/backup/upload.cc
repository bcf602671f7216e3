#include "controlplane/backup/upload.h"

#include <algorithm>
#include <chrono>

namespace swarmdns::controlplane {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMostNamed = 100;

Bytes octets_of(const std::string& text) {
  return as_octets(text);
}

}  // namespace

Upload::Upload(std::span<Target* const> targets, const Digest& epoch, std::vector<Envelope> envelopes,
               std::size_t queue)
    : epoch_(epoch), envelopes_(std::move(envelopes)), queue_(std::max<std::size_t>(queue, 1)) {
  for (Target* target : targets) {
    auto lane = std::make_unique<Lane>();
    lane->target = target;
    lane->outcome.target = target->description();
    lanes_.push_back(std::move(lane));
  }
  for (auto& lane : lanes_) lane->thread = std::thread([this, &lane = *lane] { run(lane); });
}

Upload::~Upload() {
  stop();
  for (auto& lane : lanes_) lane->thread.join();
}

void Upload::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

bool Upload::all_dead_locked() const {
  return std::ranges::all_of(lanes_, [](const auto& lane) { return lane->phase == Phase::kDead; });
}

bool Upload::is_stopped() {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

bool Upload::all_dead() {
  const std::lock_guard lock(mutex_);
  return all_dead_locked();
}

bool Upload::wait_until_ready(std::int64_t patience_ms) {
  std::unique_lock lock(mutex_);
  const auto some = [&](Phase phase) {
    return std::ranges::any_of(lanes_, [&](const auto& lane) { return lane->phase == phase; });
  };
  changed_.wait(lock, [&] { return some(Phase::kReady) || !some(Phase::kListing); });
  changed_.wait_for(lock, milliseconds(patience_ms), [&] { return !some(Phase::kListing); });
  return some(Phase::kReady);
}

Upload::PackSizes Upload::packs_there() {
  const std::lock_guard lock(mutex_);
  PackSizes all;
  for (const auto& lane : lanes_)
    if (lane->phase == Phase::kReady) all.insert(lane->there.begin(), lane->there.end());
  return all;
}

bool Upload::with_target(const Digest* pack, const std::function<bool(Target&)>& use) {
  for (auto& lane : lanes_) {
    {
      const std::lock_guard lock(mutex_);
      if (lane->phase != Phase::kReady || (pack != nullptr && !lane->there.contains(*pack))) continue;
    }
    const std::lock_guard alone(lane->use);
    if (use(*lane->target)) return true;
  }
  return false;
}

// How long a pack takes there, as far as can be told.
Upload::Clock::duration Upload::slowness(const Lane& lane) const {
  return std::max(lane.last, lane.busy ? Clock::now() - lane.since : Clock::duration(0));
}

bool Upload::offer(std::shared_ptr<const Pack> pack) {
  constexpr milliseconds kLookAgain(20);  // who is the fastest may change without anybody's doing
  std::unique_lock lock(mutex_);
  while (!stopped_ && !all_dead_locked()) {
    // The fastest has to have it: were a slow one alone with a pack, all others would wait for it in the end.
    const Lane* fastest = nullptr;
    for (const auto& lane : lanes_)
      if (lane->phase != Phase::kDead && (fastest == nullptr || slowness(*lane) < slowness(*fastest)))
        fastest = lane.get();
    if (fastest->pending.size() < queue_) {
      for (auto& lane : lanes_) {
        if (lane->phase == Phase::kDead || lane->pending.size() >= queue_) continue;
        lane->queue.push_back(pack);
        lane->pending.insert(pack->hash);
      }
      changed_.notify_all();
      return true;
    }
    changed_.wait_for(lock, kLookAgain);
  }
  return false;
}

void Upload::finish(const WrittenManifest& manifest) {
  const std::lock_guard lock(mutex_);
  manifest_ = &manifest;
  changed_.notify_all();
}

bool Upload::wait_until_done(std::int64_t wait_ms) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, milliseconds(wait_ms), [&] {
    return std::ranges::all_of(
        lanes_, [](const auto& lane) { return lane->phase == Phase::kDead || lane->phase == Phase::kDone; });
  });
}

std::uint64_t Upload::octets_sent() {
  const std::lock_guard lock(mutex_);
  std::uint64_t most = 0;
  for (const auto& lane : lanes_) most = std::max(most, lane->outcome.octets_sent);
  return most;
}

std::vector<TargetOutcome> Upload::outcomes() {
  const std::lock_guard lock(mutex_);
  std::vector<TargetOutcome> all;
  for (const auto& lane : lanes_) all.push_back(lane->outcome);
  return all;
}

void Upload::die(Lane& lane, const std::string& error) {
  const std::lock_guard lock(mutex_);
  lane.phase = Phase::kDead;
  lane.outcome.error = error;
  lane.queue.clear();
  lane.pending.clear();
  changed_.notify_all();
}

TargetResult<Upload::PackSizes> Upload::list_packs(Lane& lane) {
  const std::lock_guard alone(lane.use);
  PackSizes packs;
  auto done = lane.target->list(packs_prefix(epoch_), [&](const ObjectInfo& object) {
    if (const auto name = parse_pack_name(object.name)) packs[name->hash] = object.bytes;
    return true;
  });
  if (!done) return std::unexpected(done.error());
  return packs;
}

TargetResult<void> Upload::put_envelope(Lane& lane, const Envelope& envelope) {
  const std::string name = envelope.day.empty() ? epoch_name(epoch_) : day_name(epoch_, envelope.day);
  const std::string octets = encode_envelope(envelope);
  const std::lock_guard alone(lane.use);
  const auto there = lane.target->head(name);
  if (!there && there.error().kind != TargetError::Kind::kNotFound) return std::unexpected(there.error());
  if (there && there->bytes == octets.size()) {
    const auto now = lane.target->get(name, 0, there->bytes);
    if (!now) return std::unexpected(now.error());
    const auto read = decode_envelope(*now, name);
    if (read && read->epoch == envelope.epoch && read->key == envelope.key &&
        read->recipients() == envelope.recipients()) {
      return {};
    }
  }
  return lane.target->put(name, octets_of(octets), {.replace = true});
}

void Upload::run(Lane& lane) {
  auto packs = list_packs(lane);
  if (!packs) return die(lane, packs.error().what);
  for (const Envelope& envelope : envelopes_)
    if (auto done = put_envelope(lane, envelope); !done) return die(lane, done.error().what);
  {
    const std::lock_guard lock(mutex_);
    lane.there = std::move(*packs);
    lane.phase = Phase::kReady;
    lane.busy = false;
    changed_.notify_all();
  }
  if (send_queue(lane)) complete(lane);
}

// False: dead or stopped.
bool Upload::send_queue(Lane& lane) {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopped_ || !lane.queue.empty() || manifest_ != nullptr; });
    if (stopped_) {
      lock.unlock();
      die(lane, "the upload was stopped");
      return false;
    }
    if (lane.queue.empty()) return true;
    const auto pack = lane.queue.front();
    lane.queue.pop_front();
    lane.busy = true;
    lane.since = Clock::now();
    lock.unlock();
    TargetResult<void> done;
    {
      const std::lock_guard alone(lane.use);
      done = lane.target->put(pack_name(epoch_, pack->hash), pack->octets);
    }
    if (!done) {
      die(lane, done.error().what);
      return false;
    }
    lock.lock();
    lane.busy = false;
    lane.last = Clock::now() - lane.since;
    lane.there[pack->hash] = pack->octets.size();
    lane.sent.insert(pack->hash);
    lane.pending.erase(pack->hash);
    ++lane.outcome.packs_sent;
    lane.outcome.octets_sent += pack->octets.size();
    changed_.notify_all();
  }
}

// A listing may be older than what was put; and what it has shown may have been removed since.
TargetResult<bool> Upload::has(Lane& lane, const PackRef& pack, const PackSizes& listed) {
  {
    const std::lock_guard lock(mutex_);
    if (lane.sent.contains(pack.hash)) return true;
  }
  const auto found = listed.find(pack.hash);
  if (found != listed.end()) return found->second == pack.bytes;
  const std::lock_guard alone(lane.use);
  const auto there = lane.target->head(pack_name(epoch_, pack.hash));
  if (there) return there->bytes == pack.bytes;
  if (there.error().kind == TargetError::Kind::kNotFound) return false;
  return std::unexpected(there.error());
}

// False: no living target has it.
TargetResult<bool> Upload::fetch_from_another(Lane& lane, const PackRef& pack) {
  std::set<Lane*> tried = {&lane};
  const std::string name = pack_name(epoch_, pack.hash);
  while (true) {
    Lane* donor = nullptr;
    {
      std::unique_lock lock(mutex_);
      bool coming = true;
      while (donor == nullptr && coming && !stopped_) {
        coming = false;
        for (auto& other : lanes_) {
          if (tried.contains(other.get()) || other->phase == Phase::kDead) continue;
          if (other->there.contains(pack.hash)) donor = other.get();
          coming = coming || other->phase == Phase::kListing || other->pending.contains(pack.hash);
        }
        if (donor == nullptr && coming) changed_.wait(lock);
      }
      if (donor == nullptr) return false;
    }
    tried.insert(donor);
    TargetResult<std::vector<std::byte>> octets;
    {
      const std::lock_guard alone(donor->use);
      octets = donor->target->get(name, 0, pack.bytes);
    }
    if (!octets || plain_blake(*octets) != pack.hash) continue;
    {
      const std::lock_guard alone(lane.use);
      // There may be a damaged one of that name, which only this replaces.
      if (auto done = lane.target->put(name, *octets, {.replace = true}); !done)
        return std::unexpected(done.error());
    }
    const std::lock_guard lock(mutex_);
    lane.there[pack.hash] = pack.bytes;
    lane.sent.insert(pack.hash);
    ++lane.outcome.packs_sent;
    lane.outcome.octets_sent += pack.bytes;
    changed_.notify_all();
    return true;
  }
}

void Upload::lacks(Lane& lane, const PackRef& pack) {
  const std::lock_guard lock(mutex_);
  lane.there.erase(pack.hash);
  ++lane.outcome.packs_lacking;
  if (lane.outcome.lacking.size() < kMostNamed) lane.outcome.lacking.push_back(pack_name(epoch_, pack.hash));
}

void Upload::complete(Lane& lane) {
  auto listed = list_packs(lane);
  if (!listed) return die(lane, listed.error().what);
  // Those of others, first, so that nobody waits for what is not to be had.
  std::vector<PackRef> missing;
  for (const PackRef& pack : manifest_->header.packs) {
    const auto there = has(lane, pack, *listed);
    if (!there) return die(lane, there.error().what);
    if (*there) continue;
    missing.push_back(pack);
    const std::lock_guard lock(mutex_);
    lane.there.erase(pack.hash);
  }
  for (const PackRef& pack : missing) {
    if (is_stopped()) return die(lane, "the upload was stopped");
    const auto fetched = fetch_from_another(lane, pack);
    if (!fetched) return die(lane, fetched.error().what);
    if (!*fetched) lacks(lane, pack);
  }
  if (lane.outcome.packs_lacking > 0) {
    return die(lane, "the snapshot is not complete at " + lane.outcome.target + ": " +
                         std::to_string(lane.outcome.packs_lacking) +
                         " of its packs are there no more, and at no other target; take another snapshot");
  }
  TargetResult<void> done;
  {
    const std::lock_guard alone(lane.use);
    done = lane.target->put(manifest_->header.name(), octets_of(manifest_->octets));
  }
  if (!done) return die(lane, done.error().what);
  const std::lock_guard lock(mutex_);
  lane.phase = Phase::kDone;
  lane.outcome.complete = true;
  changed_.notify_all();
}

}  // namespace swarmdns::controlplane
