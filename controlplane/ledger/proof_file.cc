#include "controlplane/ledger/proof_file.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::size_t kPathMost = 128;  // a consistency path of a tree of 2^64 leaves is shorter

void put_line(std::string& out, std::string_view word, std::string_view value) {
  out.append(word).append(" ").append(value).append("\n");
}

void put_path(std::string& out, const MerklePath& path) {
  for (const Hash& hash : path) put_line(out, "path", to_base64(hash));
}

void put_leaf(std::string& out, const LeafProof& leaf, std::string_view body_word) {
  put_line(out, "index", std::to_string(leaf.index));
  if (const auto* body = std::get_if<LeafBody>(&leaf.content)) {
    put_line(out, "salt", to_base64(body->salt));
    put_line(out, body_word, to_base64(as_octets(body->octets)));
  } else {
    put_line(out, "commitment", to_base64(std::get<Hash>(leaf.content)));
  }
  put_path(out, leaf.path);
}

// The lines "word value" of the first paragraph, in order.
class Lines {
 public:
  explicit Lines(std::string_view text) : left_(text) {}

  // The value when the next line begins with this word.
  std::optional<std::string_view> take(std::string_view word) {
    const std::size_t end = left_.find('\n');
    const std::string_view line = left_.substr(0, end);
    if (end == std::string_view::npos || !line.starts_with(word) || line.size() <= word.size() ||
        line[word.size()] != ' ') {
      return std::nullopt;
    }
    left_.remove_prefix(end + 1);
    ++number_;
    return line.substr(word.size() + 1);
  }
  std::string wrong(const std::string& what) const {
    return "proof, line " + std::to_string(number_) + ": " + what;
  }
  bool done() const { return left_.empty(); }
  void skip_line() {
    left_.remove_prefix(left_.find('\n') + 1);
    ++number_;
  }
  std::string_view line() const { return left_.substr(0, left_.find('\n')); }

 private:
  std::string_view left_;
  unsigned number_ = 1;  // of the next line
};

std::expected<MerklePath, std::string> take_path(Lines& lines) {
  MerklePath path;
  while (const auto text = lines.take("path")) {
    const auto octets = from_base64(*text);
    const auto hash = octets ? array_from<32>(*octets) : std::nullopt;
    if (!hash || path.size() == kPathMost) return std::unexpected(lines.wrong("not a hash of the path"));
    path.push_back(*hash);
  }
  return path;
}

std::expected<LeafContent, std::string> take_content(Lines& lines, std::string_view body_word) {
  if (const auto text = lines.take("commitment")) {
    const auto octets = from_base64(*text);
    const auto hash = octets ? array_from<32>(*octets) : std::nullopt;
    if (!hash) return std::unexpected(lines.wrong("not a commitment of 32 octets in base64"));
    return *hash;
  }
  LeafBody body;
  const auto salt_text = lines.take("salt");
  const auto salt_octets = salt_text ? from_base64(*salt_text) : std::nullopt;
  const auto salt = salt_octets ? array_from<16>(*salt_octets) : std::nullopt;
  if (!salt) return std::unexpected(lines.wrong("not \"salt\" and 16 octets in base64, nor a commitment"));
  const auto body_text = lines.take(body_word);
  auto octets = body_text ? from_base64(*body_text) : std::nullopt;
  if (!octets) return std::unexpected(lines.wrong("not \"" + std::string(body_word) + "\" and base64"));
  body.salt = *salt;
  body.octets = std::move(*octets);
  return body;
}

std::expected<LeafProof, std::string> take_leaf(Lines& lines, std::string_view body_word) {
  LeafProof leaf;
  const auto index_text = lines.take("index");
  const auto index = index_text ? from_decimal(*index_text) : std::nullopt;
  if (!index) return std::unexpected(lines.wrong("not \"index\" and a number"));
  leaf.index = *index;
  auto content = take_content(lines, body_word);
  if (!content) return std::unexpected(content.error());
  leaf.content = std::move(*content);
  auto path = take_path(lines);
  if (!path) return std::unexpected(path.error());
  leaf.path = std::move(*path);
  return leaf;
}

// Everything behind the first paragraph: notes with an empty line between them. A checkpoint has no empty
// line of its own, so each note is two paragraphs.
std::expected<std::vector<CheckpointNote>, std::string> parse_notes(std::string_view octets) {
  std::vector<CheckpointNote> notes;
  while (!octets.empty()) {
    const std::size_t text_end = octets.find("\n\n");
    if (text_end == std::string_view::npos)
      return std::unexpected("proof: the checkpoint has no signatures behind an empty line");
    const std::size_t note_end = octets.find("\n\n", text_end + 2);
    const bool last = note_end == std::string_view::npos;
    auto note = parse_checkpoint_note(last ? octets : octets.substr(0, note_end + 1));
    if (!note) return std::unexpected("proof: " + note.error());
    notes.push_back(std::move(*note));
    if (last) break;
    octets.remove_prefix(note_end + 2);
    if (octets.empty()) return std::unexpected("proof: there is an empty line at its end");
  }
  return notes;
}

