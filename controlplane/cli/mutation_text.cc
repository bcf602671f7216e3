#include "controlplane/cli/mutation_text.h"

#include <algorithm>

#include "controlplane/cli/human.h"
#include "controlplane/cli/json.h"
#include "proto/dns/name_text.h"

namespace swarmdns::controlplane {
namespace {

std::string name_text(const std::string& wire) {
  const auto name = dns::NameView::parse(std::as_bytes(std::span(wire.data(), wire.size())));
  return name ? dns::to_text(*name) : "<bad name>";
}

std::string did_text(const v1::Mutation& mutation) {
  switch (mutation.kind()) {
    case v1::MUTATION_INSERT:
      return "learned";
    case v1::MUTATION_REPLACE:
      return "replaced";
    case v1::MUTATION_REMOVE:
      return "removed";
    case v1::MUTATION_FLUSH_ALL:
      return "flushed everything";
    case v1::MUTATION_FLUSH_ZONE:
      return "flushed " + name_text(mutation.zone()) + " and below";
    case v1::MUTATION_GAP:
      return "lost " + with_commas(mutation.gap_first()) + " to " + with_commas(mutation.gap_last());
    default:
      return "did something unknown";
  }
}

// The data of the answer section, the records that lead to it (CNAME) too.
void add_answer(const v1::CacheEntry& entry, MutationText& text) {
  EntryText shown = entry_text(entry);
  text.rcode = shown.rcode;
  if (!shown.error.empty()) {
    text.answer = "sections cannot be read: " + shown.error;
    return;
  }
  bool first = true;
  for (const EntryRecord& record : shown.records) {
    if (record.section != "answer") continue;
    text.ttl_s = first ? record.ttl : std::min(text.ttl_s, record.ttl);
    text.answer += (first ? "" : ", ") + (record.type == text.type ? "" : record.type + " ") + record.rdata;
    first = false;
  }
  if (first) text.answer = "no data";
  text.records = std::move(shown.records);
}

}  // namespace

MutationText mutation_text(const v1::MutationView& view) {
  MutationText text;
  if (view.mutation().empty()) {
    text.erased = true;
    return text;
  }
  v1::Mutation mutation;
  if (!mutation.ParseFromString(view.mutation())) {
    text.unreadable = true;
    return text;
  }
  text.wall_ms = mutation.wall_ms();
  text.sequence = mutation.sequence();
  text.did = did_text(mutation);
  text.upstream = mutation.upstream();
  if (mutation.has_entry()) {
    const EntryText key = entry_text(mutation.entry());
    text.name = key.name;
    text.type = key.type;
    if (mutation.kind() != v1::MUTATION_REMOVE) add_answer(mutation.entry(), text);
  }
  return text;
}

std::string mutation_json(const v1::MutationView& view, int indent) {
  const MutationText text = mutation_text(view);
  const std::string margin(static_cast<size_t>(indent), ' ');
  std::string out = margin + "{";
  bool first = true;
  const auto add = [&](const char* key, const std::string& value) {
    out += std::string(first ? "\n" : ",\n") + margin + "  \"" + key + "\": " + value;
    first = false;
  };
  add("node", std::to_string(view.node()));
  add("node_name", json_string(view.node_name()));
  add("segment", std::to_string(view.segment()));
  add("position", std::to_string(view.position()));
  add("ordered_height", std::to_string(view.ordered_height()));
  add("erased", text.erased ? "true" : "false");
  if (!text.erased && !text.unreadable) {
    add("wall_ms", std::to_string(text.wall_ms));
    add("sequence", std::to_string(text.sequence));
    add("did", json_string(text.did));
    add("name", json_string(text.name));
    add("type", json_string(text.type));
    add("rcode", json_string(text.rcode));
    add("upstream", json_string(text.upstream));
    std::string records;
    for (const EntryRecord& record : text.records) {
      records += std::string(records.empty() ? "" : ",") + "\n" + margin +
                 "    {\"section\": " + json_string(record.section) +
                 ", \"name\": " + json_string(record.name) + ", \"ttl\": " + std::to_string(record.ttl) +
                 ", \"type\": " + json_string(record.type) + ", \"rdata\": " + json_string(record.rdata) +
                 "}";
    }
    add("records", records.empty() ? "[]" : "[" + records + "\n" + margin + "  ]");
  }
  return out + "\n" + margin + "}";
}

}  // namespace swarmdns::controlplane
