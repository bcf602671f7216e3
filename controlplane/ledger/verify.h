// Verifies a proof file against a trust file: `swarmctl ledger verify`, without a node. No I/O. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/ledger/proof_file.h"
#include "controlplane/ledger/trust.h"

namespace swarmdns::controlplane {

struct Verdict {
  bool holds = false;
  std::string sentence;            // what is proved, or what failed
  std::vector<std::string> steps;  // each check that was passed, in order
  std::optional<Proof> proof;      // as read, also when it fails; nullopt: could not be read
};

Verdict verify_proof(std::string_view proof_file, std::string_view trust_file);

}  // namespace swarmdns::controlplane
