#include "controlplane/chain/sequencer.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::uint64_t kPauseMs = 5;

v1::ForwardResponse verdict(v1::ForwardResponse::Verdict what, std::string text = "") {
  v1::ForwardResponse response;
  response.set_verdict(what);
  response.set_text(std::move(text));
  return response;
}

}  // namespace

Sequencer::Sequencer(Reactor& reactor, ReplicatedLog& log, Limits limits)
    : reactor_(reactor), log_(log), limits_(limits), pause_(reactor) {}

v1::ForwardResponse Sequencer::take(v1::Bundle bundle) {
  if (!log_.is_leader()) {
    v1::ForwardResponse response = verdict(v1::ForwardResponse::NOT_LEADER);
    response.set_leader(log_.status().leader);
    return response;
  }
  const std::size_t bytes = bundle.ByteSizeLong();
  if (bytes > limits_.bundle_bytes) {
    return verdict(v1::ForwardResponse::REFUSED,
                   "the transactions have " + std::to_string(bytes) + " octets together; " +
                       std::to_string(limits_.bundle_bytes) + " are taken at once");
  }
  if (waiting_bytes_ + bytes > limits_.waiting_bytes) {
    ++counters_.busy;
    return verdict(v1::ForwardResponse::BUSY);
  }
  ++counters_.bundles;
  waiting_bytes_ += bytes;
  waiting_.push_back({std::move(bundle), bytes});
  propose_some();
  return verdict(v1::ForwardResponse::TAKEN);
}

void Sequencer::reset() {
  ++reign_;
  waiting_.clear();
  waiting_bytes_ = 0;
  in_flight_ = 0;
  pause_.stop();
}

void Sequencer::propose_some() {
  while (!waiting_.empty() && in_flight_ < limits_.in_flight && !pause_.running()) {
    v1::Proposal proposal;
    proposal.set_leader_wall_ms(reactor_.wall_ms());
    std::size_t bytes = 0;
    do {
      bytes += waiting_.front().bytes;
      waiting_bytes_ -= waiting_.front().bytes;
      *proposal.add_bundles() = std::move(waiting_.front().bundle);
      waiting_.pop_front();
    } while (!waiting_.empty() && bytes + waiting_.front().bytes <= limits_.entry_bytes);
    ++in_flight_;
    ++counters_.entries;
    log_.propose(proposal.SerializeAsString(),
                 [this, reign = reign_](std::expected<std::uint64_t, LogFault> done) {
                   if (reign != reign_) return;
                   --in_flight_;
                   if (!done) {
                     // Its makers ask again; nothing is proposed twice from here.
                     ++counters_.failed_entries;
                     if (done.error() == LogFault::kBusy || done.error() == LogFault::kNoSpace)
                       pause_.start(kPauseMs, [this] { propose_some(); });
                   }
                   propose_some();
                 });
  }
}

}  // namespace swarmdns::controlplane
