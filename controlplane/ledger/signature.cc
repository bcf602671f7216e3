#include "controlplane/ledger/signature.h"

#include <sodium.h>

namespace swarmdns::controlplane {
namespace {

const unsigned char* raw(Bytes octets) {
  return reinterpret_cast<const unsigned char*>(octets.data());
}
template <std::size_t N>
unsigned char* raw(std::array<std::byte, N>& octets) {
  return reinterpret_cast<unsigned char*>(octets.data());
}

}  // namespace

KeyPair key_pair_from_seed(const KeySeed& seed) {
  KeyPair keys;
  crypto_sign_seed_keypair(raw(keys.public_key), raw(keys.secret_key), raw(Bytes(seed)));
  return keys;
}

Signature sign(Bytes message, const SecretKey& key) {
  Signature signature;
  crypto_sign_detached(raw(signature), nullptr, raw(message), message.size(), raw(Bytes(key)));
  return signature;
}

bool verify_signature(Bytes message, const Signature& signature, const PublicKey& key) {
  return crypto_sign_verify_detached(raw(Bytes(signature)), raw(message), message.size(), raw(Bytes(key))) ==
         0;
}

}  // namespace swarmdns::controlplane
