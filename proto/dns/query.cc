#include "proto/dns/query.h"

#include <cstring>
#include <optional>

#include "proto/dns/edns_write.h"

namespace swarmdns::dns {

Expected<std::size_t> write_query(const QuerySpec& spec, MutableBytes out) {
  const std::size_t question_end = kHeaderSize + spec.name.size() + 4;
  if (out.size() < question_end) return fail(Error::NoSpace);
  HeaderEdit header(out.data());
  header.set_id(spec.id);
  header.set_flags(
      Flags().set_rd(spec.recursion_desired).set_cd(spec.checking_disabled).set_ad(spec.authentic_data));
  header.set_counts(1, 0, 0, spec.payload_size != 0 ? 1 : 0);
  std::memcpy(out.data() + kHeaderSize, spec.name.data(), spec.name.size());
  store_be16(out.data() + question_end - 4, to_u16(spec.type));
  store_be16(out.data() + question_end - 2, to_u16(spec.klass));
  if (spec.payload_size == 0) return question_end;
  const OptWriter opt(out.subspan(question_end),
                      {.payload_size = spec.payload_size, .dnssec_ok = spec.dnssec_ok});
  if (!opt.ok()) return fail(Error::NoSpace);
  return question_end + opt.size();
}

bool reply_matches(const QuerySpec& spec, const Message& reply) {
  const Flags flags = reply.flags();
  if (reply.id() != spec.id || !flags.qr() || flags.opcode() != Opcode::Query) return false;
  const std::optional<Question>& question = reply.question();
  return reply.question_count() == 1 && question && *question == Question{spec.name, spec.type, spec.klass};
}

}  // namespace swarmdns::dns
