#include "controlplane/member/healer.h"

#include <algorithm>
#include <tuple>

namespace swarmdns::controlplane {

Healer::Healer(Reactor& reactor, const Chain& chain, const Roster& roster, Events events)
    : reactor_(reactor), chain_(chain), roster_(roster), events_(std::move(events)), timer_(reactor) {}

void Healer::damaged(const std::string& what) {
  if (is_damaged()) return;
  what_ = what;
  events_.say("the ledger is damaged and cannot be trusted: " + what +
              "; it is fetched anew from another member");
  if (!timer_.running()) look();
}

void Healer::ends_before(std::uint64_t log_index) {
  if (log_index <= wanted_) return;
  wanted_ = log_index;
  events_.say("the ledger ends at entry " + std::to_string(chain_.applied_index()) +
              " of the log, which begins behind entry " + std::to_string(log_index) +
              ": it is fetched from another member");
  if (!timer_.running()) look();
}

void Healer::healed() {
  if (is_damaged())
    events_.say("the ledger is healed: it stands at block " + std::to_string(chain_.height()));
  what_.clear();
  from_ = 0;
  tries_.clear();
  last_problem_.clear();
}

std::string Healer::trouble() const {
  if (!needed()) return "";
  std::string text = is_damaged()
                         ? "the ledger of this node is damaged: " + what_ +
                               "; it gives nothing of it to others until it is fetched anew"
                         : "the ledger of this node ends at entry " + std::to_string(chain_.applied_index()) +
                               " of the log, which begins behind entry " + std::to_string(wanted_);
  if (from_ != 0)
    return text + "; it is being fetched from node " + std::to_string(from_) +
           ", and cosigns nothing meanwhile";
  if (roster_.health().empty()) {
    return text +
           "; there is no other member to fetch it from: stop the control plane and put a backup of "
           "STATE_DIR/swarm in its place";
  }
  if (choose() == 0) return text + "; no other member is heard to fetch it from (tried again)";
  if (!last_problem_.empty()) text += "; " + last_problem_;
  return text + " (tried again)";
}

// Whoever failed least, then who has most.
NodeId Healer::choose() const {
  NodeId best = 0;
  std::tuple<unsigned, std::uint64_t> best_rank;
  for (const auto& [id, health] : roster_.health()) {
    const auto heard = health.lost_ms == 0 ? roster_.heard(id) : std::nullopt;
    if (!heard || heard->report.height() == 0 || heard->report.log_index() < wanted_) continue;
    const auto tried = tries_.find(id);
    const std::tuple rank(tried == tries_.end() ? 0U : tried->second, UINT64_MAX - heard->report.log_index());
    if (best == 0 || rank < best_rank) {
      best = id;
      best_rank = rank;
    }
  }
  return best;
}

void Healer::look() {
  if (!needed()) return;
  timer_.start(kLookMs, [this] { look(); });
  if (from_ != 0 || reactor_.now_ms() < not_before_ms_) return;
  const NodeId from = choose();
  if (from == 0) return;
  from_ = from;
  const unsigned number = ++tries_[from];
  // Not less than what was applied here: the log does not give it a second time.
  events_.fetch(from, std::max(wanted_, chain_.applied_index()),
                [this, from, number](const std::expected<void, std::string>& fetched) {
                  if (fetched || from_ != from || tries_[from] != number) return;
                  from_ = 0;
                  last_problem_ = "from node " + std::to_string(from) + ": " + fetched.error();
                  not_before_ms_ = reactor_.now_ms() + kAgainMs;
                });
}

}  // namespace swarmdns::controlplane
