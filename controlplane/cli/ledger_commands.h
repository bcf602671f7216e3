// The commands about the ledger, apart from how they are spelled (ledger_tree.cc). Each returns an exit code
// and needs context.swarm, verify_file excepted.
#pragma once

#include <string>

#include "controlplane/cli/context.h"
#include "controlplane/cli/time_text.h"

namespace swarmdns::controlplane {

struct LogOptions {
  uint64_t from = 0;  // height; 0 = newest
  uint32_t limit = 20;
  bool heads = false;  // each head of a mutation segment, too
};
int show_log(Context& context, const LogOptions& options);
int show_block(Context& context, uint64_t height);

int show_history(Context& context, const std::string& name, const std::string& type, uint32_t limit);
int show_at(Context& context, const std::string& time, const std::string& name, const std::string& type);
int diff_heights(Context& context, uint64_t from, uint64_t to);

int prove_leaf(Context& context, uint64_t leaf, const std::string& out_file);
int prove_consistency(Context& context, uint64_t size, const std::string& out_file);
// `node`: name or number.
int prove_mutation(Context& context, const std::string& node, uint64_t segment, uint32_t position,
                   const std::string& out_file);
int show_checkpoint(Context& context, const std::string& trust_file);
int verify_store(Context& context, std::uint32_t incarnation);

struct RollbackOptions {
  std::string only;  // "cache", "config", "zones"
  std::string to;    // height or time
  bool dry_run = false;
  bool readmit = false;
  bool yes = false;
  std::string reason;
};
int roll_back(Context& context, const RollbackOptions& options);

int erase_name(Context& context, const std::string& name, bool yes, const std::string& reason);

struct ExportOptions {
  uint64_t from = 0;
  uint64_t to = 0;
  bool bodies = false;
  std::string file;
};
int export_ledger(Context& context, const ExportOptions& options);

}  // namespace swarmdns::controlplane
