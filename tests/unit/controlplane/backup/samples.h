// Keys and octets that are the same in each run.
#pragma once

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "controlplane/backup/operator_key.h"
#include "controlplane/backup/root_key.h"
#include "controlplane/certs/keys.h"

namespace swarmdns::controlplane::samples {

inline std::string filled(std::size_t count, unsigned start) {
  std::string octets;
  for (std::size_t i = 0; i < count; ++i) octets += static_cast<char>(start + i);
  return octets;
}

// Secret octets start, start + 1, …
inline RootKey root_key(unsigned start) {
  return std::move(*RootKey::from(Secret(filled(32, start))));
}
inline OperatorKey operator_key(unsigned start) {
  return std::move(*operator_key_from_secret(Secret(filled(32, start))));
}
inline LedgerKey node_key(unsigned start = 7) {
  return std::move(*ledger_key_from_seed(filled(32, start)));
}

// Nothing to compress in it.
inline std::vector<std::byte> noise(std::size_t count, unsigned seed = 1) {
  std::mt19937_64 random(seed);
  std::vector<std::byte> octets(count);
  for (std::size_t i = 0; i < count; i += 8) {
    const std::uint64_t word = random();
    for (std::size_t k = i; k < std::min(count, i + 8); ++k)
      octets[k] = static_cast<std::byte>(word >> (8 * (k - i)));
  }
  return octets;
}

// Lines of text that differ.
inline std::vector<std::byte> lines(std::size_t count, unsigned seed = 1) {
  std::string text;
  for (std::size_t i = 0; text.size() < count; ++i)
    text += "www" + std::to_string((i * 7919 + seed) % 100'003) + ".example.org. 300 IN A 192.0.2." +
            std::to_string(i % 250) + "\n";
  text.resize(count);
  const Bytes octets = as_octets(text);
  return {octets.begin(), octets.end()};
}

}  // namespace swarmdns::controlplane::samples
