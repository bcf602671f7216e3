// Signed notes and verifier keys as C2SP signed-note (v1.0.0) has them, for the one kind of key the ledger
// uses: timestamped Ed25519 cosignatures (type 0x04). No I/O. Thread-safe.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/ledger/signature.h"

namespace swarmdns::controlplane {

inline constexpr std::uint8_t kCosignatureType = 0x04;
inline constexpr std::size_t kNoteSignaturesMost = 64;
inline constexpr std::size_t kNoteOctetsMost = 64 * 1024;

// One signature line. Who signed is named by `name` and `key_id` together.
struct NoteSignature {
  std::string name;
  std::uint32_t key_id = 0;
  std::string octets;  // behind the key id; what they mean depends on the key
  bool operator==(const NoteSignature&) const = default;
};

struct Note {
  std::string text;  // ends with a newline
  std::vector<NoteSignature> signatures;
  bool operator==(const Note&) const = default;
};

// Strict: what parses is written again octet for octet. The error is a sentence that names the line.
std::expected<Note, std::string> parse_note(std::string_view octets);
std::string format_note(const Note& note);

// Not empty, UTF-8, without Unicode spaces, control characters and plus signs; at most 255 octets.
bool is_key_name(std::string_view name);

// The public half of a cosigner.
struct VerifierKey {
  std::string name;
  PublicKey key{};

  std::uint32_t id() const;  // SHA-256(name || 0x0a || 0x04 || key), first four octets
  bool operator==(const VerifierKey&) const = default;
};

// "<name>+<id as 8 hex digits>+<base64 of 0x04 || key>"
std::string format_vkey(const VerifierKey& key);
std::expected<VerifierKey, std::string> parse_vkey(std::string_view text);

}  // namespace swarmdns::controlplane
