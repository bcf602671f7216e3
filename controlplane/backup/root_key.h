// The keys that data is encrypted under: an epoch's key, a day's key. 32 random octets, from which all others
// are derived:  BLAKE2b-256(key; "swarmdns backup <use> v1" 0x00)
// `commitment` says which key it is and tells nothing of it; there is no second key with the same one. An
// epoch is named by the first 8 octets of its commitment in hex. Pure but for random numbers; any thread.
#pragma once

#include <array>
#include <expected>
#include <string>
#include <string_view>

#include "controlplane/backup/blake.h"

namespace swarmdns::controlplane {

using KeyId = std::array<std::byte, 8>;

KeyId key_id(const Digest& commitment);
std::string key_id_text(const Digest& commitment);  // 16 hex digits

class RootKey {
 public:
  static RootKey make();
  static std::expected<RootKey, std::string> from(Secret octets);  // 32 of them

  const Digest& commitment() const { return commitment_; }
  KeyId id() const { return key_id(commitment_); }
  std::string name() const { return key_id_text(commitment_); }
  const Secret& octets() const { return octets_; }
  RootKey clone() const;

  // Of one use: "boundaries", "chunk id", "chunk", "manifest", "directory".
  Secret derived(std::string_view use) const;

 private:
  explicit RootKey(Secret octets);

  Secret octets_;
  Digest commitment_;
};

}  // namespace swarmdns::controlplane
