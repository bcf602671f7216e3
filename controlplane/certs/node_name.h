// What a node's certificate calls it: the URI `swarmdns://SWARM/INCARNATION/node/ID` in subjectAltName. SWARM
// is the swarm id in 32 lower-case hexadecimal digits; the numbers are decimal, without leading zeros. Pure;
// any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace swarmdns::controlplane {

inline constexpr std::size_t kSwarmIdSize = 16;

struct NodeName {
  std::string swarm_id;           // 16 octets
  std::uint32_t incarnation = 0;  // from 1
  std::uint64_t node = 0;         // from 1

  bool operator==(const NodeName&) const = default;
};

std::string node_uri(const NodeName& name);
// Nothing: not such a URI.
std::optional<NodeName> parse_node_uri(std::string_view uri);

// Lower case, no spaces: how ids, pins and fingerprints are shown.
std::string hex_text(std::string_view octets);

}  // namespace swarmdns::controlplane
