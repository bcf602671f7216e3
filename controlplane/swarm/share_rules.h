// What of a cache may be shared with other nodes (DESIGN.md, "Sharing"). No state beyond the zones; any
// thread.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "swarmdns/v1/dataplane.pb.h"
#include "swarmdns/v1/ledger.pb.h"

namespace swarmdns::controlplane {

// Zones whose names mean something at one place only. Names are in wire format and lower case.
class PrivateZones {
 public:
  // Those that are private everywhere: reverse zones of private addresses (RFC 6303), local. (RFC 6762),
  // home.arpa. (RFC 8375), internal., localhost., test., onion.; and `more`.
  explicit PrivateZones(std::span<const std::string> more = {});
  bool holds(std::string_view qname) const;

 private:
  void add(std::string zone);
  std::unordered_set<std::string> zones_;
  std::unordered_set<std::string> last_labels_;  // of the zones: most names are ruled out by theirs
};

// The answer is worth something elsewhere: NOERROR or NXDOMAIN, within its TTL, of no view but the common
// one, its origin known, its name not private.
bool may_share(const v1::CacheEntry& entry, const PrivateZones& zones);

// Positions of the mutations that tell of a private name.
std::vector<std::uint32_t> private_mutations(std::span<const v1::Mutation> mutations,
                                             const PrivateZones& zones);

// The answers in a node's mutations that may be put into another's cache, with their origins, without AD.
std::vector<v1::CacheEntry> shared_entries(std::vector<v1::Mutation> mutations, std::uint64_t node,
                                           const PrivateZones& zones);

}  // namespace swarmdns::controlplane
