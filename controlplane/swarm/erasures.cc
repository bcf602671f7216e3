#include "controlplane/swarm/erasures.h"

#include <utility>
#include <vector>

namespace swarmdns::controlplane {
namespace {

constexpr std::uint64_t kAgainMs = 1000;

}  // namespace

Erasures::Erasures(Reactor& reactor, SegmentStore& store, Ledger ledger)
    : reactor_(reactor), store_(store), ledger_(std::move(ledger)), again_(reactor) {}

void Erasures::start() {
  const auto read = std::make_shared<std::expected<SegmentStore::ErasedTo, std::string>>();
  reactor_.offload([&store = store_, read] { *read = store.erased_to(); },
                   [this, read, alive = std::weak_ptr(alive_)] {
                     if (alive.expired()) return;
                     if (!*read) {
                       trouble_ = (*read).error();
                       again_.start(kAgainMs, [this] { start(); });
                       return;
                     }
                     trouble_.clear();
                     opened_ = true;
                     std::erase_if(waiting_, [&](const Waiting& one) { return one.at <= **read; });
                     if (waiting_.empty()) done_ = std::max(done_, **read);
                     next();
                   });
}

void Erasures::committed(SegmentStore::ErasedTo at, const v1::ErasureRecord& record) {
  if (at <= done_) return;
  done_ = at;
  waiting_.push_back({at, record});
  next();
}

std::uint64_t Erasures::done_to(std::uint64_t applied) const {
  if (!opened_) return 0;
  return waiting_.empty() ? applied : waiting_.front().at.height - 1;
}

void Erasures::retry(const std::string& why) {
  busy_ = false;
  trouble_ = "what the ledger erases is not erased here yet: " + why;
  again_.start(kAgainMs, [this] { next(); });
}

void Erasures::next() {
  if (!opened_ || busy_ || waiting_.empty()) return;
  busy_ = true;
  const Waiting& one = waiting_.front();
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
        if (*result) *result = store.set_erased_to(one.at);
      },
      [this, result, alive = std::weak_ptr(alive_)] {
        if (alive.expired()) return;
        if (!*result) return retry(result->error());
        busy_ = false;
        trouble_.clear();
        waiting_.pop_front();
        next();
      });
}

}  // namespace swarmdns::controlplane
