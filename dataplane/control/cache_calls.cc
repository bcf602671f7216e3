#include "dataplane/control/cache_calls.h"

#include <sodium.h>

#include <memory>
#include <vector>

#include "dataplane/cache/dump.h"
#include "dataplane/cache/reader.h"
#include "proto/dns/name.h"

namespace swarmdns::control {
namespace {

// What may be waiting for the writer because of one call; the queue's rest is for the miss thread.
constexpr int kInsertWindow = 1024;
constexpr std::uint32_t kBucketsPerSlice = 1024;

grpc::Status invalid(const std::string& text) {
  return {grpc::StatusCode::INVALID_ARGUMENT, text};
}

std::expected<dns::Name, std::string> folded_name(const std::string& wire, const char* field) {
  const auto view = dns::NameView::parse(std::as_bytes(std::span(wire.data(), wire.size())));
  if (!view) {
    return std::unexpected(std::string(field) + ": not a name in wire format (" +
                           std::string(dns::to_text(view.error())) + ")");
  }
  if (view->size() != wire.size()) {
    return std::unexpected(std::string(field) + ": " + std::to_string(wire.size() - view->size()) +
                           " bytes behind the name's root label");
  }
  return dns::Name(*view).folded();
}

}  // namespace

const char* to_text(cache::Outcome outcome) noexcept {
  switch (outcome) {
    case cache::Outcome::Inserted:
      return "inserted";
    case cache::Outcome::Replaced:
      return "replaced";
    case cache::Outcome::Refreshed:
      return "refreshed";
    case cache::Outcome::NotLater:
      return "what is cached lives longer";
    case cache::Outcome::NoRoom:
      return "there is no room at this moment; try again";
    case cache::Outcome::TooLarge:
      return "too large for the cache";
    case cache::Outcome::Outdated:
      return "the cache was flushed meanwhile";
    case cache::Outcome::Expired:
      return "expired";
  }
  return "unknown";
}

CacheCalls::CacheCalls(cache::Writer& writer, const cache::Clock& clock, const Configurator& configurator,
                       std::uint64_t numbering)
    : writer_(writer), clock_(clock), configurator_(configurator), numbering_(numbering) {
  do {
    randombytes_buf(&journal_id_, sizeof journal_id_);
  } while (journal_id_ == 0);
}

DecodeRules CacheCalls::decode_rules() const {
  const v1::DataplaneConfig config = configurator_.in_force();
  DecodeRules rules;
  rules.now_ms = clock_.milliseconds();
  rules.max_ttl_s = config.cache().max_ttl_s();
  rules.stale_max_s = config.cache().stale_max_s();
  return rules;
}

grpc::Status CacheCalls::insert(const v1::InsertRequest& request, v1::InsertResponse& response) {
  const DecodeRules rules = decode_rules();
  const int count = request.entries_size();
  // Written by the writer thread until drain() returns, and not after.
  std::vector<cache::Outcome> outcomes(static_cast<std::size_t>(count), cache::Outcome::NoRoom);
  std::vector<std::string> faults(static_cast<std::size_t>(count));
  int under_way = 0;
  for (int i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const v1::CacheEntry& entry = request.entries(i);
    auto image = from_message(entry, rules);
    if (image && entry.origin().node() > 65535) {
      image = std::unexpected(DecodeError{DecodeFault::Refused, "origin.node: above 65535"});
    }
    if (!image) {
      faults[at] = std::move(image.error().text);
      continue;
    }
    cache::InsertOptions options;
    options.origin.node = static_cast<std::uint16_t>(entry.origin().node());
    options.origin.sequence = entry.origin().sequence();
    options.journal = options.origin.node == 0;
    // A full queue shows as the NoRoom that stands there already.
    (void)writer_.insert(std::move(*image), options,
                         [&outcomes, at](cache::Outcome outcome) { outcomes[at] = outcome; });
    if (++under_way % kInsertWindow == 0) writer_.drain();
  }
  writer_.drain();
  for (int i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (faults[at].empty() && accepted(outcomes[at])) {
      response.set_accepted(response.accepted() + 1);
    } else {
      response.add_refused("entry " + std::to_string(i) + ": " +
                           (faults[at].empty() ? to_text(outcomes[at]) : faults[at]));
    }
  }
  return grpc::Status::OK;
}

grpc::Status CacheCalls::flush(const v1::FlushRequest& request, v1::FlushResponse& response) {
  cache::FlushScope scope;
  if (request.qtype() > 65535) return invalid("qtype: above 65535");
  if (request.qtype() != 0 && request.scope_case() != v1::FlushRequest::kName) {
    return invalid("qtype: only with a name; a zone is flushed with all its types");
  }
  switch (request.scope_case()) {
    case v1::FlushRequest::kName:
    case v1::FlushRequest::kZone: {
      const bool zone = request.scope_case() == v1::FlushRequest::kZone;
      const auto name = zone ? folded_name(request.zone(), "zone") : folded_name(request.name(), "name");
      if (!name) return invalid(name.error());
      scope.kind = zone ? cache::FlushScope::Kind::Zone : cache::FlushScope::Kind::Name;
      scope.name = *name;
      scope.qtype = static_cast<std::uint16_t>(request.qtype());
      break;
    }
    case v1::FlushRequest::kAll:
      if (!request.all()) return invalid("all: false flushes nothing; give a name, a zone, or all: true");
      scope.kind = cache::FlushScope::Kind::All;
      break;
    case v1::FlushRequest::SCOPE_NOT_SET:
      return invalid("scope: what is to be flushed? give a name, a zone, or all");
  }
  response.set_removed(writer_.flush(scope).get());
  return grpc::Status::OK;
}

grpc::Status CacheCalls::lookup(const v1::LookupRequest& request, v1::LookupResponse& response) {
  const auto name = folded_name(request.qname(), "qname");
  if (!name) return invalid(name.error());
  if (request.qtype() > 65535) return invalid("qtype: above 65535");
  cache::Reader reader(cache().table());
  const auto add = [&](const cache::Entry& entry) {
    v1::CacheEntry& out = *response.add_entries();
    to_message(entry, clock_.milliseconds(), out);
    const cache::Origin origin = cache().origin(entry);
    out.mutable_origin()->set_node(origin.node);
    out.mutable_origin()->set_sequence(origin.sequence);
  };
  if (request.qtype() != 0) {
    cache::Key key;
    key.qname = name->wire().data();
    key.qname_len = static_cast<std::uint8_t>(name->size());
    key.qtype = static_cast<std::uint16_t>(request.qtype());
    for (std::uint8_t flags = 0; flags <= (cache::kKeyDnssecOk | cache::kKeyCheckingDisabled); ++flags) {
      key.flags = flags;
      if (const cache::Entry* entry = reader.peek(key)) add(*entry);
    }
    return grpc::Status::OK;
  }
  cache::DumpCursor cursor;
  while (!cursor.done(cache().table())) {
    cursor.next(cache().table(), kBucketsPerSlice, [&](const cache::Entry& entry) {
      if (std::ranges::equal(entry.qname(), name->wire())) add(entry);
    });
    reader.quiescent();
  }
  return grpc::Status::OK;
}

void CacheCalls::describe(v1::CacheStatus& status) const {
  cache::Cache& cache = writer_.cache();
  const cache::CacheStats stats = cache.stats();
  status.set_entries(stats.entries);
  status.set_budget_bytes(stats.budget_bytes);
  status.set_used_bytes(stats.used_bytes);
  status.set_table_slots(stats.table_cells);
  status.set_journal_first(cache.journal().first());
  status.set_journal_next(cache.journal().next());
  status.set_epoch(cache.epoch());
  status.set_journal_id(journal_id_);
  status.set_numbering(numbering_);
}

}  // namespace swarmdns::control
