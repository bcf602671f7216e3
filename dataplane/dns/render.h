// From an upstream's response to what the cache keeps and replies are made of: its sections, compressed for a
// message whose question stands at offset 12, without OPT, with TTLs put in bounds. Off the packet path: one
// Renderer per thread (the miss thread), reused; it holds about 200 KiB and never allocates after it is made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string_view>

#include "proto/dns/message.h"

namespace swarmdns::dns {

struct RenderRules {
  std::uint32_t min_ttl_s = 0;              // TTLs below are raised
  std::uint32_t max_ttl_s = 86400;          // TTLs above are lowered
  std::uint32_t negative_max_ttl_s = 3600;  // RFC 2308 5
};

enum class AnswerKind : std::uint8_t {
  Positive,
  NoData,  // RFC 2308 2.2: NOERROR, and nothing of that type at the end of the chain
  NxDomain,
  Failure,  // any other rcode: SERVFAIL, REFUSED, ...
};

struct RenderedAnswer {
  std::uint8_t rcode = 0;  // 0-15
  AnswerKind kind = AnswerKind::Failure;
  bool authenticated = false;  // AD of the upstream
  // False: hand it to those who wait, and keep it nowhere (ECS scope, RFC 7871 7.3; negative without SOA, RFC
  // 2308 5; TTL 0).
  bool cacheable = false;
  std::uint32_t ttl_s = 0;  // least TTL of all records, negative ones by RFC 2308; 0 for failures
  std::uint16_t ede = 0;    // the upstream's info code + 1; 0 = none
  std::uint16_t answers = 0;
  std::uint16_t authorities = 0;
  std::uint16_t additionals = 0;
  std::uint16_t sections_sum = 0;  // partial sum (net/checksum.h) with all TTLs zero, first octet even
  std::span<const std::byte> sections;
  std::span<const std::uint16_t> ttl_offsets;  // of each TTL, relative to sections
};

enum class RenderError : std::uint8_t {
  Truncated,   // TC is set: ask again by TCP
  NoQuestion,  // not exactly one question
  NotAnswer,   // QR = 0, an opcode other than QUERY, or an extended rcode (BADVERS, BADCOOKIE)
  BadRecord,   // a record of a class other than the question's
  TooLarge,    // does not fit a message, or has more records than an entry can count
};
[[nodiscard]] std::string_view to_text(RenderError error) noexcept;

class Renderer {
 public:
  Renderer();
  ~Renderer();
  Renderer(const Renderer&) = delete;
  Renderer& operator=(const Renderer&) = delete;

  // `response` has been parsed (every name and RDATA checked) and answers the question that was asked. What
  // is returned points into the Renderer and holds until the next call.
  [[nodiscard]] std::expected<RenderedAnswer, RenderError> render(const Message& response,
                                                                  const RenderRules& rules) noexcept;

 private:
  struct Scratch;
  std::unique_ptr<Scratch> scratch_;
};

}  // namespace swarmdns::dns
