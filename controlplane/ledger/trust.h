// The trust file: whose cosignatures a verifier believes, from which height on (docs/formats/ledger.md). No
// I/O. Thread-safe.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/ledger/checkpoint.h"

namespace swarmdns::controlplane {

struct VoterSet {
  std::uint64_t from_height = 0;
  std::size_t needed = 0;  // cosignatures: 1..voters
  std::vector<VerifierKey> voters;
};

struct Trust {
  std::string origin;
  std::vector<VoterSet> sets;  // ascending by height

  // The set in force at a height; nullptr: below the first.
  const VoterSet* at(std::uint64_t height) const;
};

std::string format_trust(const Trust& trust);
// Lines that are empty or begin with # are left out. The error names the line.
std::expected<Trust, std::string> parse_trust(std::string_view text);

// That the checkpoint is of the trusted log and cosigned by enough of its height's voters: their names.
std::expected<std::vector<std::string>, std::string> check_trusted(const CheckpointNote& checkpoint,
                                                                   const Trust& trust);

}  // namespace swarmdns::controlplane
