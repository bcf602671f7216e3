// BLAKE2b-256 over a sequence of parts, each preceded by its length (8 bytes, little-endian), so that no two
// sequences hash alike. The digest of a cache dump.
#pragma once

#include <sodium.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace swarmdns::control {

class PartsDigest {
 public:
  PartsDigest() { crypto_generichash_init(&state_, nullptr, 0, kBytes); }

  void add(std::string_view part) {
    std::array<unsigned char, 8> length{};
    for (std::size_t i = 0; i < length.size(); ++i) {
      length[i] = static_cast<unsigned char>(part.size() >> (8 * i));
    }
    crypto_generichash_update(&state_, length.data(), length.size());
    crypto_generichash_update(&state_, reinterpret_cast<const unsigned char*>(part.data()), part.size());
  }
  // Once, at the end: 32 bytes.
  [[nodiscard]] std::string finish() {
    std::string out(kBytes, '\0');
    crypto_generichash_final(&state_, reinterpret_cast<unsigned char*>(out.data()), kBytes);
    return out;
  }

 private:
  static constexpr std::size_t kBytes = 32;
  crypto_generichash_state state_;
};

}  // namespace swarmdns::control
