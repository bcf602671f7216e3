#include "controlplane/certs/sealed_issuer.h"

#include <array>

#include "controlplane/certs/certificate_maker.h"
#include "controlplane/certs/node_name.h"

namespace swarmdns::controlplane {
namespace {

using PublicKey = std::array<unsigned char, crypto_box_PUBLICKEYBYTES>;

const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

bool to_x25519(std::string_view ledger_key, PublicKey& key) {
  return ledger_key.size() == crypto_sign_PUBLICKEYBYTES &&
         crypto_sign_ed25519_pk_to_curve25519(key.data(), octets(ledger_key)) == 0;
}

std::expected<Secret, std::string> open_box(std::string_view box, const LedgerKey& own) {
  PublicKey public_key;
  std::array<unsigned char, crypto_box_SECRETKEYBYTES> secret_key;
  if (box.size() < crypto_box_SEALBYTES || !to_x25519(own.public_key, public_key) ||
      crypto_sign_ed25519_sk_to_curve25519(secret_key.data(), octets(own.secret.view())) != 0) {
    return std::unexpected("the sealed issuing key is damaged");
  }
  std::string opened(box.size() - crypto_box_SEALBYTES, '\0');
  const int done = crypto_box_seal_open(reinterpret_cast<unsigned char*>(opened.data()), octets(box),
                                        box.size(), public_key.data(), secret_key.data());
  sodium_memzero(secret_key.data(), secret_key.size());
  if (done != 0)
    return std::unexpected("the sealed issuing key cannot be opened with this node's ledger key");
  return Secret::taken_from(opened);
}

}  // namespace

std::expected<std::string, std::string> seal_issuer(const Issuer& issuer, std::string_view ledger_key) {
  PublicKey to;
  if (!to_x25519(ledger_key, to)) {
    return std::unexpected("the ledger key " + hex_text(ledger_key) + " is not an Ed25519 public key");
  }
  const std::string_view key = issuer.key.view();
  std::string box(key.size() + crypto_box_SEALBYTES, '\0');
  crypto_box_seal(reinterpret_cast<unsigned char*>(box.data()), octets(key), key.size(), to.data());
  return box;
}

std::expected<Issuer, std::string> open_issuer(std::string_view chain, std::string_view box,
                                               const LedgerKey& own) {
  auto key = open_box(box, own);
  if (!key) return std::unexpected(key.error());
  const auto in_key = public_key_of(*key);
  const auto in_chain = public_key_of_certificate(chain);
  if (!in_key) return std::unexpected("what was sealed is no issuing key: " + in_key.error());
  if (!in_chain) return std::unexpected("the issuing certificate: " + in_chain.error());
  if (*in_key != *in_chain) return std::unexpected("the sealed key is not that of the issuing certificate");
  return Issuer{std::string(chain), std::move(*key)};
}

}  // namespace swarmdns::controlplane
