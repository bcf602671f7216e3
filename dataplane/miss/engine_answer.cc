// What upstreams say, and what becomes of it.
#include <algorithm>
#include <utility>

#include "dataplane/miss/engine.h"
#include "dataplane/miss/upstream_query.h"
#include "proto/dns/message.h"

namespace swarmdns::miss {
namespace {

constexpr std::uint64_t kLinger = 200'000;           // µs: longer than the writer takes to show an insert
constexpr std::uint64_t kPrefetchAgain = 1'000'000;  // µs at most until a prefetch is tried once more
constexpr std::uint8_t kPrefetchTries = 2;
constexpr std::uint8_t kServFail = 2;
constexpr std::uint8_t kYxDomain = 6;

// RFC 8914: the answer was there and was found to be false. Stale data must never stand in for it.
constexpr bool is_bogus(std::uint16_t ede) noexcept {
  if (ede == 0) return false;
  const unsigned code = ede - 1U;
  return (code >= 5 && code <= 12) || code == 1 || code == 2 || code == 25 || code == 27;
}

// Neither is it a failure when a name cannot be built (DNAME, RFC 6672 2.2): that is the zone's own answer.
constexpr bool is_failure(const dns::RenderedAnswer& rendered) noexcept {
  return rendered.kind == dns::AnswerKind::Failure && rendered.rcode != kYxDomain;
}

}  // namespace

void Engine::on_message(std::uint16_t socket, std::span<const std::byte> message) {
  if (message.size() < dns::kHeaderSize) {
    counters_.add(stats::Counter::UpstreamMalformed);
    return;
  }
  const FlightKey flight{socket, dns::load_be16(message.data())};
  const InFlight::Owner* found = in_flight_.find(flight);
  if (found == nullptr) {
    counters_.add(stats::Counter::UpstreamMismatched);  // late, or guessed
    return;
  }
  const InFlight::Owner owner = *found;
  Pending& pending = pending_[owner.question];
  const Attempt attempt = pending.attempts[owner.attempt];
  if (!answers_question(message, {pending.key(), flight.id, attempt.case_seed, 0})) {
    counters_.add(stats::Counter::UpstreamMismatched);
    return;
  }
  const bool cut = dns::HeaderView(message.data()).flags().tc();
  auto parsed = dns::Message::parse(message);
  if (!parsed && !cut) {
    counters_.add(stats::Counter::UpstreamMalformed);
    // A forger would have had to know the ID: this is the upstream itself, and by TCP it may do better.
    if (attempt.tcp) {
      end_attempt(pending, owner.attempt);
      fail(owner.question, kServFail, 24 + 1, false, upstream_ids_[attempt.server]);  // Invalid Data
      return;
    }
  }
  counters_.add(stats::Counter::UpstreamReplies);
  if (attempt.resent) {
    servers_.replied(attempt.server, 0, now_us_);
  } else {
    servers_.replied(attempt.server, std::max<std::uint64_t>(now_us_ - attempt.sent_us, 1), now_us_);
  }
  end_attempt(pending, owner.attempt);

  if (!attempt.tcp && (cut || !parsed)) {  // RFC 1035 4.2.1, RFC 7766 5
    pending.needs_tcp = true;
    pending.tried &= ~(1U << attempt.server);
    if (ask_tcp(owner.question, attempt.server)) {
      pending.tried |= 1U << attempt.server;
      servers_.asked(attempt.server);
      counters_.add(stats::Counter::UpstreamQueries);
    }
    pending.try_us =
        pending.tries < options_->tries ? now_us_ + std::uint64_t{options_->timeout_ms} * 1000 : 0;
    arm(owner.question);
    return;
  }
  if (cut) {  // TC over TCP means nothing (RFC 7766 8 knows no such thing)
    counters_.add(stats::Counter::UpstreamMalformed);
    fail(owner.question, kServFail, 24 + 1, false, upstream_ids_[attempt.server]);
    return;
  }
  const dns::RenderRules rules{options_->min_ttl_s, options_->max_ttl_s, options_->max_negative_ttl_s};
  const auto rendered = renderer_.render(*parsed, rules);
  if (!rendered) {
    counters_.add(stats::Counter::UpstreamMalformed);
    dns::RenderedAnswer broken;
    broken.rcode = kServFail;
    broken.ede = 24 + 1;
    on_rendered(owner.question, attempt.server, broken);
    return;
  }
  on_rendered(owner.question, attempt.server, *rendered);
}

void Engine::on_rendered(std::uint32_t index, std::uint8_t server, const dns::RenderedAnswer& rendered) {
  if (!is_failure(rendered)) {
    conclude(index, server, rendered);
    return;
  }
  Pending& pending = pending_[index];
  const bool bogus = rendered.rcode == kServFail && is_bogus(rendered.ede);
  pending.tried |= 1U << server;
  const bool another = (servers_.active() & ~pending.tried) != 0;
  if (!bogus && another && pending.tries < options_->tries) {
    pending.failed_rcode = rendered.rcode;
    pending.failed_ede = rendered.ede;
    ask(index);
    return;
  }
  if (!bogus && pending.attempt_count > 0) {
    // Another upstream still works on it and may know better.
    pending.failed_rcode = rendered.rcode;
    pending.failed_ede = rendered.ede;
    return;
  }
  fail(index, rendered.rcode, rendered.ede, bogus, upstream_ids_[server]);
}

cache::EntryImage Engine::make_image(const cache::Key& key, const dns::RenderedAnswer& rendered,
                                     std::uint32_t ttl_s, std::uint8_t flags) const {
  cache::EntryContent content;
  content.key = key;
  content.rcode = rendered.rcode;
  content.flags =
      static_cast<std::uint8_t>(flags | (rendered.authenticated ? cache::Entry::kAuthenticated : 0));
  content.answers = rendered.answers;
  content.authorities = rendered.authorities;
  content.additionals = rendered.additionals;
  content.ede = rendered.ede;
  content.born = seconds();
  content.expires = content.born + ttl_s;
  content.sections = rendered.sections;
  auto image = cache::EntryImage::build_rendered(content, rendered.ttl_offsets, rendered.sections_sum);
  return image ? std::move(*image) : cache::EntryImage{};
}

void Engine::conclude(std::uint32_t index, std::uint8_t server, const dns::RenderedAnswer& rendered) {
  Pending& pending = pending_[index];
  const bool negative =
      rendered.kind == dns::AnswerKind::NoData || rendered.kind == dns::AnswerKind::NxDomain;
  cache::EntryImage image = make_image(pending.key(), rendered, rendered.ttl_s,
                                       negative ? cache::Entry::kNegative : std::uint8_t{0});
  // Asked before a flush: those who wait are answered, but nothing comes back that an operator has just
  // thrown out.
  const bool current = pending.epoch == store_.epoch();
  const bool keep = image && rendered.cacheable && rendered.ttl_s > 0 && current &&
                    rendered.kind != dns::AnswerKind::Failure && image.size() <= options_->max_entry_bytes &&
                    image.size() <= cache::Entry::kMaxSize;
  if (pending.prefetch && pending.waiter_count == 0 && image.get() != nullptr &&
      image.entry().expires <= pending.prefetch_expires + 1) {
    // The upstream gave what it had left, and refreshes meanwhile if it is of that kind: once more, later.
    if (pending.prefetch_tries + 1 < kPrefetchTries && current) {
      ++pending.prefetch_tries;
      counters_.add(stats::Counter::PrefetchRetried);
      end_attempts(pending);
      const std::uint64_t end_us = std::uint64_t{pending.prefetch_expires} * 1'000'000;
      const std::uint64_t left_us = end_us > now_us_ ? end_us - now_us_ : 0;
      pending.state = Pending::State::Resting;
      pending.linger_us = now_us_ + std::min(kPrefetchAgain, left_us / 2);
      arm(index);
      return;
    }
    if (keep && image.entry().expires > pending.prefetch_expires)
      store_.submit(image, pending.epoch, upstream_ids_[server]);
    release(index);
    return;
  }
  if (keep) store_.submit(image, pending.epoch, upstream_ids_[server]);
  reply_all(pending, image, false);
  if (keep) {
    linger(index, std::move(image), false, kLinger);
  } else {
    release(index);
  }
}

const cache::Entry* Engine::usable_entry(const Pending& pending) const noexcept {
  const cache::Entry* entry = store_.find(pending.key());
  if (entry == nullptr || (entry->flags & cache::Entry::kFailure) != 0) return nullptr;
  const cache::Seconds now = seconds();
  if (entry->expires > now) return entry;
  return options_->stale_max_s != 0 && now - entry->expires < options_->stale_max_s ? entry : nullptr;
}

bool Engine::give_stale(std::uint32_t index) {
  Pending& pending = pending_[index];
  const cache::Entry* entry = usable_entry(pending);
  if (entry == nullptr) return false;
  pending.answer = cache::EntryImage::copy_of(*entry);
  pending.answer_stale = entry->expires <= seconds();
  reply_all(pending, pending.answer, pending.answer_stale);
  return true;
}

void Engine::fail(std::uint32_t index, std::uint8_t rcode, std::uint16_t ede, bool bogus,
                  cache::UpstreamId upstream) {
  Pending& pending = pending_[index];
  if (!bogus && give_stale(index)) {
    // RFC 8767 5, failure recheck timer: who asks in the next time gets the stale answer at once.
    if (pending.answer_stale) {
      cache::EntryImage stale = pending.answer;
      linger(index, std::move(stale), true, std::uint64_t{options_->stale_recheck_s} * 1'000'000);
    } else {
      release(index);  // a prefetch that failed: the entry is still good
    }
    return;
  }
  dns::RenderedAnswer failure;
  failure.rcode = rcode;
  failure.ede = ede;
  // RFC 9520 3.2: remembered for a short time, so that failing names do not cost a query each.
  cache::EntryImage image =
      make_image(pending.key(), failure, options_->servfail_ttl_s, cache::Entry::kFailure);
  const bool keep =
      image && options_->servfail_ttl_s > 0 && !pending.asked_again && pending.epoch == store_.epoch();
  if (keep) store_.submit(image, pending.epoch, upstream);
  reply_all(pending, image, false);
  if (keep) {
    linger(index, std::move(image), false, kLinger);
  } else {
    release(index);
  }
}

}  // namespace swarmdns::miss
