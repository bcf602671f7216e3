#include "dataplane/control/journal_stream.h"

#include <chrono>
#include <string>
#include <vector>

#include "dataplane/control/dump.h"

namespace swarmdns::control {
namespace {

constexpr std::size_t kMaxRecords = 4096;
constexpr std::size_t kMaxBytes = std::size_t{1} << 20;
constexpr std::chrono::milliseconds kWait(250);

// The names of upstreams, looked up once each.
class Names {
 public:
  explicit Names(const cache::UpstreamNames& all) : all_(all) {}
  const std::string& of(cache::UpstreamId id) {
    if (id >= known_.size()) known_.resize(id + std::size_t{1});
    std::string& name = known_[id];
    if (name.empty() && id != 0) name = all_.name_of(id);
    return name;
  }

 private:
  const cache::UpstreamNames& all_;
  std::vector<std::string> known_;
};

void to_message(const cache::Mutation& mutation, Names& names, std::uint64_t now_ms, std::uint64_t wall_ms,
                v1::Mutation& out) {
  out.set_sequence(mutation.sequence);
  out.set_wall_ms(wall_ms - (now_ms > mutation.clock_ms ? now_ms - mutation.clock_ms : 0));
  switch (mutation.kind) {
    case cache::MutationKind::Insert:
    case cache::MutationKind::Replace:
      out.set_kind(mutation.kind == cache::MutationKind::Insert ? v1::MUTATION_INSERT : v1::MUTATION_REPLACE);
      control::to_message(mutation.image.entry(), now_ms, *out.mutable_entry());
      out.mutable_entry()->mutable_origin()->set_sequence(mutation.sequence);
      if (mutation.upstream != 0) out.set_upstream(names.of(mutation.upstream));
      break;
    case cache::MutationKind::Remove: {
      out.set_kind(v1::MUTATION_REMOVE);
      v1::Key& key = *out.mutable_entry()->mutable_key();
      key.set_qname(reinterpret_cast<const char*>(mutation.name.data()), mutation.name.size());
      key.set_qtype(mutation.qtype);
      key.set_dnssec_ok((mutation.key_flags & cache::kKeyDnssecOk) != 0);
      key.set_checking_disabled((mutation.key_flags & cache::kKeyCheckingDisabled) != 0);
      key.set_view(mutation.view);
      break;
    }
    case cache::MutationKind::FlushZone:
      out.set_kind(v1::MUTATION_FLUSH_ZONE);
      out.set_zone(reinterpret_cast<const char*>(mutation.name.data()), mutation.name.size());
      break;
    case cache::MutationKind::FlushAll:
      out.set_kind(v1::MUTATION_FLUSH_ALL);
      break;
    case cache::MutationKind::Gap:
      out.set_kind(v1::MUTATION_GAP);
      out.set_wall_ms(wall_ms);
      out.set_gap_first(mutation.sequence);
      out.set_gap_last(mutation.gap_last);
      break;
  }
}

}  // namespace

grpc::Status stream_journal(CacheCalls& calls, const v1::JournalRequest& request,
                            const std::function<bool(const v1::JournalBatch&)>& send,
                            const std::function<bool()>& over) {
  cache::Journal& journal = calls.cache().journal();
  const bool other_journal = request.journal_id() != 0 && request.journal_id() != calls.journal_id();
  if (other_journal || request.from() > journal.next()) {
    return {grpc::StatusCode::OUT_OF_RANGE,
            "from: the data plane has been restarted since number " + std::to_string(request.from()) +
                " was given; resynchronise by Dump and go on from its header's journal_next"};
  }
  Names names(journal.upstreams());
  v1::JournalBatch out;  // used again and again: its messages keep their memory
  out.set_journal_id(calls.journal_id());
  std::uint64_t from = request.from();
  while (!over()) {
    const auto batch =
        journal.read(from, kMaxRecords, kMaxBytes, request.follow() ? kWait : std::chrono::milliseconds(0));
    if (batch.mutations.empty()) {
      if (!request.follow()) break;
      continue;
    }
    const std::uint64_t now_ms = calls.clock().milliseconds();
    const std::uint64_t wall_ms = wall_milliseconds();
    out.clear_mutations();
    out.set_next(batch.next);
    for (const cache::Mutation& mutation : batch.mutations)
      to_message(mutation, names, now_ms, wall_ms, *out.add_mutations());
    if (!send(out)) return {grpc::StatusCode::CANCELLED, "the journal's reader is gone"};
    from = batch.next;
  }
  return grpc::Status::OK;
}

}  // namespace swarmdns::control
