// The EDNS options of replies: COOKIE (RFC 7873), NSID (RFC 5001), EDE (RFC 8914), keepalive (RFC 7828).
#include "dataplane/dns/reply_parts.h"

namespace swarmdns::dns::parts {
namespace {

constexpr std::size_t kOptionHeader = 4;
constexpr std::size_t kCookieOption = kOptionHeader + 8 + 16;
constexpr std::size_t kEdeOption = kOptionHeader + 2;
constexpr std::size_t kKeepaliveOption = kOptionHeader + 2;

std::byte* put_header(std::byte* at, OptionCode code, std::size_t size) noexcept {
  store_be16(at, static_cast<std::uint16_t>(code));
  store_be16(at + 2, static_cast<std::uint16_t>(size));
  return at + kOptionHeader;
}

}  // namespace

OptPlan plan_options(const Query& query, const ServiceView& service, std::uint16_t ede,
                     std::size_t room) noexcept {
  OptPlan plan;
  plan.size = kOptFixedSize;
  const auto take = [&](std::size_t size) {
    if (plan.size + size > room) return false;
    plan.size += size;
    return true;
  };
  // In the order of their worth.
  if (query.server_cookie_due) plan.cookie = take(kCookieOption);
  // Only over TCP (RFC 7828 3.2.1), and only when asked for.
  if (query.edns.keepalive && query.transport == Transport::Tcp) plan.keepalive = take(kKeepaliveOption);
  if (ede != 0 && take(kEdeOption)) plan.ede = ede;
  if (query.edns.nsid && !service.nsid.empty()) plan.nsid = take(kOptionHeader + service.nsid.size());
  return plan;
}

void write_options(std::byte* opt, const Query& query, const ServiceView& service,
                   const OptPlan& plan) noexcept {
  std::byte* at = opt + kOptFixedSize;
  if (plan.cookie) {
    at = put_header(at, OptionCode::Cookie, kCookieOption - kOptionHeader);
    std::memcpy(at, query.edns.client_cookie.data(), query.edns.client_cookie.size());
    std::memcpy(at + 8, query.reply_cookie.data(), query.reply_cookie.size());
    at += kCookieOption - kOptionHeader;
  }
  if (plan.keepalive) {
    at = put_header(at, OptionCode::TcpKeepalive, 2);
    store_be16(at, service.tcp_keepalive_ds);
    at += 2;
  }
  if (plan.ede != 0) {
    at = put_header(at, OptionCode::ExtendedError, 2);
    store_be16(at, static_cast<std::uint16_t>(plan.ede - 1));
    at += 2;
  }
  if (plan.nsid) {
    at = put_header(at, OptionCode::NSID, service.nsid.size());
    std::memcpy(at, service.nsid.data(), service.nsid.size());
  }
}

}  // namespace swarmdns::dns::parts
