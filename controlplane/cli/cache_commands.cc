#include <chrono>
#include <set>

#include "controlplane/cli/commands.h"
#include "controlplane/cli/dump_file.h"
#include "controlplane/cli/entry_text.h"
#include "controlplane/cli/human.h"
#include "controlplane/cli/json.h"
#include "controlplane/cli/read_name.h"

namespace swarmdns::controlplane {
namespace {

// On a terminal, about four times a second once a second has passed.
class Progress {
 public:
  Progress(Context& context, std::string verb) : context_(context), verb_(std::move(verb)) {}
  ~Progress() {
    if (shown_) context_.err << "\r\033[K" << std::flush;
  }
  void at(uint64_t entries, uint64_t bytes) {
    const auto now = std::chrono::steady_clock::now();
    if (!context_.terminal || context_.json || now < next_) return;
    next_ = now + std::chrono::milliseconds(250);
    shown_ = true;
    context_.err << "\r\033[K" << verb_ << " " << with_commas(entries) << " entries, " << bytes_text(bytes)
                 << std::flush;
  }

 private:
  Context& context_;
  std::string verb_;
  std::chrono::steady_clock::time_point next_ = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  bool shown_ = false;
};

std::string validity_text(const v1::CacheEntry& entry) {
  if (entry.remaining_ms() >= 0)
    return "valid for " + duration_text(static_cast<uint64_t>(entry.remaining_ms()));
  return "stale for " + duration_text(static_cast<uint64_t>(-entry.remaining_ms()));
}

void print_entry(Context& context, const v1::CacheEntry& entry) {
  const EntryText text = entry_text(entry);
  std::string flags;
  if (entry.key().dnssec_ok()) flags += " +do";
  if (entry.key().checking_disabled()) flags += " +cd";
  if (entry.authenticated()) flags += " ad";
  context.out << ";; " << context.style.bold(text.name + " " + text.type) << flags << ", " << text.rcode
              << ", " << validity_text(entry);
  if (entry.ede() > 0) context.out << ", EDE " << entry.ede() - 1;
  if (entry.origin().node() != 0) context.out << ", from node " << entry.origin().node();
  context.out << "\n";
  if (!text.error.empty()) context.out << ";; its sections cannot be read: " << text.error << "\n";
  std::string section = "answer";
  for (const EntryRecord& record : text.records) {
    if (record.section != section) context.out << ";; " << record.section << "\n";
    section = record.section;
    context.out << record.name << "\t" << record.ttl << "\tIN\t" << record.type << "\t" << record.rdata
                << "\n";
  }
}

std::string entry_json(const v1::CacheEntry& entry) {
  const EntryText text = entry_text(entry);
  const auto flag = [](bool value) { return value ? "true" : "false"; };
  std::string out = "    {\n      \"name\": " + json_string(text.name) +
                    ",\n      \"type\": " + json_string(text.type) +
                    ",\n      \"dnssec_ok\": " + flag(entry.key().dnssec_ok()) +
                    ",\n      \"checking_disabled\": " + flag(entry.key().checking_disabled()) +
                    ",\n      \"rcode\": " + json_string(text.rcode) +
                    ",\n      \"authenticated\": " + flag(entry.authenticated()) +
                    ",\n      \"remaining_ms\": " + std::to_string(entry.remaining_ms()) +
                    ",\n      \"ede\": " + (entry.ede() > 0 ? std::to_string(entry.ede() - 1) : "null") +
                    ",\n      \"origin_node\": " + std::to_string(entry.origin().node()) +
                    ",\n      \"origin_sequence\": " + std::to_string(entry.origin().sequence()) +
                    ",\n      \"epoch\": " + std::to_string(entry.epoch()) + ",\n      \"records\": [";
  bool first = true;
  for (const EntryRecord& record : text.records) {
    out += std::string(first ? "" : ",") + "\n        {\"section\": " + json_string(record.section) +
           ", \"name\": " + json_string(record.name) + ", \"ttl\": " + std::to_string(record.ttl) +
           ", \"type\": " + json_string(record.type) + ", \"rdata\": " + json_string(record.rdata) + "}";
    first = false;
  }
  return out + (first ? "]\n    }" : "\n      ]\n    }");
}

}  // namespace

int show_cache(Context& context, const std::string& name, const std::string& type) {
  v1::LookupRequest request;
  uint32_t qtype = 0;
  if (!read_name(context, name, *request.mutable_qname()) || !read_type(context, type, qtype))
    return kExitUsage;
  request.set_qtype(qtype);
  const auto answer = context.node.lookup(request);
  if (!answer) return fail(context, answer.error());
  if (context.json) {
    context.out << "{\n  \"entries\": [";
    for (int i = 0; i < answer->entries_size(); ++i) {
      context.out << (i == 0 ? "\n" : ",\n") << entry_json(answer->entries(i));
    }
    context.out << (answer->entries().empty() ? "]\n}\n" : "\n  ]\n}\n");
    return answer->entries().empty() ? kExitNotFound : kExitOk;
  }
  if (answer->entries().empty()) {
    return fail(context, kExitNotFound, name + (type.empty() ? "" : " " + type) + " is not in the cache");
  }
  for (int i = 0; i < answer->entries_size(); ++i) {
    if (i > 0) context.out << "\n";
    print_entry(context, answer->entries(i));
  }
  return kExitOk;
}

std::string scope_problem(const FlushScope& scope) {
  const int scopes = (scope.name.empty() ? 0 : 1) + (scope.zone.empty() ? 0 : 1) + (scope.all ? 1 : 0);
  if (scopes == 0) {
    return "cache flush needs a scope: a NAME, --zone ZONE for everything below a name, or --all for the "
           "whole cache";
  }
  if (scopes > 1) return "NAME, --zone and --all exclude each other; give one";
  if (!scope.type.empty() && scope.name.empty()) {
    return "--type goes with a NAME only; a zone and --all are flushed with all types";
  }
  return "";
}

int flush_cache(Context& context, const FlushScope& scope) {
  v1::FlushRequest request;
  uint32_t qtype = 0;
  if (!read_type(context, scope.type, qtype)) return kExitUsage;
  request.set_qtype(qtype);
  if (scope.all) {
    request.set_all(true);
  } else {
    std::string wire;
    if (!read_name(context, scope.name.empty() ? scope.zone : scope.name, wire)) return kExitUsage;
    scope.name.empty() ? request.set_zone(wire) : request.set_name(wire);
  }
  const auto answer = context.node.flush(request);
  if (!answer) return fail(context, answer.error());
  if (context.json) {
    context.out << to_json(*answer);
    return kExitOk;
  }
  context.out << "flushed " << with_commas(answer->removed())
              << (answer->removed() == 1 ? " entry" : " entries");
  if (answer->resolver_flushed()) {
    context.out << ", the resolver as well\n";
  } else {
    context.out << "\n"
                << context.style.warn("Note: ") << "the resolver was not flushed: " << answer->resolver_note()
                << "\n";
  }
  return kExitOk;
}

int show_cache_stats(Context& context) {
  const auto status = context.node.node_status();
  if (!status) return fail(context, status.error());
  const auto stats = context.node.stats();
  if (!stats) return fail(context, stats.error());
  v1::StatsSnapshot cache_only;
  for (const v1::Counter& counter : stats->counters()) {
    if (counter.name().starts_with("cache.")) *cache_only.add_counters() = counter;
  }
  const v1::CacheStatus& cache = status->dataplane().cache();
  if (context.json) {
    std::string counters;
    for (const v1::Counter& counter : cache_only.counters()) {
      counters += (counters.empty() ? "" : ", ") + json_string(counter.name()) + ": " +
                  std::to_string(counter.value());
    }
    std::string body = to_json(cache);
    body.pop_back();
    context.out << "{\"cache\": " << body << ",\n\"counters\": {" << counters << "}}\n";
    return kExitOk;
  }
  context.out << with_commas(cache.entries()) << " entries, " << bytes_text(cache.used_bytes()) << " of "
              << bytes_text(cache.budget_bytes()) << " ("
              << percent_text(static_cast<double>(cache.used_bytes()),
                              static_cast<double>(cache.budget_bytes()))
              << "), " << with_commas(cache.table_slots()) << " slots\n"
              << "journal " << with_commas(cache.journal_first()) << " to "
              << with_commas(cache.journal_next()) << ", epoch " << cache.epoch() << "\n\n";
  Table table({"COUNTER", ">TOTAL"});
  for (const v1::Counter& counter : cache_only.counters()) {
    table.add({counter.name(), with_commas(counter.value())});
  }
  context.out << table.render(context.style);
  return kExitOk;
}

int dump_cache(Context& context, const std::string& file) {
  DumpWriter writer(file);
  if (!writer.error().empty()) return fail(context, kExitFailed, writer.error());
  {
    Progress progress(context, "dumped");
    const auto done = context.node.dump([&](const v1::CacheSlice& slice) {
      if (!writer.add(slice)) return false;
      progress.at(writer.entries(), writer.bytes());
      return true;
    });
    if (!writer.error().empty()) return fail(context, kExitFailed, writer.error());
    if (!done) return fail(context, done.error());
  }
  if (auto finished = writer.finish(); !finished) return fail(context, kExitFailed, finished.error());
  if (context.json) {
    context.out << "{\"file\": " << json_string(file) << ", \"entries\": " << writer.entries()
                << ", \"bytes\": " << writer.bytes() << "}\n";
  } else {
    context.out << with_commas(writer.entries()) << " entries, " << bytes_text(writer.bytes()) << ", in "
                << file << "\n";
  }
  return kExitOk;
}

int load_cache(Context& context, const std::string& file) {
  const auto summary = inspect_dump(file);
  if (!summary) {
    return fail(context, kExitRefused, summary.error() + "; the cache is untouched");
  }
  DumpReader reader(file);
  uint64_t entries = 0;
  Outcome<v1::LoadResponse> answer;
  {
    Progress progress(context, "sent");
    answer = context.node.load([&](v1::CacheSlice& slice) {
      if (!reader.next(slice)) return false;
      entries += static_cast<uint64_t>(slice.entries().entries_size());
      progress.at(entries, reader.offset());
      return true;
    });
  }
  if (!answer) return fail(context, answer.error());
  if (context.json) {
    context.out << to_json(*answer);
  } else {
    context.out << "loaded " << with_commas(answer->loaded()) << " of " << with_commas(summary->entries)
                << " entries from " << file << "; " << with_commas(answer->expired()) << " had expired, "
                << with_commas(answer->refused()) << " were refused\n";
  }
  return kExitOk;
}

}  // namespace swarmdns::controlplane
