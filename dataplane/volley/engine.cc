#include "dataplane/volley/engine.h"

#include <algorithm>
#include <cstring>

#include "proto/dns/header.h"

namespace swarmdns::volley {
namespace {

// How many queries are given up in one turn: an outage must not hold up receiving.
constexpr int kExpireAtOnce = 256;
// How long after the end what was due before it is still sent: a sender that was held up for a moment catches
// up; one that is too slow does not run on for ever.
constexpr double kGraceSeconds = 0.1;

std::uint64_t share_of(double share) noexcept {
  return static_cast<std::uint64_t>(std::clamp(share, 0.0, 1.0) * 4294967296.0);
}

}  // namespace

Engine::Engine(const EngineOptions& options, const Parts& parts)
    : options_(options),
      parts_(parts),
      clock_(options.hz),
      random_(mix64(options.seed ^ 0x656e67696e65)),
      edns_(share_of(options.edns)),
      dnssec_ok_(share_of(options.dnssec_ok)),
      cookies_(share_of(options.edns > 0 ? options.cookies / options.edns : 0)),
      v6_(share_of(options.v6)) {}

void Engine::run() noexcept {
  if (!resolve()) {
    enter(stops() != 0 ? Phase::Done : Phase::Unresolved);
    return;
  }
  Wire& wire = parts_.wire;
  const std::uint64_t start = wire.now();
  warm_until_ = start + options_.warmup;
  if (options_.duration != 0) end_ = warm_until_ + options_.duration;
  if (options_.rate > 0) {
    schedule_.emplace(start, options_.hz, options_.rate,
                      options_.random_gaps ? std::optional(options_.seed) : std::nullopt);
  }
  sending_ = true;
  enter(Phase::WarmUp);
  std::uint64_t last = start;
  bool sent = false;
  while (sending_ || parts_.outstanding.open() != 0) {
    const bool received = receive();
    const std::uint64_t now = wire.now();
    // From one look at the clock to the next there is the sending of the turn before and this one's
    // receiving.
    if (measuring_ && sending_ && !sent && !received) idle_ += now - last;
    last = now;
    sent = sending_ && send(now);
    expire(now);
    if (!sending_ && stops() >= 2) {
      while (const Query* query = parts_.outstanding.expire(kNever)) lose(*query, false);
    }
  }
  enter(Phase::Done);
}

bool Engine::resolve() noexcept {
  constexpr std::uint64_t kTriesPerSecond = 5;
  Neighbours& neighbours = parts_.neighbours;
  const std::uint64_t start = parts_.wire.now();
  std::uint64_t next = start;
  while (!neighbours.complete()) {
    const std::uint64_t now = parts_.wire.now();
    if (stops() != 0 || now - start > options_.resolve_timeout) return false;
    if (now >= next) {
      next = now + options_.hz / kTriesPerSecond;
      std::array<std::byte, Neighbours::kMaxFrame> frame;
      for (const bool v6 : {false, true}) {
        if (neighbours.wanted(v6)) parts_.wire.send_one({frame.data(), neighbours.ask(v6, frame.data())});
      }
    }
    receive();
  }
  for (const bool v6 : {false, true}) {
    if (const auto& mac = neighbours.mac(v6)) parts_.frames.set_peer(v6, *mac);
  }
  return true;
}

bool Engine::receive() noexcept {
  std::array<Received, kMaxBurst> received;
  const std::size_t count = parts_.wire.receive(received);
  if (count == 0) return false;
  const std::uint64_t now = parts_.wire.now();
  std::array<Incoming, kMaxBurst> in;
  std::array<Query*, kMaxBurst> slots;
  for (std::size_t i = 0; i < count; ++i) {
    in[i] = classify(received[i].frame, parts_.rules, received[i].checksum_good);
    slots[i] = nullptr;
    if (in[i].kind != FrameKind::Datagram || in[i].message.size() < dns::kHeaderSize) continue;
    slots[i] = parts_.outstanding.find(in[i].port, dns::load_be16(in[i].message.data()));
    if (slots[i] != nullptr) __builtin_prefetch(slots[i]);
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (in[i].kind == FrameKind::Neighbour) {
      answer_neighbour(received[i].frame, in[i]);
    } else {
      take(in[i], slots[i], now);
    }
  }
  return true;
}

void Engine::answer_neighbour(std::span<const std::byte> frame, const Incoming& in) noexcept {
  counters_[measuring_ ? 1 : 0].add(Count::NeighbourSeen);
  std::array<std::byte, Neighbours::kMaxFrame> answer;
  const std::size_t length = parts_.neighbours.handle(frame, in.l3, answer.data());
  if (length != 0) parts_.wire.send_one({answer.data(), length});
}

void Engine::take(const Incoming& in, Query* slot, std::uint64_t now) noexcept {
  // What belongs to no query is counted to the present phase.
  Counters& present = counters_[measuring_ ? 1 : 0];
  switch (in.kind) {
    case FrameKind::BadChecksum:
      return present.add(Count::BadChecksum);
    case FrameKind::Fragment:
      return present.add(Count::Fragment);
    case FrameKind::Other:
    case FrameKind::Neighbour:
      return present.add(Count::Other);
    case FrameKind::Datagram:
      break;
  }
  if (in.message.size() < dns::kHeaderSize) return present.add(Count::Malformed);
  if (slot == nullptr || slot->state == SlotState::Unused || slot->v6 != in.v6 ||
      std::memcmp(in.destination, parts_.sources.octets(in.v6, slot->source), in.v6 ? 16 : 4) != 0) {
    return present.add(Count::WrongId);
  }
  Counters& counters = counters_[slot->measured ? 1 : 0];
  if (slot->state == SlotState::Expired) return counters.add(Count::Late);
  if (slot->state == SlotState::Answered) return counters.add(Count::Duplicate);

  const Judgement judgement = parts_.check.judge(in.message, *slot);
  counters.add(judgement.result);
  if (judgement.result != Count::Received) return;
  counters.add_rcode(judgement.rcode);
  if (judgement.truncated) counters.add(Count::Truncated);
  if (judgement.wrong_rcode) counters.add(Count::WrongRcode);
  if (judgement.wrong_answer) counters.add(Count::WrongAnswer);
  const std::uint64_t ns = clock_.to_ns(now > slot->due ? now - slot->due : 0);
  latency_[slot->measured ? 1 : 0].add(ns);
  if (slot->measured && ns > latency_max_.load(std::memory_order_relaxed))
    latency_max_.store(ns, std::memory_order_relaxed);
  parts_.outstanding.answered(*slot);
}

bool Engine::send(std::uint64_t now) noexcept {
  Wire& wire = parts_.wire;
  if (wire.unsent() == 0) {
    if (finished(now)) {
      end_sending(now);
      return false;
    }
    fill(now);
  } else if (stops() != 0 || (end_ != kNever && now >= end_ + options_.hz)) {
    end_sending(now);  // the port takes nothing any more
  }
  if (wire.unsent() == 0) return false;
  const std::size_t sent = wire.send();
  counters_[burst_measured_ ? 1 : 0].add(Count::Sent, sent);
  if (schedule_ && burst_measured_) {
    for (std::size_t i = sent_of_burst_; i < sent_of_burst_ + sent; ++i)
      lag_.add(clock_.to_ns(now > due_[i] ? now - due_[i] : 0));
  }
  sent_of_burst_ += sent;
  return sent != 0;
}

bool Engine::finished(std::uint64_t now) noexcept {
  if (stops() != 0) return true;
  const std::uint64_t at = schedule_ ? std::min(schedule_->next(), now) : now;
  if (!measuring_ && at >= warm_until_) {
    measuring_ = true;
    measured_from_ = schedule_ ? schedule_->next() : now;
    enter(Phase::Measuring);
  }
  if (options_.count != 0 && drawn_ >= options_.count) return true;
  if (schedule_ && now >= end_)
    return schedule_->next() >= end_ ||
           now - end_ >= static_cast<std::uint64_t>(kGraceSeconds * static_cast<double>(options_.hz));
  return now >= end_;
}

void Engine::end_sending(std::uint64_t now) noexcept {
  sending_ = false;
  const std::size_t left = parts_.wire.unsent();
  for (std::size_t i = 0; i < left; ++i) parts_.outstanding.take_back();
  parts_.wire.discard();
  if (measuring_) {
    // At a rate the last interval belongs to the time measured; a run cut short ends where it is.
    measured_until_ = std::min(end_, now);
    if (schedule_) {
      if (options_.count != 0 && drawn_ >= options_.count) measured_until_ = std::max(now, schedule_->next());
      measured_until_ = std::max(measured_until_, measured_from_);
      const bool counted_out = options_.count != 0 && drawn_ >= options_.count;
      not_sent_ = counted_out ? 0 : schedule_->left_before(measured_until_);
    }
    if (burst_measured_) not_sent_ += left;
  }
  enter(Phase::Draining);
}

std::size_t Engine::wanted(std::uint64_t now) const noexcept {
  std::uint64_t most = options_.burst;
  if (measuring_ && options_.count != 0) most = std::min(most, options_.count - drawn_);
  if (schedule_) return schedule_->due(std::min(now, end_ - 1), static_cast<std::uint32_t>(most));
  if (options_.window == 0) return most;
  const std::uint64_t open = parts_.outstanding.open();
  return open >= options_.window ? 0 : std::min(most, options_.window - open);
}

void Engine::fill(std::uint64_t now) noexcept {
  const std::size_t wanted_now = wanted(now);
  if (wanted_now == 0) return;
  std::array<std::byte*, kMaxBurst> frames;
  const std::size_t count = parts_.wire.reserve(wanted_now, frames);
  std::array<Query, kMaxBurst> queries;
  std::array<std::uint16_t, kMaxBurst> lengths;
  for (std::size_t i = 0; i < count; ++i) {
    draw(queries[i]);
    parts_.questions.prefetch(queries[i].question);
  }
  for (std::size_t i = 0; i < count; ++i) parts_.questions.prefetch_question(queries[i].question);
  for (std::size_t i = 0; i < count; ++i) {
    due_[i] = queries[i].due = schedule_ ? schedule_->take() : now;
    if (parts_.outstanding.full()) {
      const Query* oldest = parts_.outstanding.expire(kNever);
      if (oldest != nullptr) lose(*oldest, true);
    }
    lengths[i] = static_cast<std::uint16_t>(
        parts_.frames.write(queries[i], parts_.outstanding.add(queries[i]), frames[i]));
  }
  parts_.wire.commit({lengths.data(), count});
  sent_of_burst_ = 0;
  burst_measured_ = measuring_;
  if (measuring_) drawn_ += count;
}

void Engine::draw(Query& query) noexcept {
  const std::uint64_t first = random_.u64();
  const std::uint64_t second = random_.u64();
  query.question = parts_.distribution.next();
  query.v6 = (first & 0xffffffff) < v6_;
  query.source = static_cast<std::uint32_t>(((first >> 32) * parts_.sources.count(query.v6)) >> 32);
  query.case_seed = static_cast<std::uint32_t>(first ^ (second >> 17));
  // One draw for EDNS and DO: the queries with DO are some of those with EDNS.
  const std::uint64_t options = second & 0xffffffff;
  std::uint8_t bits = 0;
  if (options < edns_) {
    bits = kEdns;
    if (options < dnssec_ok_) bits |= kDnssecOk;
    if (second >> 32 < cookies_) bits |= kCookie;
  }
  query.options = bits;
  query.measured = measuring_;
}

void Engine::lose(const Query& query, bool early) noexcept {
  Counters& counters = counters_[query.measured ? 1 : 0];
  counters.add(Count::Lost);
  if (early) counters.add(Count::GivenUp);
}

void Engine::expire(std::uint64_t now) noexcept {
  const std::uint64_t deadline = now > options_.timeout ? now - options_.timeout : 0;
  for (int i = 0; i < kExpireAtOnce; ++i) {
    const Query* query = parts_.outstanding.expire(deadline);
    if (query == nullptr) return;
    lose(*query, false);
  }
}

double Engine::idle_share() const noexcept {
  const std::uint64_t all = measured_until_ - measured_from_;
  return all == 0 ? 0 : std::min(static_cast<double>(idle_) / static_cast<double>(all), 1.0);
}

double Engine::measured_seconds() const noexcept {
  return static_cast<double>(measured_until_ - measured_from_) / static_cast<double>(options_.hz);
}

}  // namespace swarmdns::volley
