#include "controlplane/backup/root_key.h"

#include <algorithm>

namespace swarmdns::controlplane {
namespace {

Digest derive(const Secret& key, std::string_view use) {
  return Blake(key, "swarmdns backup " + std::string(use) + " v1").finish();
}

}  // namespace

KeyId key_id(const Digest& commitment) {
  KeyId id;
  std::copy_n(commitment.begin(), id.size(), id.begin());
  return id;
}

std::string key_id_text(const Digest& commitment) {
  return to_hex(key_id(commitment));
}

RootKey::RootKey(Secret octets) : octets_(std::move(octets)), commitment_(derive(octets_, "commitment")) {}

RootKey RootKey::make() {
  std::string octets(32, '\0');
  randombytes_buf(octets.data(), octets.size());
  return RootKey(Secret::taken_from(octets));
}

std::expected<RootKey, std::string> RootKey::from(Secret octets) {
  if (octets.view().size() != 32) return std::unexpected("a key of an epoch or a day has 32 octets");
  return RootKey(std::move(octets));
}

RootKey RootKey::clone() const {
  return RootKey(octets_.clone());
}

Secret RootKey::derived(std::string_view use) const {
  Digest digest = derive(octets_, use);
  Secret key(as_text(digest));
  sodium_memzero(digest.data(), digest.size());
  return key;
}

}  // namespace swarmdns::controlplane
