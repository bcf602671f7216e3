// The key of what this node keeps for itself: STATE_DIR/cache.key, 32 random octets, mode 0600, made at first
// use. Who loses it loses the snapshot, and nothing else.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <string>

namespace swarmdns::restart {

using NodeKey = std::array<std::uint8_t, 32>;

struct KeptKey {
  NodeKey key{};
  std::string warning;  // a damaged one was replaced; empty: all is well
};

// The error names the file and what to do.
[[nodiscard]] std::expected<KeptKey, std::string> node_key(const std::string& state_dir);

[[nodiscard]] std::string node_key_path(const std::string& state_dir);

}  // namespace swarmdns::restart
