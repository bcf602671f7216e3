// The recursive definitions of RFC 9162 sections 2.1.1, 2.1.3.1 and 2.1.4.1, word for word and slow: what
// merkle.cc is compared with. SHA-256 by libsodium, so that not even the hash is shared.
#pragma once

#include <sodium.h>

#include <string>
#include <vector>

#include "controlplane/ledger/hash.h"

namespace swarmdns::controlplane::naive {

using Leaves = std::vector<std::string>;

inline Hash hash_of(const std::string& octets) {
  Hash hash;
  crypto_hash_sha256(reinterpret_cast<unsigned char*>(hash.data()),
                     reinterpret_cast<const unsigned char*>(octets.data()), octets.size());
  return hash;
}

inline std::string text_of(const Hash& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

inline std::size_t split(std::size_t n) {
  std::size_t k = 1;
  while (2 * k < n) k *= 2;
  return k;
}

inline Leaves part(const Leaves& d, std::size_t from, std::size_t to) {
  return Leaves(d.begin() + static_cast<std::ptrdiff_t>(from), d.begin() + static_cast<std::ptrdiff_t>(to));
}

inline Hash mth(const Leaves& d) {
  if (d.empty()) return hash_of("");
  if (d.size() == 1) return hash_of(std::string(1, '\0') + d[0]);
  const std::size_t k = split(d.size());
  return hash_of(std::string(1, '\1') + text_of(mth(part(d, 0, k))) + text_of(mth(part(d, k, d.size()))));
}

inline std::vector<Hash> path(std::size_t m, const Leaves& d) {
  if (d.size() == 1) return {};
  const std::size_t k = split(d.size());
  std::vector<Hash> hashes = m < k ? path(m, part(d, 0, k)) : path(m - k, part(d, k, d.size()));
  hashes.push_back(m < k ? mth(part(d, k, d.size())) : mth(part(d, 0, k)));
  return hashes;
}

inline std::vector<Hash> subproof(std::size_t m, const Leaves& d, bool b) {
  if (m == d.size()) return b ? std::vector<Hash>{} : std::vector<Hash>{mth(d)};
  const std::size_t k = split(d.size());
  std::vector<Hash> hashes =
      m <= k ? subproof(m, part(d, 0, k), b) : subproof(m - k, part(d, k, d.size()), false);
  hashes.push_back(m <= k ? mth(part(d, k, d.size())) : mth(part(d, 0, k)));
  return hashes;
}

inline std::vector<Hash> proof(std::size_t m, const Leaves& d) {
  return subproof(m, d, true);
}

}  // namespace swarmdns::controlplane::naive
