#include "dataplane/control/cache_calls.h"

#include <sodium.h>

#include <memory>
#include <utility>
#include <vector>

#include "dataplane/cache/dump.h"
#include "dataplane/cache/reader.h"
#include "dataplane/control/insert_tally.h"
#include "proto/dns/name.h"

namespace swarmdns::control {
namespace {

// What may be waiting for the writer because of one call; the queue's rest is for the miss thread.
constexpr int kInsertWindow = 1024;
constexpr std::uint32_t kBucketsPerSlice = 1024;
constexpr int kMostRanges = 65'536;  // of a fence

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
  if (request.has_epoch() && request.epoch() > 65535) return invalid("epoch: above 65535");
  DecodeRules rules = decode_rules();
  rules.elapsed_ms = request.transit_ms();
  const int count = request.entries_size();
  // Written by the writer thread until drain() returns, and not after.
  std::vector<cache::Outcome> outcomes(static_cast<std::size_t>(count), cache::Outcome::NoRoom);
  std::vector<std::pair<int, DecodeError>> faults;  // by ascending index
  std::uint64_t remote_faults = 0;
  int under_way = 0;
  for (int i = 0; i < count; ++i) {
    const v1::CacheEntry& entry = request.entries(i);
    auto image = from_message(entry, rules);
    const auto origin = origin_of(entry);
    if (!image || !origin) {
      faults.emplace_back(i, image ? origin.error() : image.error());
      remote_faults += entry.origin().node() != 0 ? 1U : 0U;
      continue;
    }
    cache::InsertOptions options;
    if (origin->node != 0) options.origin = *origin;
    if (request.has_epoch()) options.asked_epoch = static_cast<std::uint16_t>(request.epoch());
    // A full queue shows as the NoRoom that stands there already.
    (void)writer_.insert(
        std::move(*image), options,
        [&outcomes, at = static_cast<std::size_t>(i)](cache::Outcome outcome) { outcomes[at] = outcome; });
    if (++under_way % kInsertWindow == 0) writer_.drain();
  }
  if (remote_faults > 0) writer_.count_remote_refused(remote_faults);
  writer_.drain();
  InsertTally tally(response);
  auto fault = faults.begin();
  for (int i = 0; i < count; ++i) {
    if (fault != faults.end() && fault->first == i) {
      tally.refuse(i, reason_of(fault->second.fault), fault->second.text);
      ++fault;
    } else if (const cache::Outcome outcome = outcomes[static_cast<std::size_t>(i)]; accepted(outcome)) {
      tally.accept();
    } else {
      tally.refuse(i, reason_of(outcome), to_text(outcome));
    }
  }
  tally.finish();
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
  flushes_.note(scope);
  response.set_removed(writer_.flush(scope).get().removed);
  flushes_.through();
  return grpc::Status::OK;
}

grpc::Status CacheCalls::fence(const v1::FenceRequest& request, v1::FenceResponse& response) {
  if (request.dead_size() > kMostRanges) {
    return invalid("dead: " + std::to_string(request.dead_size()) + " ranges; a fence has at most " +
                   std::to_string(kMostRanges));
  }
  if (request.dead_size() == 0 && !request.unknown_origin()) {
    return invalid("dead: what is to be removed? give ranges of origins, or unknown_origin");
  }
  std::vector<cache::OriginSet::Range> ranges;
  ranges.reserve(static_cast<std::size_t>(request.dead_size()));
  for (int i = 0; i < request.dead_size(); ++i) {
    const v1::DeadRange& range = request.dead(i);
    const std::string field = "dead[" + std::to_string(i) + "].";
    if (range.node() > 65535) return invalid(field + "node: above 65535");
    if (range.first() == 0) return invalid(field + "first: numbers begin at 1");
    if (range.last() < range.first()) return invalid(field + "last: before first");
    ranges.push_back({static_cast<std::uint16_t>(range.node()), range.first(), range.last()});
  }
  cache::FlushScope scope;
  scope.kind = cache::FlushScope::Kind::Origins;
  scope.origins = cache::OriginSet(ranges, request.unknown_origin());
  flushes_.note(scope);
  const cache::FlushResult result = writer_.flush(std::move(scope)).get();
  flushes_.through();
  response.set_removed(result.removed);
  response.set_looked_at(result.looked_at);
  response.set_epoch(result.epoch);
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
