#include "controlplane/backup/operator_key.h"

#include <array>
#include <optional>
#include <vector>

namespace swarmdns::controlplane {
namespace {

constexpr std::string_view kHeader = "swarmdns operator key v1";
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kSealedBytes = kNonceBytes + kKeyBytes + crypto_aead_xchacha20poly1305_ietf_ABYTES;

const unsigned char* raw(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* raw(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

std::expected<Secret, std::string> stretched(const Secret& passphrase, std::string_view salt,
                                             const PassphraseCost& cost) {
  std::string key(kKeyBytes, '\0');
  if (crypto_pwhash(raw(key), key.size(), passphrase.view().data(), passphrase.view().size(), raw(salt),
                    cost.passes, cost.bytes, crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return std::unexpected("Argon2id needs " + std::to_string(cost.bytes >> 20) +
                           " MiB of memory: free some and try again");
  }
  return Secret::taken_from(key);
}

// The next line, without its end; nothing when there is none.
std::optional<std::string_view> next_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

// What stands behind "word " on the line.
std::optional<std::string_view> after(std::optional<std::string_view> line, std::string_view word) {
  if (!line || !line->starts_with(word)) return std::nullopt;
  return line->substr(word.size());
}

}  // namespace

OperatorKey make_operator_key() {
  std::string octets(kKeyBytes, '\0');
  randombytes_buf(octets.data(), octets.size());
  return std::move(*operator_key_from_secret(Secret::taken_from(octets)));
}

std::expected<OperatorKey, std::string> operator_key_from_secret(Secret secret) {
  if (sodium_init() < 0) return std::unexpected("libsodium cannot be initialised");
  if (secret.view().size() != kKeyBytes) return std::unexpected("an operator's private key has 32 octets");
  OperatorKey key;
  crypto_scalarmult_base(reinterpret_cast<unsigned char*>(key.recipient.key.data()), raw(secret.view()));
  key.secret = std::move(secret);
  return key;
}

std::expected<std::string, std::string> seal_operator_key(const OperatorKey& key, const Secret& passphrase,
                                                          const PassphraseCost& cost) {
  if (passphrase.empty())
    return std::unexpected("the passphrase is empty: everyone who finds the file could read every backup");
  std::string salt(crypto_pwhash_SALTBYTES, '\0');
  randombytes_buf(salt.data(), salt.size());
  const auto under = stretched(passphrase, salt, cost);
  if (!under) return std::unexpected(under.error());
  std::string lines = std::string(kHeader) + "\nrecipient " + key.recipient.text() + "\nargon2id " +
                      std::to_string(cost.passes) + " " + std::to_string(cost.bytes) + " " +
                      to_hex(as_octets(salt)) + "\n";
  std::string sealed(kSealedBytes, '\0');
  randombytes_buf(sealed.data(), kNonceBytes);
  crypto_aead_xchacha20poly1305_ietf_encrypt(raw(sealed) + kNonceBytes, nullptr, raw(key.secret.view()),
                                             kKeyBytes, raw(lines), lines.size(), nullptr, raw(sealed),
                                             raw(under->view()));
  return lines + "sealed " + to_hex(as_octets(sealed)) + "\n";
}

std::expected<SealedOperatorKey, std::string> parse_operator_key(std::string_view text,
                                                                 const std::string& path) {
  const std::string mend = ": restore it from a copy, or from the recovery form on paper";
  std::string_view rest = text;
  if (next_line(rest) != kHeader) return std::unexpected(path + " is not an operator's key" + mend);
  const auto recipient = after(next_line(rest), "recipient ");
  auto cost = after(next_line(rest), "argon2id ");
  const std::size_t lines = text.size() - rest.size();
  const auto sealed = after(next_line(rest), "sealed ");
  if (!recipient || !cost || !sealed || !rest.empty()) return std::unexpected(path + " is damaged" + mend);

  SealedOperatorKey file;
  const auto who = parse_recipient(*recipient);
  if (!who || who->text() != *recipient) return std::unexpected(path + " is damaged: its recipient" + mend);
  file.recipient = *who;
  std::array<std::string_view, 2> numbers;
  for (std::string_view& number : numbers) {
    const std::size_t space = cost->find(' ');
    if (space == std::string_view::npos)
      return std::unexpected(path + " is damaged: its argon2id line" + mend);
    number = cost->substr(0, space);
    cost->remove_prefix(space + 1);
  }
  const auto passes = from_decimal(numbers[0], kMostPassphraseCost.passes);
  const auto bytes = from_decimal(numbers[1], kMostPassphraseCost.bytes);
  const auto salt = from_hex(*cost);
  if (!passes || *passes < crypto_pwhash_OPSLIMIT_MIN || !bytes || *bytes < crypto_pwhash_MEMLIMIT_MIN ||
      !salt || salt->size() != crypto_pwhash_SALTBYTES) {
    return std::unexpected(path + " is damaged: its argon2id line" + mend);
  }
  const auto box = from_hex(*sealed);
  if (!box || box->size() != kSealedBytes)
    return std::unexpected(path + " is damaged: its sealed line" + mend);
  file.cost = {.passes = *passes, .bytes = *bytes};
  file.salt = *salt;
  file.sealed = *box;
  file.lines = std::string(text.substr(0, lines));
  return file;
}

std::expected<OperatorKey, std::string> open_operator_key(const SealedOperatorKey& file,
                                                          const Secret& passphrase, const std::string& path) {
  const auto under = stretched(passphrase, file.salt, file.cost);
  if (!under) return std::unexpected(path + " cannot be opened: " + under.error());
  std::string octets(kKeyBytes, '\0');
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          raw(octets), nullptr, nullptr, raw(file.sealed) + kNonceBytes, kSealedBytes - kNonceBytes,
          raw(file.lines), file.lines.size(), raw(file.sealed), raw(under->view())) != 0) {
    return std::unexpected("the passphrase is not that of " + path + ", or the file is damaged (it is of " +
                           file.recipient.text() + ")");
  }
  auto key = operator_key_from_secret(Secret::taken_from(octets));
  if (key && key->recipient != file.recipient)
    return std::unexpected(path + " holds a key that is not that of its recipient: it was tampered with");
  return key;
}

}  // namespace swarmdns::controlplane
