#include "controlplane/chain/submitter.h"

#include <algorithm>
#include <array>

#include "controlplane/state/apply.h"
#include "controlplane/state/keys.h"

namespace swarmdns::controlplane {
namespace {

// Mostly beyond what an earlier life of this node may still have on its way. Two lives that begin from the
// same block begin with the same number, though: see applied().
constexpr std::uint64_t kNumbersSkipped = 2048;
constexpr std::uint64_t kLookMs = 100;
constexpr std::uint64_t kBusyPauseMs = 20;

}  // namespace

Submitter::Submitter(Reactor& reactor, PeerLink& link, ReplicatedLog& log, Sequencer& sequencer, Chain& chain,
                     Options options)
    : reactor_(reactor),
      link_(link),
      log_(log),
      sequencer_(sequencer),
      chain_(chain),
      options_(options),
      look_(reactor),
      poster_(reactor) {
  chain_.subscribe([this](const AppliedBlock& block) { applied(block); });
}

void Submitter::submit(v1::Transaction transaction, Done done) {
  if (waiting_.size() >= options_.waiting_most) {
    reactor_.post([done = std::move(done)] {
      done(std::unexpected(SubmitError{SubmitError::Kind::kBusy,
                                       "too many changes wait for the swarm; try again in a moment"}));
    });
    return;
  }
  transaction.set_version(kOldestVersion);
  transaction.set_made_ms(reactor_.wall_ms());
  v1::Leaf leaf;
  std::array<std::byte, std::tuple_size_v<Salt>> salt;
  reactor_.random(salt);
  leaf.set_salt(as_string(salt));
  leaf.set_transaction(transaction.SerializeAsString());
  waiting_.push_back({std::move(leaf), std::move(done), reactor_.now_ms()});
  if (!look_.running()) look_.start(kLookMs, [this] { look_after(); });
  // At the end of what runs now: what is submitted together goes together.
  if (bundling_) return;
  bundling_ = true;
  poster_.post([this] {
    bundling_ = false;
    bundle_some();
  });
}

void Submitter::bundle_some() {
  if (next_number_ == 0) {
    if (chain_.height() == 0) return;  // nobody is known yet
    const auto window = read<v1::BundleWindow>(chain_.state(), keys::of(keys::kBundles, options_.self));
    next_number_ = (window ? window->highest() : 0) + kNumbersSkipped;
  }
  while (!waiting_.empty() && sent_.size() < options_.bundles_in_flight) {
    std::vector<v1::Leaf> leaves;
    Sent sent;
    std::size_t bytes = 0;
    sent.since_ms = waiting_.front().since_ms;
    while (!waiting_.empty() && leaves.size() < kBundleMost) {
      bytes += waiting_.front().leaf.ByteSizeLong();
      if (!leaves.empty() && bytes > options_.bundle_bytes) break;
      leaves.push_back(std::move(waiting_.front().leaf));
      sent.done.push_back(std::move(waiting_.front().done));
      waiting_.pop_front();
    }
    const std::uint64_t number = next_number_++;
    sent.bundle = make_bundle({chain_.swarm_id(), chain_.incarnation(), options_.self, number},
                              std::move(leaves), options_.key);
    Sent& kept = sent_.emplace(number, std::move(sent)).first->second;
    send(number, kept);
  }
}

void Submitter::send(std::uint64_t number, Sent& sent) {
  sent.sent_ms = reactor_.now_ms();
  if (log_.is_leader()) {
    const v1::ForwardResponse response = sequencer_.take(sent.bundle);
    sent.out = sent.out || response.verdict() == v1::ForwardResponse::TAKEN;
    verdict(number, response);
    return;
  }
  const NodeId asked = ask_ ? ask_() : 0;
  const NodeId leader = asked != 0 ? asked : log_.status().leader;
  if (leader == 0) return;
  v1::PeerMessage message;
  message.set_request(number);
  *message.mutable_forward_request()->mutable_bundle() = sent.bundle;
  if (link_.send(leader, Channel::kConsensus, std::move(message))) sent.out = true;
}

void Submitter::answered(std::uint64_t request, const v1::ForwardResponse& response) {
  verdict(request, response);
}

void Submitter::verdict(std::uint64_t number, const v1::ForwardResponse& response) {
  const auto at = sent_.find(number);
  if (at == sent_.end()) return;
  switch (response.verdict()) {
    case v1::ForwardResponse::REFUSED:
      // Not from within submit() or send(): whoever waits may do anything.
      poster_.post([this, number, text = response.text()] {
        finish(number, {SubmitError::Kind::kRefused, text});
      });
      break;
    case v1::ForwardResponse::BUSY:
    case v1::ForwardResponse::NO_SPACE:
      // Sooner than for one that was lost.
      at->second.sent_ms = reactor_.now_ms() - std::min(options_.retry_ms - kBusyPauseMs, reactor_.now_ms());
      break;
    default:
      break;
  }
}

void Submitter::leader_changed() {
  for (auto& [number, sent] : sent_) send(number, sent);
}

void Submitter::applied(const AppliedBlock& block) {
  std::vector<std::pair<Done, std::expected<Receipt, SubmitError>>> told;
  std::vector<std::uint64_t> overtaken;
  for (const AppliedBundle& bundle : block.bundles) {
    if (bundle.node != options_.self) continue;
    const auto at = sent_.find(bundle.number);
    if (at == sent_.end() || at->second.bundle.signature() != bundle.signature) {
      // An earlier life of this node had it on its way, and may have others.
      if (at != sent_.end()) overtaken.push_back(bundle.number);
      if (next_number_ != 0 && (at != sent_.end() || bundle.number >= next_number_))
        next_number_ = std::max(next_number_, bundle.number) + kNumbersSkipped;
      continue;
    }
    for (std::size_t i = 0; i < bundle.transactions.size() && i < at->second.done.size(); ++i) {
      const JudgedTransaction& judged = bundle.transactions[i];
      if (judged.refusal.empty()) {
        told.emplace_back(std::move(at->second.done[i]),
                          Receipt{block.header.height, judged.leaf, block.header.time_ms});
      } else {
        told.emplace_back(std::move(at->second.done[i]),
                          std::unexpected(SubmitError{SubmitError::Kind::kRefused, judged.refusal}));
      }
    }
    sent_.erase(at);
  }
  if (told.empty() && overtaken.empty() && waiting_.empty()) return;
  poster_.post([this, told = std::move(told), overtaken = std::move(overtaken)] {
    for (const std::uint64_t number : overtaken) renumber(number);
    for (const auto& [done, outcome] : told) done(outcome);
    bundle_some();
  });
}

// Its number is another bundle's for good, so that it can never be taken under it.
void Submitter::renumber(std::uint64_t number) {
  auto moved = sent_.extract(number);
  if (moved.empty()) return;
  const std::uint64_t fresh = next_number_++;
  v1::Bundle& bundle = moved.mapped().bundle;
  std::vector<v1::Leaf> leaves(bundle.leaves().begin(), bundle.leaves().end());
  bundle = make_bundle({chain_.swarm_id(), chain_.incarnation(), options_.self, fresh}, std::move(leaves),
                       options_.key);
  moved.key() = fresh;
  send(fresh, sent_.insert(std::move(moved)).position->second);
}

void Submitter::finish(std::uint64_t number, const SubmitError& error) {
  const auto at = sent_.find(number);
  if (at == sent_.end()) return;
  const std::vector<Done> done = std::move(at->second.done);
  sent_.erase(at);
  for (const Done& each : done) each(std::unexpected(error));
  bundle_some();
}

void Submitter::look_after() {
  const std::uint64_t now = reactor_.now_ms();
  std::vector<std::pair<std::uint64_t, bool>> given_up;
  for (auto& [number, sent] : sent_) {
    if (now - sent.since_ms >= options_.give_up_ms) {
      given_up.emplace_back(number, sent.out);
    } else if (now - sent.sent_ms >= options_.retry_ms) {
      send(number, sent);
    }
  }
  const SubmitError unknown{SubmitError::Kind::kUnknown,
                            "the swarm has not confirmed it in time (no quorum, or no leader): it may yet be "
                            "done; see `swarmctl nodes`"};
  const SubmitError not_sent{SubmitError::Kind::kBusy,
                             "the swarm has no quorum, or no leader; nothing was sent; see `swarmctl nodes`"};
  for (const auto& [number, out] : given_up) finish(number, out ? unknown : not_sent);
  std::vector<Done> old;
  while (!waiting_.empty() && now - waiting_.front().since_ms >= options_.give_up_ms) {
    old.push_back(std::move(waiting_.front().done));
    waiting_.pop_front();
  }
  for (const Done& each : old) each(std::unexpected(not_sent));
  bundle_some();
  if (!idle()) look_.start(kLookMs, [this] { look_after(); });
}

}  // namespace swarmdns::controlplane
