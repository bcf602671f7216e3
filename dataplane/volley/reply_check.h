// Whether a reply is one to the query that its port and ID belong to, and says what it should. No allocation.
#pragma once

#include <cstdint>

#include "dataplane/volley/counters.h"
#include "dataplane/volley/expectations.h"
#include "dataplane/volley/query_frames.h"

namespace swarmdns::volley {

struct ReplyRules {
  // The peer sends every frame back as it came: replies are our own queries.
  bool echo = false;
  // Bit n: response code n is as good as any other. Codes above 31 never are. Where the expectations know the
  // question, they decide.
  std::uint32_t good_rcodes = (1U << 0) | (1U << 3);
  // Every name is followed and every RDATA looked into; else names and lengths are passed over.
  bool strict = false;
};

struct Judgement {
  // Received, or why the reply cannot be used (its query stays open then, as a resolver would have it):
  // NotReply, WrongQuestion, WrongCookie, Malformed.
  Count result = Count::Received;
  std::uint16_t rcode = 0;  // with the bits of OPT
  bool truncated = false;
  bool wrong_rcode = false;
  bool wrong_answer = false;
};

class ReplyCheck {
 public:
  // All must outlive this.
  ReplyCheck(const ReplyRules& rules, const QueryList& questions, const QueryFrames& frames,
             const Expectations& expectations)
      : rules_(rules), questions_(questions), frames_(frames), expectations_(expectations) {}

  // `message`: at least 12 octets.
  [[nodiscard]] Judgement judge(dns::Bytes message, const Query& query) const noexcept;

 private:
  [[nodiscard]] Judgement judge_echo(dns::Bytes message, const Query& query) const noexcept;
  void compare(dns::Bytes message, const Query& query, Judgement& out) const noexcept;

  ReplyRules rules_;
  const QueryList& questions_;
  const QueryFrames& frames_;
  const Expectations& expectations_;
};

}  // namespace swarmdns::volley