std::expected<Proof, std::string> parse_inclusion(Lines& lines, std::vector<CheckpointNote> notes) {
  auto leaf = take_leaf(lines, "transaction");
  if (!leaf) return std::unexpected(leaf.error());
  if (notes.size() != 1) return std::unexpected("proof: an inclusion proof has one checkpoint");
  return InclusionProof{std::move(*leaf), std::move(notes[0])};
}

std::expected<Proof, std::string> parse_consistency(Lines& lines, std::vector<CheckpointNote> notes) {
  ConsistencyProof proof;
  const auto size_text = lines.take("size");
  const auto size = size_text ? from_decimal(*size_text) : std::nullopt;
  if (!size) return std::unexpected(lines.wrong("not \"size\" and a number"));
  const auto root_text = lines.take("root");
  const auto root_octets = root_text ? from_base64(*root_text) : std::nullopt;
  const auto root = root_octets ? array_from<32>(*root_octets) : std::nullopt;
  if (!root) return std::unexpected(lines.wrong("not \"root\" and a hash in base64"));
  proof.old_size = *size;
  proof.old_root = *root;
  auto path = take_path(lines);
  if (!path) return std::unexpected(path.error());
  proof.path = std::move(*path);
  if (notes.empty() || notes.size() > 2)
    return std::unexpected("proof: a consistency proof has one or two checkpoints");
  if (notes.size() == 2) proof.old_checkpoint = std::move(notes.front());
  proof.checkpoint = std::move(notes.back());
  return proof;
}

std::expected<Proof, std::string> parse_mutation(Lines& lines, std::vector<CheckpointNote> notes) {
  MutationProof proof;
  auto mutation = take_leaf(lines, "mutation");
  if (!mutation) return std::unexpected(mutation.error());
  proof.mutation = std::move(*mutation);
  while (const auto text = lines.take("segment")) {
    auto header = from_base64(*text);
    if (!header || proof.segments.size() == kProofSegmentsMost)
      return std::unexpected(lines.wrong("not a segment header in base64"));
    proof.segments.push_back(std::move(*header));
  }
  if (proof.segments.empty()) return std::unexpected(lines.wrong("not \"segment\" and a header in base64"));
  auto head = take_leaf(lines, "transaction");
  if (!head) return std::unexpected(head.error());
  proof.head = std::move(*head);
  if (notes.size() != 1) return std::unexpected("proof: a mutation's proof has one checkpoint");
  proof.checkpoint = std::move(notes[0]);
  return proof;
}

void put(std::string& out, const InclusionProof& proof) {
  out += "inclusion\n";
  put_leaf(out, proof.leaf, "transaction");
  out += "\n" + format_note(proof.checkpoint.note);
}

void put(std::string& out, const ConsistencyProof& proof) {
  out += "consistency\n";
  put_line(out, "size", std::to_string(proof.old_size));
  put_line(out, "root", to_base64(proof.old_root));
  put_path(out, proof.path);
  if (proof.old_checkpoint) out += "\n" + format_note(proof.old_checkpoint->note);
  out += "\n" + format_note(proof.checkpoint.note);
}

void put(std::string& out, const MutationProof& proof) {
  out += "mutation\n";
  put_leaf(out, proof.mutation, "mutation");
  for (const std::string& header : proof.segments) put_line(out, "segment", to_base64(as_octets(header)));
  put_leaf(out, proof.head, "transaction");
  out += "\n" + format_note(proof.checkpoint.note);
}

}  // namespace

std::string format_proof(const Proof& proof) {
  std::string out = std::string(kProofMagic) + "\n";
  std::visit([&](const auto& kind) { put(out, kind); }, proof);
  return out;
}

std::expected<Proof, std::string> parse_proof(std::string_view octets) {
  if (octets.size() > kProofOctetsMost) return std::unexpected("this is no proof: it is larger than 16 MiB");
  const std::string magic = std::string(kProofMagic) + "\n";
  if (!octets.starts_with(magic))
    return std::unexpected("this is no proof: its first line is not " + std::string(kProofMagic));
  const std::size_t end = octets.find("\n\n");
  if (end == std::string_view::npos)
    return std::unexpected("proof: there is no checkpoint behind an empty line");
  auto notes = parse_notes(octets.substr(end + 2));
  if (!notes) return std::unexpected(notes.error());
  Lines lines(octets.substr(0, end + 1));
  lines.skip_line();
  const std::string_view kind = lines.line();
  const auto parse = kind == "inclusion"     ? parse_inclusion
                     : kind == "consistency" ? parse_consistency
                     : kind == "mutation"    ? parse_mutation
                                             : nullptr;
  if (parse == nullptr) return std::unexpected(lines.wrong("the kind is inclusion, consistency or mutation"));
  lines.skip_line();
  auto proof = parse(lines, std::move(*notes));
  if (proof && !lines.done()) return std::unexpected(lines.wrong("this line does not belong here"));
  return proof;
}

}  // namespace swarmdns::controlplane
