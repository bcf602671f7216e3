// Blocks of the ledger as a story: one line a transaction, what the nodes order of their caches every second
// folded. Pure.
#pragma once

#include <string>
#include <vector>

#include "controlplane/cli/node_names.h"
#include "controlplane/cli/table.h"

namespace swarmdns::controlplane {

struct LogText {
  std::vector<v1::BlockView> blocks;  // newest first, heights descending
  uint64_t newest = 0;                // height above which there is nothing; 0 = not known
  bool heads = false;                 // each head of a mutation segment, too
};

// Lines, each ended. Heights missing between two blocks are those with nothing but heads.
std::string log_text(const LogText& log, const NodeNames& names, const Style& style);

// One block with everything in it.
std::string block_text(const v1::BlockView& block, const NodeNames& names, const Style& style);

}  // namespace swarmdns::controlplane
