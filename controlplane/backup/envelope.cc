#include "controlplane/backup/envelope.h"

#include <algorithm>

#include "controlplane/backup/names.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::string_view kMagic = "swarmdns-keybox1";
constexpr std::size_t kDayBytes = 10;

using Kind = BackupError::Kind;

unsigned char* raw(std::byte* octets) {
  return reinterpret_cast<unsigned char*>(octets);
}
const unsigned char* raw(Bytes octets) {
  return reinterpret_cast<const unsigned char*>(octets.data());
}

}  // namespace

std::vector<RecipientId> Envelope::recipients() const {
  std::vector<RecipientId> ids;
  for (const Box& box : boxes) ids.push_back(box.recipient);
  return ids;
}

std::expected<Envelope, std::string> seal_envelope(const Digest& epoch, const std::string& day,
                                                   const RootKey& key,
                                                   std::span<const Recipient> recipients) {
  if (sodium_init() < 0) return std::unexpected("libsodium cannot be initialised");
  if (recipients.empty())
    return std::unexpected("no recipient is set: nobody could read the backup; see `swarmctl backup keygen`");
  if (recipients.size() > kMostRecipients)
    return std::unexpected("there are more than " + std::to_string(kMostRecipients) + " recipients");
  Envelope envelope{.epoch = epoch, .day = day, .key = key.commitment(), .boxes = {}};
  for (const Recipient& recipient : recipients) {
    Envelope::Box box{.recipient = recipient.id(), .sealed = {}};
    crypto_box_seal(raw(box.sealed.data()), raw(as_octets(key.octets().view())), 32, raw(recipient.key));
    envelope.boxes.push_back(box);
  }
  std::ranges::sort(envelope.boxes, {}, &Envelope::Box::recipient);
  const auto twice = std::ranges::adjacent_find(envelope.boxes, {}, &Envelope::Box::recipient);
  if (twice != envelope.boxes.end())
    return std::unexpected("recipient " + to_hex(twice->recipient) + " is there twice");
  return envelope;
}

std::string encode_envelope(const Envelope& envelope) {
  std::string out(kMagic);
  out += static_cast<char>(envelope.day.empty() ? 0 : 1);
  append(out, envelope.epoch);
  out += envelope.day.empty() ? std::string(kDayBytes, '\0') : envelope.day;
  append(out, envelope.key);
  out += static_cast<char>(envelope.boxes.size() >> 8);
  out += static_cast<char>(envelope.boxes.size());
  for (const auto& box : envelope.boxes) {
    append(out, box.recipient);
    append(out, box.sealed);
  }
  return out;
}

BackupResult<Envelope> decode_envelope(Bytes octets, const std::string& object) {
  OctetReader reader(octets);
  const bool ours = as_text(reader.take(kMagic.size())) == kMagic;
  if (!ours) return backup_error(Kind::kAltered, object + " is not an envelope of keys: it was altered");
  const auto kind = std::to_integer<unsigned>(reader.array<1>()[0]);
  Envelope envelope;
  envelope.epoch = reader.array<32>();
  const std::string day = as_string(reader.take(kDayBytes));
  envelope.key = reader.array<32>();
  const auto count_octets = reader.array<2>();
  const std::size_t count =
      std::to_integer<std::size_t>(count_octets[0]) << 8 | std::to_integer<std::size_t>(count_octets[1]);
  if (!reader.ok()) return backup_error(Kind::kCut, object + " is cut: it has no whole head");
  const bool of_day = kind == 1 && valid_day(day);
  const bool of_epoch = kind == 0 && day == std::string(kDayBytes, '\0') && envelope.key == envelope.epoch;
  if (!of_day && !of_epoch)
    return backup_error(Kind::kAltered, object + " was altered: its head makes no sense");
  if (of_day) envelope.day = day;
  if (count == 0 || count > kMostRecipients)
    return backup_error(Kind::kAltered,
                        object + " was altered: it has " + std::to_string(count) + " recipients");
  if (reader.left() != count * (8 + kSealedKeyBytes)) {
    return backup_error(Kind::kCut, object + " has " + std::to_string(octets.size()) + " octets, which " +
                                        std::to_string(count) + " recipients do not have: it was cut");
  }
  for (std::size_t i = 0; i < count; ++i) {
    Envelope::Box box{.recipient = reader.array<8>(), .sealed = reader.array<kSealedKeyBytes>()};
    if (i > 0 && envelope.boxes.back().recipient >= box.recipient)
      return backup_error(Kind::kReordered, object + " was altered: its recipients are out of order");
    envelope.boxes.push_back(box);
  }
  return envelope;
}

BackupResult<RootKey> open_envelope(const Envelope& envelope, const OperatorKey& key,
                                    const std::string& object) {
  const RecipientId own = key.recipient.id();
  const auto box = std::ranges::find(envelope.boxes, own, &Envelope::Box::recipient);
  if (box == envelope.boxes.end()) {
    return backup_error(Kind::kWrongKey, "the operator key " + to_hex(own) + " is no recipient of " + object +
                                             ": its recipients are " +
                                             recipient_ids_text(envelope.recipients()) +
                                             "; take the key of one of these");
  }
  std::string opened(32, '\0');
  const int done =
      crypto_box_seal_open(reinterpret_cast<unsigned char*>(opened.data()), raw(box->sealed),
                           box->sealed.size(), raw(key.recipient.key), raw(as_octets(key.secret.view())));
  auto root = RootKey::from(Secret::taken_from(opened));
  if (done != 0 || !root || root->commitment() != envelope.key) {
    return backup_error(Kind::kAltered,
                        object + " was altered: what is sealed to recipient " + to_hex(own) +
                            " is not the key that it names; take the object from another target");
  }
  return std::move(*root);
}

BackupResult<Envelope> rewrap_envelope(const Envelope& envelope, const OperatorKey& key,
                                       std::span<const Recipient> recipients, const std::string& object) {
  const auto root = open_envelope(envelope, key, object);
  if (!root) return std::unexpected(root.error());
  auto sealed = seal_envelope(envelope.epoch, envelope.day, *root, recipients);
  if (!sealed) return backup_error(Kind::kInput, sealed.error());
  return std::move(*sealed);
}

Digest envelope_hash(const Envelope& envelope) {
  return blake("swarmdns backup envelope v1", {as_octets(encode_envelope(envelope))});
}

}  // namespace swarmdns::controlplane
