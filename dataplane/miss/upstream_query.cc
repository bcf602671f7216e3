#include "dataplane/miss/upstream_query.h"

#include <array>
#include <cstring>

#include "proto/dns/fold.h"
#include "proto/dns/header.h"
#include "proto/dns/query.h"

namespace swarmdns::miss {
namespace {

// splitmix64: spreads one unpredictable seed over the letters of a name.
std::uint64_t next_word(std::uint64_t& state) noexcept {
  state += 0x9e3779b97f4a7c15;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

std::size_t cased_name(const UpstreamQuery& query, std::span<std::byte, 256> out) noexcept {
  std::memcpy(out.data(), query.key.qname, query.key.qname_len);
  if (query.case_seed == 0) return query.key.qname_len;
  std::uint64_t state = query.case_seed;
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < query.key.qname_len; ++i) {
    if (i % 64 == 0) bits = next_word(state);
    const auto c = std::to_integer<unsigned>(out[i]);  // length octets are below 64: no letters
    if (c - 'a' < 26U && (bits >> (i % 64) & 1U) != 0) out[i] = static_cast<std::byte>(c ^ 0x20U);
  }
  return query.key.qname_len;
}

}  // namespace

std::size_t write_upstream_query(const UpstreamQuery& query, std::span<std::byte> out) noexcept {
  std::array<std::byte, 256> name;
  const std::size_t size = cased_name(query, name);
  dns::QuerySpec spec;
  spec.id = query.id;
  spec.name = dns::NameView::trusted({name.data(), size});
  spec.type = static_cast<dns::Type>(query.key.qtype);
  spec.recursion_desired = true;
  spec.checking_disabled = (query.key.flags & cache::kKeyCheckingDisabled) != 0;
  spec.dnssec_ok = (query.key.flags & cache::kKeyDnssecOk) != 0;
  // Clients that set AD without DO want to know too (RFC 6840 5.7), and the cache is one for both.
  spec.authentic_data = true;
  spec.payload_size = query.payload;
  const auto written = dns::write_query(spec, out);
  return written ? *written : 0;
}

bool answers_question(std::span<const std::byte> message, const UpstreamQuery& query) noexcept {
  const std::size_t name_size = query.key.qname_len;
  if (message.size() < dns::kHeaderSize + name_size + 4) return false;
  const dns::HeaderView header(message.data());
  const dns::Flags flags = header.flags();
  if (!flags.qr() || flags.opcode() != dns::Opcode::Query || header.id() != query.id ||
      header.qdcount() != 1) {
    return false;
  }
  const std::byte* name = message.data() + dns::kHeaderSize;
  if (dns::load_be16(name + name_size) != query.key.qtype || dns::load_be16(name + name_size + 2) != 1)
    return false;
  if (query.case_seed == 0) return dns::fold_equal(name, query.key.qname, name_size);
  std::array<std::byte, 256> sent;
  cased_name(query, sent);
  return std::memcmp(name, sent.data(), name_size) == 0;
}

}  // namespace swarmdns::miss
