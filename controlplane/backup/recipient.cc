#include "controlplane/backup/recipient.h"

#include <algorithm>

#include "controlplane/backup/base32.h"
#include "controlplane/backup/blake.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::string_view kPrefix = "swarmdns-recipient-1";
constexpr std::size_t kCheckBytes = 4;

std::string check_of(const std::array<std::byte, 32>& key) {
  return as_string(Bytes(blake("swarmdns backup recipient v1", {key})).first(kCheckBytes));
}

}  // namespace

RecipientId Recipient::id() const {
  const Digest digest = blake("swarmdns backup recipient id v1", {key});
  RecipientId id;
  std::copy_n(digest.begin(), id.size(), id.begin());
  return id;
}

std::string Recipient::text() const {
  return std::string(kPrefix) + to_base32(as_octets(as_string(key) + check_of(key)));
}

std::expected<Recipient, std::string> parse_recipient(std::string_view text) {
  const std::string mend = "; copy the whole line that `swarmctl backup keygen` printed";
  constexpr std::string_view kSpaces = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return std::unexpected("the recipient is empty" + mend);
  text = text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
  if (!text.starts_with(kPrefix)) {
    return std::unexpected("a recipient begins with \"" + std::string(kPrefix) + "\", not with \"" +
                           std::string(text.substr(0, kPrefix.size())) + "\"" + mend);
  }
  const auto octets = from_base32(text.substr(kPrefix.size()), 32 + kCheckBytes);
  if (!octets) return std::unexpected("the recipient " + octets.error() + mend);
  Recipient recipient{*array_from<32>(std::string_view(*octets).substr(0, 32))};
  if (octets->substr(32) != check_of(recipient.key))
    return std::unexpected("the recipient is mistyped: its checksum does not fit" + mend);
  // Whose products are all zero: nothing sealed to it would be secret.
  std::array<unsigned char, 32> product;
  std::array<unsigned char, 32> scalar{1};
  if (crypto_scalarmult(product.data(), scalar.data(),
                        reinterpret_cast<const unsigned char*>(recipient.key.data())) != 0) {
    return std::unexpected("the recipient is no key of anybody's: everyone could open what is sealed to it");
  }
  return recipient;
}

std::string recipient_ids_text(std::span<const RecipientId> ids) {
  std::string text;
  for (const RecipientId& id : ids) text += (text.empty() ? "" : ", ") + to_hex(id);
  return text.empty() ? "none" : text;
}

}  // namespace swarmdns::controlplane
