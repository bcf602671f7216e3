// The ledger as one file that can be checked without a node: docs/formats/ledger.md, "Exports". Made in
// pieces, so that other things happen between them. Errors are sentences. Reactor thread.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "controlplane/ledger/store.h"

namespace swarmdns::controlplane {

struct ExportPlan {
  std::uint64_t from = 0;  // heights of blocks
  std::uint64_t to = 0;
  bool bodies = false;
  std::uint64_t anchor = 0;  // height of the checkpoint, `to` or above: headers reach as far
  std::string checkpoint;
};

// Errors: pruned, not there, not covered by a checkpoint yet.
std::expected<ExportPlan, std::string> plan_export(const LedgerStore& store, std::uint64_t from,
                                                   std::uint64_t to, bool bodies);
// The octets in front of the first block.
std::expected<std::string, std::string> export_beginning(const LedgerStore& store, const ExportPlan& plan);
// Of one height from plan.from to plan.anchor: a block, or the header of one behind plan.to.
std::expected<std::string, std::string> export_height(const LedgerStore& store, const ExportPlan& plan,
                                                      std::uint64_t height);
// The octets behind the last.
std::string export_end(const ExportPlan& plan);

}  // namespace swarmdns::controlplane
