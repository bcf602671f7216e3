// BLAKE2b-256 (RFC 7693) by libsodium, as the backup format uses it. Every use has a label of its own, so
// that what is hashed for one purpose never stands for another:
//   hash  = BLAKE2b-256(label 0x00 ‖ parts)      keyed = BLAKE2b-256(key; label 0x00 ‖ parts)
// Pure; any thread, after sodium_init().
#pragma once

#include <sodium.h>

#include <array>
#include <cstddef>
#include <initializer_list>
#include <string_view>

#include "controlplane/certs/secret.h"
#include "controlplane/ledger/octets.h"

namespace swarmdns::controlplane {

using Digest = std::array<std::byte, 32>;

class Blake {
 public:
  explicit Blake(std::string_view label);
  Blake(const Secret& key, std::string_view label);
  ~Blake() { sodium_memzero(&state_, sizeof state_); }
  Blake(const Blake&) = delete;
  Blake& operator=(const Blake&) = delete;

  Blake& add(Bytes octets);
  Digest finish();  // once

 private:
  crypto_generichash_state state_;
};

Digest blake(std::string_view label, std::initializer_list<Bytes> parts);
// Without a label: the names of packs, which are the hashes of whole objects.
Digest plain_blake(Bytes octets);

}  // namespace swarmdns::controlplane
