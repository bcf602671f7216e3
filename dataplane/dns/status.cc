// Replies without sections: errors, truncation, and which builder an action asks for.
#include "dataplane/dns/reply_parts.h"

namespace swarmdns::dns {
namespace {

std::size_t build_bare(Query& query, const ServiceView& service, std::uint16_t more_flags) noexcept {
  const std::size_t end = query.question_end;
  const std::size_t limit = parts::reply_limit(query, service);
  if (end > query.capacity) return 0;
  const parts::OptPlan plan = parts::plan_opt(query, service, query.ede, limit > end ? limit - end : 0);
  if (end + plan.size > query.capacity) return 0;
  // An extended rcode needs OPT to be told.
  const unsigned rcode = query.rcode > 15 && plan.size == 0 ? to_u16(Rcode::ServFail) : query.rcode;
  const std::uint64_t header_sum = parts::write_header(
      query, parts::reply_flags(query.flags, rcode) | more_flags, parts::opt_record(plan));
  const std::uint64_t opt_sum = parts::write_opt(query, service, plan, end, rcode);
  query.reply_sum = net::fold_sum(header_sum + query.question_sum + opt_sum);
  return end + plan.size;
}

}  // namespace

std::size_t build_status(Query& query, const ServiceView& service) noexcept {
  return build_bare(query, service, 0);
}

std::size_t build_truncated(Query& query, const ServiceView& service) noexcept {
  return build_bare(query, service, Flags::kTc);
}

std::size_t build_local(Query& query, const ServiceView& service) noexcept {
  switch (query.action) {
    case Action::Status:
      return build_status(query, service);
    case Action::Chaos:
      return build_chaos(query, service);
    case Action::AnyHinfo:
      return build_any(query, service);
    case Action::Truncate:
      return build_truncated(query, service);
    case Action::Lookup:
    case Action::Drop:
      break;
  }
  return 0;
}

}  // namespace swarmdns::dns
