// An envelope: the key of an epoch or of a day, sealed to each recipient. A small object that may be
// replaced: rotating recipients makes a new one of the same key, and no data moves. Its octets:
//   "swarmdns-keybox1" ‖ kind (0x00 epoch, 0x01 day) ‖ commitment of the epoch's key (32) ‖ day, "2026-11-22"
//   or ten zero octets ‖ commitment of the sealed key (32) ‖ count be16 ‖ count × (recipient's id (8) ‖ box
//   (80))
// Recipients ascend by id. A box is libsodium's crypto_box_seal of the key. What is opened must have the
// commitment, and the commitment is signed in the manifests: nobody can slip in a key of his own.
// Pure but for random numbers; any thread.
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "controlplane/backup/error.h"
#include "controlplane/backup/operator_key.h"
#include "controlplane/backup/root_key.h"

namespace swarmdns::controlplane {

inline constexpr std::size_t kMostRecipients = 64;
inline constexpr std::size_t kSealedKeyBytes = 32 + crypto_box_SEALBYTES;

struct Envelope {
  struct Box {
    RecipientId recipient{};
    std::array<std::byte, kSealedKeyBytes> sealed{};
  };

  Digest epoch{};   // commitment
  std::string day;  // "": of the epoch's own key
  Digest key{};     // commitment of what is sealed
  std::vector<Box> boxes;

  std::vector<RecipientId> recipients() const;
};

// `day` "" for the key of the epoch. Errors: no recipient, more than 64, one twice.
std::expected<Envelope, std::string> seal_envelope(const Digest& epoch, const std::string& day,
                                                   const RootKey& key, std::span<const Recipient> recipients);

std::string encode_envelope(const Envelope& envelope);
// `object` is for the messages. Whatever is accepted is written again octet for octet.
BackupResult<Envelope> decode_envelope(Bytes octets, const std::string& object);

// kWrongKey says which recipients there are; kAltered: a box that does not hold what it should.
BackupResult<RootKey> open_envelope(const Envelope& envelope, const OperatorKey& key,
                                    const std::string& object);

// The same key for other recipients.
BackupResult<Envelope> rewrap_envelope(const Envelope& envelope, const OperatorKey& key,
                                       std::span<const Recipient> recipients, const std::string& object);

// Kept in the ledger, where it says which envelope is the right one.
Digest envelope_hash(const Envelope& envelope);

}  // namespace swarmdns::controlplane
