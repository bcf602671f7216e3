#include "dataplane/stream/query_service.h"

#include "dataplane/dns/reply.h"
#include "dataplane/worker/outcome.h"
#include "proto/dns/types.h"

namespace swarmdns::stream {
namespace {

using cache::Entry;
using stats::Counter;

constexpr std::uint16_t kEdeProhibited = 18 + 1;        // RFC 8914 4.19
constexpr std::uint16_t kEdeNotAuthoritative = 20 + 1;  // RFC 8914 4.21: RD = 0, and nothing cached

void set_status(dns::Query& query, std::uint16_t rcode, std::uint16_t ede) noexcept {
  query.action = dns::Action::Status;
  query.rcode = rcode;
  query.ede = ede;
}

}  // namespace

bool QueryService::guard(dns::Query& query) noexcept {
  const worker::Policy& policy = *moment_.policy;
  switch (policy.acl->check(query.source)) {
    case guard::AclAction::Allow:
      break;
    case guard::AclAction::Deny:
      counters_.add(Counter::DropAcl);
      return false;
    case guard::AclAction::Refuse:
      set_status(query, dns::to_u16(dns::Rcode::Refused), kEdeProhibited);
      break;
  }
  switch (guard::guard_cookies(policy.cookies.get(), query, moment_.wall_s)) {
    case guard::CookieVerdict::None:
      break;
    case guard::CookieVerdict::ClientOnly:
      counters_.add(Counter::CookieOnlyClient);
      break;
    case guard::CookieVerdict::Valid:
      counters_.add(Counter::CookieValid);
      break;
    case guard::CookieVerdict::Invalid:
      counters_.add(Counter::CookieInvalid);
      break;
  }
  return true;
}

QueryService::Result QueryService::handle(std::span<std::byte> buffer, std::uint16_t length,
                                          dns::Transport transport, const net::Address& client,
                                          std::uint16_t client_port, std::uint64_t handle) noexcept {
  dns::Query& query = query_;
  query.source = client;
  dns::parse_query(buffer, length, transport, query);
  if (query.action == dns::Action::Drop) {
    counters_.add(query.reason);
    return {};
  }
  counters_.add(Counter::Queries);
  if (!guard(query)) return {};
  if (query.action == dns::Action::Drop) {
    counters_.add(query.reason);
    return {};
  }
  if (query.action != dns::Action::Lookup) {
    counters_.add(Counter::LocalAnswers);
    return {finish(query, nullptr, moment_.now, false), false};
  }

  const worker::Policy& policy = *moment_.policy;
  query.hash = reader_.hash_padded(query.key());
  const Entry* entry = reader_.find(query.hash, query.key());
  if (entry != nullptr && moment_.now < entry->expires) {
    counters_.add(Counter::CacheHits);
    if ((entry->flags & Entry::kNegative) != 0) counters_.add(Counter::CacheHitsNegative);
    const std::uint64_t left = entry->expires - moment_.now;
    const std::uint64_t life = entry->expires - entry->born;
    if (left * 100 <= life * policy.prefetch_percent && (entry->flags & Entry::kFailure) == 0 &&
        query.recursion_desired() && entry->prefetch_asked.load(std::memory_order_relaxed) == 0 &&
        ask(query, miss::Kind::Prefetch, client_port, handle)) {
      entry->prefetch_asked.store(1, std::memory_order_relaxed);
      counters_.add(Counter::PrefetchAsked);
    }
    return {finish(query, entry, moment_.now, false), false};
  }
  if (!query.recursion_desired()) {  // RD = 0 never causes a miss
    counters_.add(Counter::LocalAnswers);
    set_status(query, dns::to_u16(dns::Rcode::Refused), kEdeNotAuthoritative);
    return {finish(query, nullptr, moment_.now, false), false};
  }
  const bool stale = entry != nullptr && (entry->flags & Entry::kFailure) == 0 &&
                     moment_.now - entry->expires < policy.stale_max_s;
  if (ask(query, stale ? miss::Kind::Stale : miss::Kind::Miss, client_port, handle)) {
    counters_.add(Counter::CacheMisses);
    return {0, true};
  }
  if (stale) {  // no refresh can even be tried
    counters_.add(Counter::StaleServed);
    return {finish(query, entry, moment_.now, true), false};
  }
  if (transport == dns::Transport::Udp) {
    counters_.add(Counter::DropMissRingFull);
    return {};
  }
  set_status(query, dns::to_u16(dns::Rcode::ServFail), 0);
  return {finish(query, nullptr, moment_.now, false), false};
}

bool QueryService::ask(const dns::Query& query, miss::Kind kind, std::uint16_t client_port,
                       std::uint64_t handle) noexcept {
  miss::Request* request = misses_.claim();
  if (request == nullptr) return false;
  request->kind = kind;
  dns::save_query(query, *request);
  miss::Waiter& waiter = request->waiter;
  waiter.port = 0;
  waiter.headers_len = 0;
  waiter.frame = {};
  waiter.frame.source = query.source;
  waiter.frame.source_port = client_port;
  waiter.handle = handle;
  waiter.asked_tsc = moment_.ns;
  misses_.publish();
  if (kind != miss::Kind::Prefetch) {
    ++asked_;
    ++outstanding_;
  }
  return true;
}

std::size_t QueryService::finish(dns::Query& query, const Entry* entry, cache::Seconds now,
                                 bool stale) noexcept {
  const worker::Policy& policy = *moment_.policy;
  if (query.transport == dns::Transport::Udp &&
      !worker::pass_rate_limit(query, entry, policy, moment_.ms, counters_)) {
    return 0;
  }
  const std::size_t length = entry != nullptr
                                 ? dns::build_from_entry(query, *entry, now, stale, policy.service)
                                 : dns::build_local(query, policy.service);
  if (length == 0) {
    counters_.add(Counter::DropNoQuestionEcho);
    return 0;
  }
  worker::count_reply(query, entry, counters_);
  counters_.add(Counter::Replies);
  return length;
}

std::size_t QueryService::build(const miss::Reply& reply, std::span<std::byte> buffer) noexcept {
  dns::Query& query = query_;
  if (!dns::restore_query(reply.request, buffer, query)) {
    counters_.add(Counter::DropNoQuestionEcho);
    return 0;
  }
  query.cookie_valid = false;
  if (reply.answer == nullptr) set_status(query, reply.rcode, reply.ede);
  const std::size_t length = finish(query, reply.answer, reply.now, reply.stale);
  if (length == 0) return 0;
  counters_.add(Counter::MissReplies);
  if (reply.stale && reply.answer != nullptr) counters_.add(Counter::StaleServed);
  return length;
}

}  // namespace swarmdns::stream
