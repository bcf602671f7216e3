#include "controlplane/backup/blake.h"

namespace swarmdns::controlplane {
namespace {

const unsigned char* raw(const std::byte* octets) {
  return reinterpret_cast<const unsigned char*>(octets);
}

constexpr std::byte kZero{0};

}  // namespace

Blake::Blake(std::string_view label) {
  crypto_generichash_init(&state_, nullptr, 0, sizeof(Digest));
  add(as_octets(label)).add(Bytes(&kZero, 1));
}

Blake::Blake(const Secret& key, std::string_view label) {
  crypto_generichash_init(&state_, raw(as_octets(key.view()).data()), key.view().size(), sizeof(Digest));
  add(as_octets(label)).add(Bytes(&kZero, 1));
}

Blake& Blake::add(Bytes octets) {
  crypto_generichash_update(&state_, raw(octets.data()), octets.size());
  return *this;
}

Digest Blake::finish() {
  Digest digest;
  crypto_generichash_final(&state_, reinterpret_cast<unsigned char*>(digest.data()), digest.size());
  return digest;
}

Digest blake(std::string_view label, std::initializer_list<Bytes> parts) {
  Blake hash(label);
  for (const Bytes part : parts) hash.add(part);
  return hash.finish();
}

Digest plain_blake(Bytes octets) {
  Digest digest;
  crypto_generichash(reinterpret_cast<unsigned char*>(digest.data()), digest.size(), raw(octets.data()),
                     octets.size(), nullptr, 0);
  return digest;
}

}  // namespace swarmdns::controlplane
