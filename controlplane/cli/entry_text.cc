#include "controlplane/cli/entry_text.h"

#include "proto/dns/message.h"
#include "proto/dns/name.h"
#include "proto/dns/name_text.h"
#include "proto/dns/rdata_text.h"
#include "proto/dns/types.h"

namespace swarmdns::controlplane {
namespace {

void append_u16(std::string& wire, uint32_t value) {
  wire += static_cast<char>(value >> 8);
  wire += static_cast<char>(value);
}

// The message the sections belong to: pointers in them count from its start.
std::string message_of(const v1::CacheEntry& entry) {
  std::string wire;
  append_u16(wire, 0);
  append_u16(wire, 0x8000 | (entry.rcode() & 0xf));
  append_u16(wire, 1);
  append_u16(wire, entry.answers());
  append_u16(wire, entry.authorities());
  append_u16(wire, entry.additionals());
  wire += entry.key().qname();
  append_u16(wire, entry.key().qtype());
  append_u16(wire, 1);
  return wire + entry.sections();
}

}  // namespace

EntryText entry_text(const v1::CacheEntry& entry) {
  EntryText text;
  const std::string& qname = entry.key().qname();
  const auto name = dns::NameView::parse(std::as_bytes(std::span(qname.data(), qname.size())));
  text.name = name ? dns::to_text(*name) : "<bad name>";
  text.type = dns::to_text(static_cast<dns::Type>(entry.key().qtype()));
  text.rcode = dns::to_text(static_cast<dns::Rcode>(entry.rcode()));
  const std::string wire = message_of(entry);
  const auto message = dns::Message::parse(std::as_bytes(std::span(wire.data(), wire.size())));
  if (!message) {
    text.error = std::string(dns::to_text(message.error()));
    return text;
  }
  const struct {
    const char* name;
    dns::RecordRange records;
  } sections[] = {{"answer", message->answers()},
                  {"authority", message->authority()},
                  {"additional", message->additional()}};
  for (const auto& section : sections) {
    for (const dns::RecordView& record : section.records) {
      const auto owner = record.owner();
      EntryRecord shown;
      shown.section = section.name;
      shown.name = owner ? dns::to_text(*owner) : "<bad name>";
      shown.ttl = record.ttl() > entry.age_s() ? record.ttl() - entry.age_s() : 0;
      shown.type = dns::to_text(record.type());
      shown.rdata = dns::rdata_to_text(record);
      text.records.push_back(std::move(shown));
    }
  }
  return text;
}

std::string name_to_wire(const std::string& text, std::string& error) {
  const auto name = dns::name_from_text(text);
  if (!name) {
    error = std::string(dns::to_text(name.error()));
    return "";
  }
  const dns::Name folded = name->folded();
  return std::string(reinterpret_cast<const char*>(folded.wire().data()), folded.size());
}

}  // namespace swarmdns::controlplane
