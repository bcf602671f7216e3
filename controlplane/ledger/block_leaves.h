// The transactions of a block that is kept, with who made them and where they stand. Reactor thread.
#pragma once

#include <cstdint>
#include <functional>

#include "controlplane/ledger/store.h"
#include "swarmdns/v1/ledger.pb.h"

namespace swarmdns::controlplane {

struct BlockLeaf {
  std::uint64_t index = 0;
  std::uint64_t node = 0;  // who signed its bundle
  bool erased = false;     // then there is no transaction
  v1::Transaction transaction;
};

// In their order; `visit` false ends it. Error: the block is not there, or cannot be read.
StoreResult each_leaf(const LedgerStore& store, std::uint64_t height,
                      const std::function<bool(const BlockLeaf&)>& visit);

// The first SegmentHead of `node` in [from, to] whose segment is `segment` or one behind it. nullopt: none.
struct HeadLeaf {
  std::uint64_t leaf = 0;
  v1::SegmentHead head;
};
std::expected<std::optional<HeadLeaf>, std::string> find_head(const LedgerStore& store, std::uint64_t node,
                                                              std::uint64_t segment, std::uint64_t from,
                                                              std::uint64_t to);

}  // namespace swarmdns::controlplane
