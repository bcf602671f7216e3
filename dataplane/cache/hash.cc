#include "dataplane/cache/hash.h"

#include <sodium.h>

#include <cstring>

namespace swarmdns::cache {

HashKey HashKey::random() {
  HashKey key;
  // Needs no sodium_init(): the system's generator is used until then.
  randombytes_buf(key.words_.data(), sizeof key.words_);
  return key;
}

HashKey HashKey::from_seed(std::uint64_t seed) {
  static_assert(randombytes_SEEDBYTES >= sizeof seed);
  std::array<unsigned char, randombytes_SEEDBYTES> bytes{};
  std::memcpy(bytes.data(), &seed, sizeof seed);
  HashKey key;
  randombytes_buf_deterministic(key.words_.data(), sizeof key.words_, bytes.data());
  return key;
}

}  // namespace swarmdns::cache
