#include "dataplane/dns/render.h"

#include <algorithm>
#include <array>
#include <optional>

#include "dataplane/net/checksum.h"
#include "proto/dns/rdata.h"
#include "proto/dns/writer.h"

namespace swarmdns::dns {
namespace {

constexpr std::size_t kMaxMessage = 65535;
// The shortest record is 11 octets: no message has more.
constexpr std::size_t kMaxRecords = (kMaxMessage - kHeaderSize) / 11;

// Records about the exchange with the upstream, not about the answer: OPT (RFC 6891 6.2.3: hop by hop), TSIG,
// SIG(0).
bool is_hop_by_hop(const RecordView& record) noexcept {
  const Type type = record.type();
  if (type == Type::OPT || type == Type::TSIG) return true;
  return type == Type::SIG && record.rdata().size() >= 2 && load_be16(record.rdata().data()) == 0;
}

bool has_type(const RecordRange& records, Type type) noexcept {
  for (const RecordView& record : records) {
    if (record.type() == type) return true;
  }
  return false;
}

AnswerKind kind_of(const Message& response, Type qtype) noexcept {
  switch (response.rcode()) {
    case Rcode::NoError:
      return has_type(response.answers(), qtype) ? AnswerKind::Positive : AnswerKind::NoData;
    case Rcode::NXDomain:
      return AnswerKind::NxDomain;
    default:
      return AnswerKind::Failure;
  }
}

// The TTL of a negative answer before bounds (RFC 2308 5), or none without a SOA.
std::optional<std::uint32_t> soa_ttl(const Message& response) noexcept {
  for (const RecordView& record : response.authority()) {
    if (record.type() != Type::SOA) continue;
    const auto ttl = negative_ttl(record);
    if (ttl) return *ttl;
  }
  return std::nullopt;
}

// Covers what carries the TTL of a negative answer: the SOA, and the RRSIG over it, whose TTL is that of its
// RRset (RFC 4034 3).
bool is_soa_or_its_signature(const RecordView& record) noexcept {
  if (record.type() == Type::SOA) return true;
  return record.type() == Type::RRSIG && record.rdata().size() >= 2 &&
         load_be16(record.rdata().data()) == to_u16(Type::SOA);
}

// An answer for some clients only (RFC 7871 7.3.1), or one that we cannot read.
bool is_scoped(const Opt& opt) noexcept {
  const auto option = opt.find(OptionCode::ClientSubnet);
  if (!option) return false;
  const auto subnet = parse_client_subnet(*option);
  return !subnet || subnet->scope_prefix != 0;
}

std::uint16_t ede_of(const Opt& opt) noexcept {
  const auto option = opt.find(OptionCode::ExtendedError);
  if (!option) return 0;
  const auto error = parse_extended_error(*option);
  if (!error || static_cast<std::uint16_t>(error->code) == 0xffff) return 0;
  return static_cast<std::uint16_t>(static_cast<std::uint16_t>(error->code) + 1);
}

}  // namespace

struct Renderer::Scratch {
  std::array<std::byte, kMaxMessage> message;
  std::array<std::uint16_t, kMaxRecords> ttl_offsets;
};

Renderer::Renderer() : scratch_(new Scratch) {}
Renderer::~Renderer() = default;

std::string_view to_text(RenderError error) noexcept {
  switch (error) {
    case RenderError::Truncated:
      return "truncated";
    case RenderError::NoQuestion:
      return "not exactly one question";
    case RenderError::NotAnswer:
      return "not an answer to a query";
    case RenderError::BadRecord:
      return "a record of a foreign class or of a meta type";
    case RenderError::TooLarge:
      return "larger than a message";
  }
  return "unknown";
}

std::expected<RenderedAnswer, RenderError> Renderer::render(const Message& response,
                                                            const RenderRules& rules) noexcept {
  const Flags flags = response.flags();
  if (!flags.qr() || flags.opcode() != Opcode::Query || to_u16(response.rcode()) > 15) {
    return std::unexpected(RenderError::NotAnswer);
  }
  if (flags.tc()) return std::unexpected(RenderError::Truncated);
  if (response.question_count() != 1) return std::unexpected(RenderError::NoQuestion);
  const Question& question = *response.question();

  RenderedAnswer answer;
  answer.rcode = static_cast<std::uint8_t>(to_u16(response.rcode()));
  answer.kind = kind_of(response, question.type);
  answer.authenticated = flags.ad();
  const bool scoped = response.opt() && is_scoped(*response.opt());
  if (response.opt()) answer.ede = ede_of(*response.opt());
  // Whatever a failure carries is nobody's answer; only YXDOMAIN brings the DNAME that explains it (RFC 6672
  // 2.2).
  if (answer.kind == AnswerKind::Failure && response.rcode() != Rcode::YXDomain) return answer;

  const bool negative = answer.kind != AnswerKind::Positive;
  const auto soa = negative ? soa_ttl(response) : std::nullopt;
  const std::uint32_t max_ttl = std::max(rules.max_ttl_s, rules.min_ttl_s);
  const std::uint32_t max_negative = std::max(std::min(rules.negative_max_ttl_s, max_ttl), rules.min_ttl_s);

  Writer writer(scratch_->message, Compression::ExactCase);
  if (!writer.question(question.name, question.type, question.klass))
    return std::unexpected(RenderError::TooLarge);
  const std::size_t begin = writer.size();
  std::uint32_t least = max_ttl;
  std::size_t records = 0;
  std::uint64_t ttl_sum = 0;
  std::uint16_t* const counts[] = {&answer.answers, &answer.authorities, &answer.additionals};
  for (const Section section : {Section::Answer, Section::Authority, Section::Additional}) {
    for (const RecordView& record : response.section(section)) {
      if (is_hop_by_hop(record)) continue;
      if (record.klass() != question.klass || is_meta_type(record.type()))
        return std::unexpected(RenderError::BadRecord);
      std::uint32_t ttl = std::clamp(record.ttl(), rules.min_ttl_s, max_ttl);
      if (soa && section == Section::Authority && is_soa_or_its_signature(record)) {
        ttl = std::clamp(*soa, rules.min_ttl_s, max_negative);
      }
      const std::size_t at = writer.size();
      if (!writer.record(section, record, ttl)) return std::unexpected(RenderError::TooLarge);
      const auto written = RecordView::parse(writer.message(), at);
      if (!written || records == kMaxRecords) return std::unexpected(RenderError::TooLarge);
      const std::size_t offset = written->ttl_offset() - begin;
      scratch_->ttl_offsets[records++] = static_cast<std::uint16_t>(offset);
      ttl_sum += net::sum_at(net::fold_sum(__builtin_bswap32(ttl)), offset);
      least = std::min(least, ttl);
      ++*counts[static_cast<std::size_t>(section) - 1];
    }
  }

  answer.sections = writer.message().subspan(begin);
  answer.ttl_offsets = std::span(scratch_->ttl_offsets).first(records);
  // Less the TTLs: in ones' complement, plus their inverse.
  answer.sections_sum =
      net::fold_sum(std::uint64_t{net::sum_bytes(answer.sections.data(), answer.sections.size())} +
                    static_cast<std::uint16_t>(~net::fold_sum(ttl_sum)));
  answer.ttl_s = records == 0 ? 0 : least;
  answer.cacheable = !scoped && answer.ttl_s != 0 && (!negative || soa.has_value());
  return answer;
}

}  // namespace swarmdns::dns
