#include "dataplane/volley/reply_check.h"

#include <algorithm>

#include "proto/dns/edns.h"
#include "proto/dns/header.h"
#include "proto/dns/message.h"
#include "proto/dns/rdata.h"

namespace swarmdns::volley {
namespace {

// Walks the records behind the question; false when they do not fill the message exactly, or OPT is where it
// must not be. `opt`: where OPT is, 0 for none.
bool walk(dns::Bytes message, std::size_t offset, std::size_t& opt) noexcept {
  const dns::HeaderView header(message.data());
  opt = 0;
  const unsigned before = unsigned{header.ancount()} + header.nscount();
  const unsigned all = before + header.arcount();
  for (unsigned i = 0; i < all; ++i) {
    const auto record = dns::RecordView::parse(message, offset);
    if (!record) return false;
    if (record->type() == dns::Type::OPT) {
      if (i < before || opt != 0) return false;  // RFC 6891 6.1.1
      opt = offset;
    }
    offset = record->end();
  }
  return offset == message.size();
}

// The records of the question's type that its name leads to by aliases. False: there are others of that type,
// or an RDATA that does not fit.
bool collect(dns::Bytes message, std::size_t offset, dns::NameView name, dns::Type type,
             RecordSum& sum) noexcept {
  dns::Name alias;
  const unsigned count = dns::HeaderView(message.data()).ancount();
  for (unsigned i = 0; i < count; ++i) {
    const auto record = dns::RecordView::parse(message, offset);
    if (!record || record->klass() != dns::Class::IN) return false;
    offset = record->end();
    if (record->type() == type) {
      if (!record->owner_is(name) || !add_record(*record, sum)) return false;
    } else if (record->type() == dns::Type::CNAME && record->owner_is(name)) {
      const auto next = dns::first_rdata_name(*record);
      if (!next) return false;
      alias = *next;
      name = alias.view();
    }
  }
  return true;
}

}  // namespace

Judgement ReplyCheck::judge(dns::Bytes message, const Query& query) const noexcept {
  if (rules_.echo) return judge_echo(message, query);
  const dns::HeaderView header(message.data());
  const dns::Flags flags = header.flags();
  if (!flags.qr() || flags.opcode() != dns::Opcode::Query) return {.result = Count::NotReply};
  const std::size_t question = questions_.question(query.question).size();
  const std::size_t records = dns::kHeaderSize + question;
  if (header.qdcount() != 1 || message.size() < records ||
      !frames_.same_question(query, message.data() + dns::kHeaderSize)) {
    return {.result = Count::WrongQuestion};
  }
  std::size_t opt_at = 0;
  if (!walk(message, records, opt_at)) return {.result = Count::Malformed};
  if (rules_.strict && !dns::Message::parse(message)) return {.result = Count::Malformed};

  Judgement out;
  out.rcode = dns::to_u16(flags.rcode());
  out.truncated = flags.tc();
  if (opt_at != 0) {
    const auto opt = dns::Opt::parse(message, opt_at);
    if (!opt) return {.result = Count::Malformed};
    out.rcode = dns::to_u16(opt->rcode(flags));
    if (const auto data = opt->find(dns::OptionCode::Cookie); data) {
      // RFC 7873 5.3: a reply with another client's cookie is discarded, and so is one to a query without.
      const dns::ClientCookie ours = frames_.cookie(query);
      const auto cookie = dns::parse_cookie(*data);
      if (!cookie || (query.options & kCookie) == 0 || !std::ranges::equal(cookie->client, ours))
        return {.result = Count::WrongCookie};
    }
  }
  compare(message, query, out);
  return out;
}

Judgement ReplyCheck::judge_echo(dns::Bytes message, const Query& query) const noexcept {
  const dns::HeaderView header(message.data());
  if (header.flags().qr()) return {.result = Count::NotReply};
  if (header.qdcount() != 1 || message.size() != frames_.message_size(query))
    return {.result = Count::Malformed};
  if (!frames_.same_question(query, message.data() + dns::kHeaderSize))
    return {.result = Count::WrongQuestion};
  return {};
}

void ReplyCheck::compare(dns::Bytes message, const Query& query, Judgement& out) const noexcept {
  // "Ask again by TCP", as of a server that limits its rate: it does not say yet how the question ends.
  if (out.truncated && out.rcode == dns::to_u16(dns::Rcode::NoError)) return;
  if (!expectations_.empty()) {
    const Expectations::Expected& expected = expectations_.of(query.question);
    if (expected.known) {
      out.wrong_rcode = out.rcode != expected.rcode;
      if (!expected.with_records || out.wrong_rcode || out.truncated) return;
      const std::size_t records = dns::kHeaderSize + questions_.question(query.question).size();
      RecordSum sum;
      out.wrong_answer =
          !collect(message, records, questions_.name(query.question), questions_.type(query.question), sum) ||
          sum != expected.records;
      return;
    }
  }
  out.wrong_rcode = out.rcode > 31 || (rules_.good_rcodes >> out.rcode & 1) == 0;
}

}  // namespace swarmdns::volley
