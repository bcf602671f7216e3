#include "dataplane/dns/query.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "dataplane/simd/chunks.h"
#include "proto/dns/edns.h"
#include "proto/dns/header.h"
#include "proto/dns/types.h"

namespace swarmdns::dns {
namespace {

constexpr std::uint16_t kFixedQuestion = 4;     // type and class
constexpr std::uint16_t kMaxFirstLabels = 254;  // offset of the root label in the longest name

void drop(Query& query, stats::Counter reason) noexcept {
  query.action = Action::Drop;
  query.reason = reason;
}

void status(Query& query, Rcode rcode) noexcept {
  query.action = Action::Status;
  query.rcode = to_u16(rcode);
}

void status(Query& query, Rcode rcode, EdeCode ede) noexcept {
  status(query, rcode);
  query.ede = static_cast<std::uint16_t>(static_cast<std::uint16_t>(ede) + 1);
}

// The length of the name at offset 12 with its root label, 0 when it is malformed: compressed (nothing stands
// before the question that a pointer could name), an unknown label type, longer than 255, or no room behind
// it for type and class.
std::uint16_t walk_name(const std::byte* name, std::size_t available) noexcept {
  if (available < 1 + kFixedQuestion) return 0;
  const std::size_t last = std::min<std::size_t>(kMaxFirstLabels, available - 1 - kFixedQuestion);
  std::size_t at = 0;
  // How many labels a name has is chance: four steps are always taken, without branches; from the root label,
  // and from behind the last place a name can end at, they lead nowhere.
  unsigned longest = 0;
  for (int i = 0; i < 4; ++i) {
    const unsigned label = load_u8(name + simd::least(at, last));
    longest |= label;
    at += label + (simd::opaque(label) != 0 ? 1 : 0);
  }
  if (longest > kMaxLabelSize) return 0;  // one of them is no ordinary label
  while (at <= last) {
    const unsigned label = load_u8(name + at);
    if (label == 0) [[likely]]
      return static_cast<std::uint16_t>(at + 1);
    if (label > kMaxLabelSize) return 0;
    at += 1U + label;
  }
  return 0;
}

// Folds the name into query.folded and sums the question on the way.
void take_question(Query& query) noexcept {
  const std::byte* const name = query.message + kHeaderSize;
  const std::size_t size = query.qname_len;
  std::uint32_t tail;
  std::memcpy(&tail, name + size, sizeof tail);
  const std::uint64_t sum =
      simd::fold_name(query.folded.data(), name, size, std::size_t{query.capacity} - kHeaderSize);
  // Type and class follow, at an odd octet when the name's length is odd.
  query.question_sum = net::fold_sum(sum + net::sum_at(net::fold_sum(tail), size));
}

// RFC 7873 4: 8 octets, or 16 to 40.
bool take_cookie(Query& query, std::size_t at, std::size_t size) noexcept {
  if (size != 8 && (size < 16 || size > 40)) return false;
  if (query.edns.client_cookie_len != 0) return true;  // all but the first are ignored (RFC 7873 5.2)
  std::memcpy(query.edns.client_cookie.data(), query.message + at, 8);
  query.edns.client_cookie_len = 8;
  query.edns.server_cookie_len = static_cast<std::uint8_t>(size - 8);
  query.edns.server_cookie_offset = static_cast<std::uint16_t>(at + 8);
  return true;
}

// Options from `at` to `end`. False: one runs past the end, or breaks its RFC where that says FORMERR. ECS
// (RFC 7871) and all that are unknown are passed over: nothing of them is forwarded.
bool take_options(Query& query, std::size_t at, std::size_t end) noexcept {
  while (at != end) {
    if (end - at < 4) return false;
    const auto code = static_cast<OptionCode>(load_be16(query.message + at));
    const std::size_t size = load_be16(query.message + at + 2);
    at += 4;
    if (end - at < size) return false;
    switch (code) {
      case OptionCode::Cookie:
        if (!take_cookie(query, at, size)) return false;
        break;
      case OptionCode::NSID:
        query.edns.nsid = true;
        break;
      case OptionCode::TcpKeepalive:
        query.edns.keepalive = true;
        break;
      case OptionCode::Padding:
        query.edns.padding = true;
        break;
      default:
        break;
    }
    at += size;
  }
  return true;
}

// The one additional record, which must be OPT. False: FORMERR, and no OPT in the reply.
bool take_opt(Query& query) noexcept {
  const std::byte* const record = query.message + query.question_end;
  const std::size_t available = query.length - query.question_end;
  if (available < kOptFixedSize) return false;
  if (load_u8(record) != 0 || load_be16(record + 1) != to_u16(Type::OPT)) return false;
  const std::size_t options = load_be16(record + 9);
  if (available - kOptFixedSize < options) return false;
  query.edns.payload_size = std::max(load_be16(record + 3), kMinUdpPayload);
  query.edns.version = load_u8(record + 6);
  query.edns.dnssec_ok = (load_u8(record + 7) & 0x80) != 0;
  query.edns.present = true;
  if (options == 0) return true;
  const std::size_t first = query.question_end + kOptFixedSize;
  // An unknown version may have options of another form: only its number is of interest.
  if (query.edns.version != 0 || take_options(query, first, first + options)) return true;
  query.edns.present = false;
  query.edns.client_cookie_len = 0;
  return false;
}

// RFC 6895 3.1, RFC 5936, RFC 8482, RFC 9824 3.5; for what the RFCs leave open, what Unbound answers.
void classify(Query& query) noexcept {
  const auto type = static_cast<Type>(query.qtype);
  if (query.qclass == to_u16(Class::CH)) {
    query.action = Action::Chaos;
  } else if (query.qclass != to_u16(Class::IN)) {
    status(query, Rcode::Refused);
  } else if (!is_meta_type(type)) [[likely]] {
    query.action = Action::Lookup;
  } else if (type == Type::ANY) {
    query.action = Action::AnyHinfo;
  } else if (type == Type::AXFR || type == Type::IXFR) {
    status(query, Rcode::Refused, EdeCode::Prohibited);
  } else {
    status(query, Rcode::FormErr, EdeCode::InvalidQueryType);
  }
}

void reset(Query& query) noexcept {
  query.rcode = 0;
  query.ede = 0;
  query.question_end = kHeaderSize;
  query.question_sum = 0;
  query.qname_len = 0;
  query.cookie_valid = false;
  query.server_cookie_due = false;
  query.cookie_probe = false;
  query.reply_sum = net::kUnknownSum;
  query.limit = kMinUdpPayload;
  EdnsState& edns = query.edns;
  edns.present = edns.dnssec_ok = edns.nsid = edns.keepalive = edns.padding = false;
  edns.version = edns.client_cookie_len = edns.server_cookie_len = 0;
  edns.payload_size = kMinUdpPayload;
}

}  // namespace

void parse_query(std::span<std::byte> buffer, std::uint16_t length, Transport transport,
                 Query& query) noexcept {
  query.message = buffer.data();
  query.length = length;
  query.capacity = static_cast<std::uint16_t>(std::min<std::size_t>(buffer.size(), 0xffff));
  query.transport = transport;
  reset(query);
  if (length < kHeaderSize || length > query.capacity) return drop(query, stats::Counter::DropShortMessage);

  const std::byte* const message = buffer.data();
  std::memcpy(&query.id, message, sizeof query.id);
  query.flags = load_be16(message + 2);
  if ((query.flags & Flags::kQr) != 0) return drop(query, stats::Counter::DropResponse);
  if (transport == Transport::Tcp) query.limit = 0xffff;
  // What follows the header of another opcode has another form (RFC 2136, RFC 8490): it is not looked at.
  if ((query.flags & Flags::kOpcodeMask) != 0) return status(query, Rcode::NotImp);

  // QDCOUNT 1, ANCOUNT 0, NSCOUNT 0, ARCOUNT 0 or 1, all in one word.
  const std::uint64_t counts = load_be64(message + 4);
  constexpr std::uint64_t kOneQuestion = std::uint64_t{1} << 48;
  if ((counts & ~std::uint64_t{1}) != kOneQuestion) [[unlikely]] {
    // RFC 9619 4: more than one question is FORMERR. None is too, but for a query that asks for a cookie (RFC
    // 7873 5.4).
    if (counts != 1 || !take_opt(query)) return status(query, Rcode::FormErr);
    if (transport == Transport::Udp) query.limit = query.edns.payload_size;
    if (query.edns.version != 0) return status(query, Rcode::BadVers);
    if (query.edns.client_cookie_len == 0) return status(query, Rcode::FormErr);
    query.cookie_probe = true;
    return status(query, Rcode::NoError);
  }

  const std::uint16_t name = walk_name(message + kHeaderSize, length - kHeaderSize);
  if (name == 0) return status(query, Rcode::FormErr);
  query.qname_len = static_cast<std::uint8_t>(name);
  query.question_end = static_cast<std::uint16_t>(kHeaderSize + name + kFixedQuestion);
  const std::uint32_t type_class = load_be32(message + kHeaderSize + name);
  query.qtype = static_cast<std::uint16_t>(type_class >> 16);
  query.qclass = static_cast<std::uint16_t>(type_class);
  take_question(query);

  if ((counts & 1) != 0) {
    if (!take_opt(query)) return status(query, Rcode::FormErr);
    if (transport == Transport::Udp) query.limit = query.edns.payload_size;
    if (query.edns.version != 0) return status(query, Rcode::BadVers);  // RFC 6891 6.1.3
  }
  classify(query);
}

bool restore_question(std::span<std::byte> buffer, std::span<const std::byte> qname, std::uint16_t qtype,
                      Query& query) noexcept {
  const std::size_t end = kHeaderSize + qname.size() + kFixedQuestion;
  if (qname.empty() || qname.size() > kMaxNameSize || buffer.size() < end) return false;
  query.message = buffer.data();
  query.length = static_cast<std::uint16_t>(end);
  query.capacity = static_cast<std::uint16_t>(std::min<std::size_t>(buffer.size(), 0xffff));
  reset(query);
  query.action = Action::Lookup;
  query.qname_len = static_cast<std::uint8_t>(qname.size());
  query.question_end = static_cast<std::uint16_t>(end);
  query.qtype = qtype;
  query.qclass = to_u16(Class::IN);
  std::memcpy(buffer.data() + kHeaderSize, qname.data(), qname.size());
  store_be16(buffer.data() + end - 4, qtype);
  store_be16(buffer.data() + end - 2, query.qclass);
  query.question_sum = net::sum_bytes(buffer.data() + kHeaderSize, end - kHeaderSize);
  return true;
}

}  // namespace swarmdns::dns
