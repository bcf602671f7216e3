// Does the store still hold what was agreed on? Every block, leaf, tile and piece of the state is compared
// with the newest cosigned checkpoint; the first that differs is named. Reads everything: seconds to minutes.
// Any thread, on a store that is not written meanwhile (a copy, LedgerStore::copy_to, or at a start).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "controlplane/ledger/checkpoint.h"
#include "controlplane/ledger/store.h"

namespace swarmdns::controlplane {

struct SelfCheck {
  // That the voters of its height have cosigned it; a sentence when not.
  std::function<std::expected<void, std::string>(const CheckpointNote&)> trusted;
  // Called now and then with blocks done and blocks in all; may be empty.
  std::function<void(std::uint64_t done, std::uint64_t of)> progress;
};

struct SelfCheckResult {
  std::string finding;   // the first thing that is wrong; "" = nothing
  bool damaged = false;  // the store's own content is wrong, not only what was to vouch for it
  std::optional<std::uint64_t>
      checkpoint_height;  // what was compared with; nullopt: there is no checkpoint yet
  std::uint64_t blocks = 0;
  std::uint64_t leaves = 0;
  std::uint64_t tiles = 0;
  std::uint64_t keys = 0;
};

SelfCheckResult check_store(const LedgerStore& store, const SelfCheck& check);

}  // namespace swarmdns::controlplane
