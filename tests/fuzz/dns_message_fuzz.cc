// Any octets as a DNS message: parse, walk and print it; what was accepted is written anew in every
// compression mode and must read back equal.

#include <algorithm>
#include <array>
#include <vector>

#include "proto/dns/fold.h"
#include "proto/dns/message.h"
#include "proto/dns/rdata.h"
#include "proto/dns/text.h"
#include "proto/dns/writer.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace swarmdns::dns;

constexpr Section kSections[] = {Section::Answer, Section::Authority, Section::Additional};

std::vector<std::byte> expanded(const RecordView& record) {
  std::vector<std::byte> out(expanded_rdata_bound(record.rdata().size()));
  const auto size = expand_rdata(record, out);
  FUZZ_CHECK(size);
  out.resize(*size);
  return out;
}

bool same_octets(Bytes a, Bytes b, bool ignore_case) {
  if (a.size() != b.size()) return false;
  return ignore_case ? fold_equal(a.data(), b.data(), a.size()) : std::ranges::equal(a, b);
}

void check_same_record(const RecordView& a, const RecordView& b, bool ignore_case) {
  const auto a_owner = a.owner();
  const auto b_owner = b.owner();
  FUZZ_CHECK(a_owner && b_owner);
  FUZZ_CHECK(ignore_case ? *a_owner == *b_owner : identical(*a_owner, *b_owner));
  FUZZ_CHECK(a.type() == b.type() && a.klass() == b.klass() && a.raw_ttl() == b.raw_ttl());
  FUZZ_CHECK(same_octets(expanded(a), expanded(b), ignore_case));
}

void check_same_message(const Message& a, const Message& b, bool ignore_case) {
  FUZZ_CHECK(a.id() == b.id() && a.flags() == b.flags() && a.rcode() == b.rcode());
  FUZZ_CHECK(a.question_count() == b.question_count());
  FUZZ_CHECK(!a.question() || *a.question() == *b.question());
  FUZZ_CHECK(a.opt().has_value() == b.opt().has_value());
  for (const Section section : kSections) {
    FUZZ_CHECK(a.section(section).size() == b.section(section).size());
    RecordIterator theirs = b.section(section).begin();
    for (const RecordView& ours : a.section(section)) {
      check_same_record(ours, *theirs, ignore_case);
      ++theirs;
    }
    FUZZ_CHECK(theirs == std::default_sentinel);
  }
}

// False when the message, its names spelt out, is larger than a message may be.
bool rewrite(const Message& message, Writer& writer) {
  writer.set_id(message.id());
  writer.set_flags(message.flags());
  std::size_t at = kHeaderSize;
  for (std::size_t i = 0; i < message.question_count(); ++i) {
    const auto question = parse_question(message.wire(), at);
    FUZZ_CHECK(question);
    if (!writer.question(question->name, question->type, question->klass)) return false;
    at += question->size();
  }
  for (const Section section : kSections) {
    for (const RecordView& record : message.section(section)) {
      if (const auto ok = writer.record(section, record); !ok) {
        FUZZ_CHECK(ok.error() == Error::NoSpace);
        return false;
      }
    }
  }
  return true;
}

void check_rewrite(const Message& message, Compression mode) {
  static std::array<std::byte, 65535> buffer;
  Writer writer(buffer, mode);
  const bool whole = rewrite(message, writer);
  const auto again = Message::parse(writer.message());
  FUZZ_CHECK(again);  // what is there is valid even when not all went in
  if (whole) check_same_message(message, *again, mode == Compression::IgnoreCase);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes wire = std::as_bytes(std::span(data, size));

  // Lenient: RDATA that was not checked must still be safe to print.
  const auto lenient = Message::parse(wire, {.allow_trailing_bytes = true, .check_rdata = false});
  if (lenient) FUZZ_CHECK(!message_to_text(*lenient).empty());

  const auto message = Message::parse(wire);
  if (!message) return 0;
  FUZZ_CHECK(lenient);
  for (const Section section : kSections) {
    for (const RecordView& record : message->section(section)) {
      FUZZ_CHECK(record.owner_is(*record.owner()));
      FUZZ_CHECK(record.type() == Type::OPT || check_rdata(record));
      std::size_t names = 0;
      FUZZ_CHECK(for_each_rdata_name(record, [&](const Name& name) { names += name.size(); }));
    }
  }
  for (const auto mode : {Compression::None, Compression::ExactCase, Compression::IgnoreCase}) {
    check_rewrite(*message, mode);
  }
  return 0;
}
