#include "controlplane/ledger/note.h"

#include <algorithm>
#include <optional>

#include "controlplane/ledger/hash.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::string_view kDash = "\u2014 ";

// The next code point, or nullopt where the text is not UTF-8 (RFC 3629).
std::optional<char32_t> next_code_point(std::string_view& text) {
  const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = octet(0);
  if (first < 0x80) {
    text.remove_prefix(1);
    return first;
  }
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return std::nullopt;
  char32_t point = first & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((octet(i) & 0xC0u) != 0x80) return std::nullopt;
    point = point << 6 | (octet(i) & 0x3Fu);
  }
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (point < kLeast[length] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return std::nullopt;
  text.remove_prefix(length);
  return point;
}

// Property White_Space of Unicode.
bool is_space(char32_t point) {
  return (point >= 0x09 && point <= 0x0D) || point == 0x20 || point == 0x85 || point == 0xA0 ||
         point == 0x1680 || (point >= 0x2000 && point <= 0x200A) || point == 0x2028 || point == 0x2029 ||
         point == 0x202F || point == 0x205F || point == 0x3000;
}

// UTF-8 without control characters other than newline.
bool is_note_text(std::string_view text) {
  while (!text.empty()) {
    const auto point = next_code_point(text);
    if (!point || (*point < 0x20 && *point != '\n')) return false;
  }
  return true;
}

std::expected<NoteSignature, std::string> parse_signature_line(std::string_view line) {
  const auto wrong = [&](const char* what) {
    return std::unexpected("signature line \"" + std::string(line) + "\": " + what);
  };
  if (!line.starts_with(kDash)) return wrong("it does not begin with an em dash and a space");
  std::string_view rest = line.substr(kDash.size());
  const std::size_t space = rest.find(' ');
  if (space == std::string_view::npos) return wrong("there is no signature behind the key name");
  NoteSignature signature;
  signature.name = rest.substr(0, space);
  if (!is_key_name(signature.name)) return wrong("this is no key name");
  const auto octets = from_base64(rest.substr(space + 1));
  if (!octets || octets->size() <= 4) return wrong("the signature is not base64 of more than four octets");
  OctetReader reader(as_octets(*octets));
  signature.key_id = reader.be32();
  signature.octets = as_text(reader.take(reader.left()));
  return signature;
}

}  // namespace

bool is_key_name(std::string_view name) {
  if (name.empty() || name.size() > 255) return false;
  while (!name.empty()) {
    const auto point = next_code_point(name);
    if (!point || *point < 0x20 || *point == '+' || is_space(*point)) return false;
  }
  return true;
}

std::expected<Note, std::string> parse_note(std::string_view octets) {
  if (octets.size() > kNoteOctetsMost)
    return std::unexpected("a note has at most " + std::to_string(kNoteOctetsMost) + " octets");
  if (!is_note_text(octets)) return std::unexpected("the note is not UTF-8, or has control characters");
  if (!octets.ends_with('\n')) return std::unexpected("the note does not end with a newline");
  // The last empty line divides text from signatures; the text may have empty lines of its own.
  const std::size_t divide = octets.rfind("\n\n");
  if (divide == std::string_view::npos || divide + 2 == octets.size())
    return std::unexpected("the note has no empty line with signatures behind it");
  Note note;
  note.text = octets.substr(0, divide + 1);
  std::string_view lines = octets.substr(divide + 2);
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    auto signature = parse_signature_line(lines.substr(0, end));
    if (!signature) return std::unexpected(signature.error());
    if (note.signatures.size() == kNoteSignaturesMost)
      return std::unexpected("a note has at most " + std::to_string(kNoteSignaturesMost) + " signatures");
    note.signatures.push_back(std::move(*signature));
    lines.remove_prefix(end + 1);
  }
  return note;
}

std::string format_note(const Note& note) {
  std::string text = note.text + "\n";
  for (const NoteSignature& signature : note.signatures) {
    std::string octets;
    append_be32(octets, signature.key_id);
    octets += signature.octets;
    text += std::string(kDash) + signature.name + " " + to_base64(as_octets(octets)) + "\n";
  }
  return text;
}

std::uint32_t VerifierKey::id() const {
  constexpr std::byte kBehindName[] = {std::byte{'\n'}, std::byte{kCosignatureType}};
  const Hash hash = sha256({as_octets(name), kBehindName, key});
  return OctetReader(hash).be32();
}

std::string format_vkey(const VerifierKey& key) {
  std::string id;
  append_be32(id, key.id());
  std::string octets(1, static_cast<char>(kCosignatureType));
  append(octets, key.key);
  return key.name + "+" + to_hex(as_octets(id)) + "+" + to_base64(as_octets(octets));
}

std::expected<VerifierKey, std::string> parse_vkey(std::string_view text) {
  const auto wrong = [&](const std::string& what) {
    return std::unexpected("verifier key \"" + std::string(text) + "\": " + what);
  };
  const std::size_t first = text.find('+');
  const std::size_t second = first == std::string_view::npos ? first : text.find('+', first + 1);
  if (second == std::string_view::npos) return wrong("it is not of the form name+id+key");
  VerifierKey key;
  key.name = text.substr(0, first);
  if (!is_key_name(key.name)) return wrong("the part before the first + is no key name");
  const auto octets = from_base64(text.substr(second + 1));
  if (!octets || octets->empty()) return wrong("the part behind the second + is not base64");
  if (static_cast<std::uint8_t>(octets->front()) != kCosignatureType)
    return wrong("it is not a key for Ed25519 cosignatures (type 4)");
  const auto public_key = array_from<32>(std::string_view(*octets).substr(1));
  if (!public_key) return wrong("an Ed25519 key has 32 octets");
  key.key = *public_key;
  if (format_vkey(key) != text) return wrong("the id between the + signs is not that of name and key");
  return key;
}

}  // namespace swarmdns::controlplane
