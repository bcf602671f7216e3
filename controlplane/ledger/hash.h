// SHA-256, the ledger's only hash. hash.cc alone knows which library computes it.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>

#include "controlplane/ledger/octets.h"

namespace swarmdns::controlplane {

using Hash = std::array<std::byte, 32>;

// Of all the parts, one behind the other.
Hash sha256(std::initializer_list<Bytes> parts);

// For input that comes in pieces. Ends with finish(), which may be called once.
class Sha256 {
 public:
  Sha256();
  void add(Bytes octets);
  Hash finish();

 private:
  alignas(8) std::array<std::byte, 112> context_;
};

}  // namespace swarmdns::controlplane
