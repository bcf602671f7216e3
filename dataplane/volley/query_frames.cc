#include "dataplane/volley/query_frames.h"

#include <algorithm>
#include <cstring>

#include "dataplane/net/checksum.h"
#include "proto/dns/edns_write.h"
#include "proto/dns/fold.h"

namespace swarmdns::volley {
namespace {

constexpr std::uint16_t kVlanTpid = 0x8100;
constexpr std::size_t kCookieAt = dns::kOptFixedSize + 4;  // in OPT: behind the option's code and length

// A 16-bit number as it lies in memory, for partial sums.
constexpr std::uint16_t be16(std::size_t value) noexcept {
  return __builtin_bswap16(static_cast<std::uint16_t>(value));
}

// Bit 0x20 of every octet that is a letter.
constexpr std::uint64_t letters_of(std::uint64_t word) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  const std::uint64_t lower = dns::fold_word(word);
  const std::uint64_t low = lower & (kOnes * 0x7f);
  const std::uint64_t from_a = low + kOnes * (0x80 - 'a');
  const std::uint64_t above_z = low + kOnes * (0x7f - 'z');
  return ((from_a ^ above_z) & ~lower & (kOnes * 0x80)) >> 2;
}

// Turns the case of each letter of a wire-format name by a bit of the seed's; twice is as never. Length
// octets are no letters (proto/dns/fold.h).
void turn_case(std::byte* name, std::size_t length, std::uint32_t seed) noexcept {
  for (std::size_t i = 0; i < length; i += 8) {
    const std::size_t part = std::min<std::size_t>(8, length - i);
    std::uint64_t word = 0;
    std::memcpy(&word, name + i, part);
    word ^= letters_of(word) & mix64((std::uint64_t{seed} << 8) + i);
    std::memcpy(name + i, &word, part);
  }
}

}  // namespace

QueryFrames::QueryFrames(const FrameOptions& options, const QueryList& questions, const Sources& sources)
    : options_(options), questions_(questions), sources_(sources) {
  for (std::uint8_t kind = 0; kind < kOptionKinds; ++kind) build_tail(kind);
  build_head(false);
  build_head(true);
}

void QueryFrames::build_tail(std::uint8_t options) {
  if ((options & kEdns) == 0) return;
  Tail& tail = tails_[options];
  dns::OptWriter opt(tail.octets,
                     {.payload_size = options_.payload_size, .dnssec_ok = (options & kDnssecOk) != 0});
  const dns::ClientCookie none{};
  if ((options & kCookie) != 0) (void)opt.cookie(none, {});  // there is room for it
  tail.size = static_cast<std::uint8_t>(opt.size());
  tail.sum = net::sum_bytes(tail.octets.data(), tail.size);
}

void QueryFrames::build_head(bool v6) {
  const auto& target = v6 ? options_.target_v6 : options_.target_v4;
  if (!target) return;
  Head& head = heads_[v6 ? 1 : 0];
  std::byte* const frame = head.octets.data();
  std::memcpy(frame + 6, options_.own_mac.data(), 6);
  std::size_t at = 12;
  if (options_.vlan) {
    dns::store_be16(frame + at, kVlanTpid);
    dns::store_be16(frame + at + 2, *options_.vlan);
    at += net::kVlanTag;
  }
  dns::store_be16(frame + at, v6 ? 0x86dd : 0x0800);
  at += 2;
  head.l3 = static_cast<std::uint8_t>(at);
  const auto octets = target->octets();
  std::byte* const ip = frame + at;
  if (v6) {
    ip[0] = std::byte{0x60};
    ip[6] = std::byte{17};
    ip[7] = std::byte{64};
    std::memcpy(ip + 24, octets.data(), 16);
    at += net::kIpv6Header;
  } else {
    ip[0] = std::byte{0x45};
    ip[6] = std::byte{0x40};  // DF: no identification is needed then (RFC 6864 4.1)
    ip[8] = std::byte{64};
    ip[9] = std::byte{17};
    std::memcpy(ip + 16, octets.data(), 4);
    head.ip_sum = net::sum_bytes(ip, net::kIpv4Header);
    at += net::kIpv4Header;
  }
  std::byte* const udp = frame + at;
  dns::store_be16(udp + 2, options_.target_port);
  at += net::kUdpHeader;
  dns::Flags flags;
  flags.set_rd(options_.recursion_desired).set_cd(options_.checking_disabled);
  dns::store_be16(frame + at + 2, flags.bits());
  dns::store_be16(frame + at + 4, 1);  // QDCOUNT
  at += kDnsHeader;
  head.size = static_cast<std::uint8_t>(at);
  head.udp_sum =
      net::sum_bytes(udp, net::kUdpHeader + kDnsHeader) +
      std::uint64_t{net::sum_bytes(reinterpret_cast<const std::byte*>(octets.data()), octets.size())} +
      be16(17);
}

