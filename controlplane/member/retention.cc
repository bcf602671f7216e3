#include "controlplane/member/retention.h"

#include <algorithm>
#include <utility>

#include "controlplane/ledger/checkpoint.h"
#include "controlplane/state/apply.h"
#include "controlplane/state/keys.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::uint64_t kFirstMs = 10'000;
constexpr std::uint64_t kEveryMs = 60'000;
constexpr std::uint64_t kPieceMs = 20;
constexpr std::size_t kPiece = 200;  // checkpoints

// Checkpoints of blocks older than `age_ms`: one for each `spacing_ms` is kept.
struct Tier {
  std::uint64_t age_ms;
  std::uint64_t spacing_ms;
};
constexpr Tier kTiers[] = {
    {30ULL * 86'400'000, 86'400'000},
    {86'400'000, 3'600'000},
    {3'600'000, 60'000},
};

}  // namespace

Retention::Retention(Reactor& reactor, const Chain& chain, LedgerStore& store,
                     std::function<void(const std::string&)> say)
    : reactor_(reactor), chain_(chain), store_(store), say_(std::move(say)), timer_(reactor) {}

void Retention::start() {
  timer_.start(kFirstMs, [this] { run(); });
}

void Retention::run() {
  trouble_.clear();
  if (chain_.height() > 0) prune();
  tier_ = 0;
  from_ = 0;
  thin();
}

void Retention::prune() {
  const auto settings = read<v1::SwarmSettings>(chain_.state(), keys::kSettings).value_or(with_defaults({}));
  const std::uint64_t now = reactor_.wall_ms();
  if (settings.retain_blocks_s() > now / 1000) return;
  const auto height = store_.height_at(now - settings.retain_blocks_s() * 1000);
  if (!height) {
    trouble_ = height.error();
    return;
  }
  // Behind a checkpoint: what is kept must lead to one.
  const auto covered = store_.checkpoint(UINT64_MAX);
  const auto newest = covered && *covered ? parse_checkpoint_note(**covered) : std::unexpected("");
  if (!*height || !newest) return;
  const std::uint64_t below = std::min(**height, newest->checkpoint.height);
  const std::uint64_t before = store_.lowest_height();
  if (below <= before) return;
  if (auto pruned = store_.prune(below); !pruned) {
    trouble_ = pruned.error();
    return;
  }
  say_("the ledger's blocks " + std::to_string(before) + " to " + std::to_string(below - 1) +
       " are older than retain_blocks and gone from this node");
}

void Retention::thin() {
  const Tier& tier = kTiers[tier_];
  const std::uint64_t now = reactor_.wall_ms();
  const auto next = store_.thin_checkpoints(from_, now - std::min(now, tier.age_ms), tier.spacing_ms, kPiece);
  if (!next) trouble_ = next.error();
  from_ = next.value_or(0);
  if (from_ == 0 && ++tier_ == std::size(kTiers)) {
    timer_.start(kEveryMs, [this] { run(); });
    return;
  }
  timer_.start(kPieceMs, [this] { thin(); });
}

}  // namespace swarmdns::controlplane
