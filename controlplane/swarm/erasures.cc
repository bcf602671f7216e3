#include "controlplane/swarm/erasures.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace swarmdns::controlplane {
namespace {

constexpr std::uint64_t kAgainMs = 1000;

}  // namespace

Erasures::Erasures(Reactor& reactor, SegmentStore& store, Ledger ledger)
    : reactor_(reactor), store_(store), ledger_(std::move(ledger)), again_(reactor) {}

void Erasures::committed(const v1::ErasureRecord& record) {
  // Heights begin anew with an incarnation: the record itself says which one it is.
  const Hash hash = sha256({as_octets(record.SerializeAsString())});
  if (!known_.insert(hash).second) return;
  waiting_.push_back({hash, record});
  next();
}

void Erasures::start() {
  started_ = true;
  next();
}

std::uint64_t Erasures::done_to(std::uint64_t applied) const {
  if (!started_) return 0;
  std::uint64_t height = applied;
  for (const Waiting& one : waiting_) height = std::min(height, one.record.height() - 1);
  return height;
}

void Erasures::retry(const std::string& why) {
  busy_ = false;
  trouble_ = "what the ledger erases is not erased here yet: " + why;
  again_.start(kAgainMs, [this] { next(); });
}

void Erasures::next() {
  if (!started_ || busy_ || waiting_.empty()) return;
  busy_ = true;
  const auto before = std::make_shared<std::expected<bool, std::string>>();
  reactor_.offload(
      [&store = store_, hash = waiting_.front().hash, before] { *before = store.carried_out(hash); },
      [this, before, alive = std::weak_ptr(alive_)] {
        if (alive.expired()) return;
        if (!*before) return retry(before->error());
        **before ? done() : erase(waiting_.front());
      });
}

void Erasures::erase(const Waiting& one) {
  const v1::Erasure& erasure = one.record.erasure();
  const bool leaves = !erasure.leaves().empty() && ledger_.erase_leaves != nullptr;
  if (leaves) {
    const std::vector<std::uint64_t> numbers(erasure.leaves().begin(), erasure.leaves().end());
    if (auto erased = ledger_.erase_leaves(numbers); !erased) return retry(erased.error());
  }
  const auto result = std::make_shared<Result>();
  reactor_.offload(
      [&store = store_, scrub = leaves ? ledger_.scrub : nullptr, one, result] {
        const v1::Erasure& what = one.record.erasure();
        const std::vector<v1::MutationPlace> places(what.places().begin(), what.places().end());
        if (auto erased = store.erase(places); !erased) {
          *result = std::unexpected(erased.error());
          return;
        }
        if (const auto tag = array_from<sizeof(NameTag)>(what.name_tag())) {
          const auto named = store.erase_name(*tag, one.record.time_ms() + kSlackMs);
          if (!named) *result = std::unexpected(named.error());
        }
        if (*result && scrub) *result = scrub();
        if (*result) *result = store.set_carried_out(one.hash);
      },
      [this, result, alive = std::weak_ptr(alive_)] {
        if (alive.expired()) return;
        if (!*result) return retry(result->error());
        done();
      });
}

void Erasures::done() {
  busy_ = false;
  trouble_.clear();
  waiting_.pop_front();
  next();
}

}  // namespace swarmdns::controlplane
