#include "controlplane/certs/keys.h"

#include <array>

#include "controlplane/certs/certificate_maker.h"
#include "controlplane/certs/private_file.h"

namespace swarmdns::controlplane {
namespace {

// The file: this line, the seed in 64 hexadecimal digits, a line's end.
constexpr std::string_view kLedgerHeader = "swarmdns ledger key v1\n";

const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Secret ledger_text(const LedgerKey& key) {
  std::string text(kLedgerHeader);
  std::array<char, 2 * crypto_sign_SEEDBYTES + 1> digits;
  sodium_bin2hex(digits.data(), digits.size(), octets(key.secret.view()), crypto_sign_SEEDBYTES);
  text.reserve(text.size() + digits.size());  // no copy of the digits stays behind
  text.append(digits.data(), digits.size() - 1).append("\n");
  sodium_memzero(digits.data(), digits.size());
  return Secret::taken_from(text);
}

std::expected<LedgerKey, std::string> parse_ledger(const Secret& file, const std::string& path) {
  std::string_view text = file.view();
  const std::string mend = ": restore it from a copy, or let this node join as a new one";
  if (!text.starts_with(kLedgerHeader)) return std::unexpected(path + " is not a ledger key" + mend);
  text.remove_prefix(kLedgerHeader.size());
  std::array<char, crypto_sign_SEEDBYTES> seed;
  std::size_t size = 0;
  const char* end = nullptr;
  const bool whole = sodium_hex2bin(reinterpret_cast<unsigned char*>(seed.data()), seed.size(), text.data(),
                                    text.size(), nullptr, &size, &end) == 0 &&
                     size == seed.size() && std::string_view(end, text.data() + text.size()) == "\n";
  auto key = whole ? ledger_key_from_seed({seed.data(), seed.size()})
                   : std::expected<LedgerKey, std::string>(std::unexpected(path + " is damaged" + mend));
  sodium_memzero(seed.data(), seed.size());
  return key;
}

std::string ledger_path(const std::string& directory) {
  return directory + "/ledger.key";
}
std::string tls_path(const std::string& directory) {
  return directory + "/tls.key";
}

}  // namespace

std::string LedgerKey::sign(std::string_view message) const {
  std::string signature(crypto_sign_BYTES, '\0');
  crypto_sign_detached(reinterpret_cast<unsigned char*>(signature.data()), nullptr, octets(message),
                       message.size(), octets(secret.view()));
  return signature;
}

bool verify_ledger_signature(std::string_view public_key, std::string_view message,
                             std::string_view signature) {
  return public_key.size() == crypto_sign_PUBLICKEYBYTES && signature.size() == crypto_sign_BYTES &&
         crypto_sign_verify_detached(octets(signature), octets(message), message.size(),
                                     octets(public_key)) == 0;
}

LedgerKey make_ledger_key() {
  std::array<char, crypto_sign_SEEDBYTES> seed;
  randombytes_buf(seed.data(), seed.size());
  auto key = ledger_key_from_seed({seed.data(), seed.size()});
  sodium_memzero(seed.data(), seed.size());
  return std::move(*key);
}

std::expected<LedgerKey, std::string> ledger_key_from_seed(std::string_view seed) {
  if (seed.size() != crypto_sign_SEEDBYTES) return std::unexpected("the seed of a ledger key has 32 octets");
  if (sodium_init() < 0) return std::unexpected("libsodium cannot be initialised");
  std::string secret(crypto_sign_SECRETKEYBYTES, '\0');
  LedgerKey key;
  key.public_key.resize(crypto_sign_PUBLICKEYBYTES);
  crypto_sign_seed_keypair(reinterpret_cast<unsigned char*>(key.public_key.data()),
                           reinterpret_cast<unsigned char*>(secret.data()), octets(seed));
  key.secret = Secret::taken_from(secret);
  return key;
}

std::string pin_of(std::string_view public_key) {
  std::string pin(crypto_hash_sha256_BYTES, '\0');
  crypto_hash_sha256(reinterpret_cast<unsigned char*>(pin.data()), octets(public_key), public_key.size());
  return pin;
}

std::expected<TlsKey, std::string> tls_key_from_pem(Secret pem) {
  auto public_key = public_key_of(pem);
  if (!public_key) return std::unexpected(public_key.error());
  std::string pin = pin_of(*public_key);
  return TlsKey{std::move(pem), std::move(*public_key), std::move(pin)};
}

std::expected<TlsKey, std::string> make_tls_key() {
  auto pem = make_p256_key();
  if (!pem) return std::unexpected(pem.error());
  return tls_key_from_pem(std::move(*pem));
}

std::expected<std::optional<NodeKeys>, std::string> load_node_keys(const std::string& directory) {
  auto ledger_file = read_private_file(ledger_path(directory));
  if (!ledger_file) return std::unexpected(ledger_file.error());
  auto tls_file = read_private_file(tls_path(directory));
  if (!tls_file) return std::unexpected(tls_file.error());
  if (!*ledger_file && !*tls_file) return std::nullopt;
  if (!*ledger_file || !*tls_file) {
    return std::unexpected((*ledger_file ? tls_path(directory) : ledger_path(directory)) +
                           " is missing: restore it from a copy, or remove the other key, too, and let this "
                           "node join as a new one");
  }
  auto ledger = parse_ledger(**ledger_file, ledger_path(directory));
  if (!ledger) return std::unexpected(ledger.error());
  auto tls = tls_key_from_pem(std::move(**tls_file));
  if (!tls) {
    return std::unexpected(tls_path(directory) + ": " + tls.error() +
                           ": restore it from a copy, or let this node join as a new one");
  }
  return NodeKeys{std::move(*ledger), std::move(*tls)};
}

std::expected<void, std::string> keep_node_keys(const std::string& directory, const NodeKeys& keys) {
  if (auto done = write_private_file(ledger_path(directory), ledger_text(keys.ledger)); !done) return done;
  return write_private_file(tls_path(directory), keys.tls.pem);
}

}  // namespace swarmdns::controlplane