void QueryFrames::set_peer(bool v6, const net::MacAddress& mac) noexcept {
  std::memcpy(heads_[v6 ? 1 : 0].octets.data(), mac.data(), mac.size());
}

dns::ClientCookie QueryFrames::cookie(const Query& query) const noexcept {
  const std::uint64_t value =
      mix64(options_.seed ^ 0x636f6f6b6965 ^ (std::uint64_t{query.source} << 1) ^ (query.v6 ? 1U : 0U));
  dns::ClientCookie cookie;
  std::memcpy(cookie.data(), &value, sizeof value);
  return cookie;
}

std::size_t QueryFrames::write(const Query& query, Outstanding::Flow flow, std::byte* frame) const noexcept {
  const Head& head = heads_[query.v6 ? 1 : 0];
  const Tail& tail = tails_[query.options];
  const dns::Bytes question = questions_.question(query.question);
  std::byte* const ip = frame + head.l3;
  std::byte* const udp = ip + (query.v6 ? net::kIpv6Header : net::kIpv4Header);
  std::byte* const message = udp + net::kUdpHeader;
  std::byte* const asked = message + kDnsHeader;

  std::memcpy(frame, head.octets.data(), head.octets.size());  // a fixed size is copied without a call
  std::memcpy(asked, question.data(), question.size());
  std::uint64_t question_sum = questions_.sum(query.question);
  if (options_.random_case) {
    turn_case(asked, question.size() - 4, query.case_seed);
    question_sum = net::sum_bytes(asked, question.size());
  }
  std::uint16_t tail_sum = tail.sum;
  if (tail.size != 0) {
    std::byte* const opt = asked + question.size();
    std::memcpy(opt, tail.octets.data(), tail.octets.size());
    if ((query.options & kCookie) != 0) {
      const dns::ClientCookie client = cookie(query);
      std::memcpy(opt + kCookieAt, client.data(), client.size());
      tail_sum =
          net::fold_sum(tail_sum + net::sum_at(net::sum_bytes(client.data(), client.size()), kCookieAt));
    }
    message[11] = std::byte{1};  // ARCOUNT
  }

  const std::size_t message_size = kDnsHeader + question.size() + tail.size;
  const std::size_t udp_size = net::kUdpHeader + message_size;
  const std::uint64_t source_sum = sources_.sum(query.v6, query.source);
  if (query.v6) {
    dns::store_be16(ip + 4, static_cast<std::uint16_t>(udp_size));
    std::memcpy(ip + 8, sources_.octets(true, query.source), 16);
  } else {
    const std::size_t ip_size = net::kIpv4Header + udp_size;
    dns::store_be16(ip + 2, static_cast<std::uint16_t>(ip_size));
    const auto checksum =
        static_cast<std::uint16_t>(~net::fold_sum(head.ip_sum + be16(ip_size) + source_sum));
    std::memcpy(ip + 10, &checksum, sizeof checksum);
    std::memcpy(ip + 12, sources_.octets(false, query.source), 4);
  }
  dns::store_be16(udp, flow.port);
  dns::store_be16(udp + 4, static_cast<std::uint16_t>(udp_size));
  dns::store_be16(message, flow.id);
  const std::uint64_t sum = head.udp_sum + source_sum + be16(flow.port) + 2 * std::uint64_t{be16(udp_size)} +
                            be16(flow.id) + question_sum + net::sum_at(tail_sum, question.size()) +
                            (tail.size != 0 ? be16(1) : 0U);
  auto checksum = static_cast<std::uint16_t>(~net::fold_sum(sum));
  if (checksum == 0) checksum = 0xffff;  // 0 would say that there is none (RFC 768)
  std::memcpy(udp + 6, &checksum, sizeof checksum);
  return static_cast<std::size_t>(message - frame) + message_size;
}

bool QueryFrames::same_question(const Query& query, const std::byte* question) const noexcept {
  const dns::Bytes asked = questions_.question(query.question);
  if (!options_.random_case) return std::memcmp(question, asked.data(), asked.size()) == 0;
  std::array<std::byte, kMaxQuestionSize> turned;
  std::memcpy(turned.data(), asked.data(), asked.size());
  turn_case(turned.data(), asked.size() - 4, query.case_seed);
  return std::memcmp(question, turned.data(), asked.size()) == 0;
}

}  // namespace swarmdns::volley
