#include "dataplane/worker/miss_reply.h"

#include "dataplane/worker/outcome.h"

namespace swarmdns::worker {

using stats::Counter;

std::size_t build_miss_reply(const miss::Reply& reply, const Frame& frame, dns::Query& scratch,
                             const Policy& policy, const Moment& moment, stats::Block& counters) noexcept {
  const miss::Request& request = reply.request;
  const miss::Waiter& waiter = request.waiter;
  const std::span<std::byte> room(frame.data, frame.room);
  const std::span<const std::byte> headers =
      std::span<const std::byte>(waiter.headers).first(waiter.headers_len);
  if (waiter.frame.payload >= room.size() || !net::restore_headers(headers, room) ||
      !dns::restore_query(request, room.subspan(waiter.frame.payload), scratch)) {
    counters.add(Counter::DropNoMbuf);  // a buffer too small to hold what came in another one of its pool
    return 0;
  }
  const cache::Entry* answer = reply.answer;
  if (answer == nullptr) {
    scratch.action = dns::Action::Status;
    scratch.rcode = reply.rcode;
    scratch.ede = reply.ede;
  }
  if (!pass_rate_limit(scratch, answer, policy, moment.ms, counters)) return 0;
  const std::size_t length =
      answer != nullptr ? dns::build_from_entry(scratch, *answer, reply.now, reply.stale, policy.service)
                        : dns::build_local(scratch, policy.service);
  if (length == 0) {
    counters.add(Counter::DropNoQuestionEcho);
    return 0;
  }
  count_reply(scratch, answer, counters);
  if (reply.stale && answer != nullptr) counters.add(Counter::StaleServed);
  counters.add(Counter::MissReplies);
  counters.add(Counter::Replies);
  return net::finish_reply(room, waiter.frame, length, scratch.reply_sum);
}

}  // namespace swarmdns::worker
