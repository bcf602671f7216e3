#include "controlplane/ledger/checkpoint.h"

#include <algorithm>
#include <set>

namespace swarmdns::controlplane {
namespace {

constexpr std::string_view kOriginPrefix = "swarmdns/";
constexpr std::uint64_t kTimeMost = (std::uint64_t{1} << 63) - 1;

std::string cosigned_octets(std::string_view text, std::uint64_t time_s) {
  return "cosignature/v1\ntime " + std::to_string(time_s) + "\n" + std::string(text);
}

std::string wrong_line(const char* line, const char* what) {
  return std::string("checkpoint, line ") + line + ": " + what;
}

// Takes a line with its newline from the front.
std::optional<std::string_view> take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

std::optional<Hash> hash_from_base64(std::string_view text) {
  const auto octets = from_base64(text);
  return octets ? array_from<32>(*octets) : std::nullopt;
}

std::optional<std::string_view> behind(std::optional<std::string_view> line, std::string_view word) {
  if (!line || !line->starts_with(word)) return std::nullopt;
  return line->substr(word.size());
}

bool parse_origin(std::string_view line, Checkpoint& checkpoint) {
  if (!line.starts_with(kOriginPrefix)) return false;
  line.remove_prefix(kOriginPrefix.size());
  if (line.size() < 34 || line[32] != '/') return false;
  const auto swarm = from_hex(line.substr(0, 32));
  const auto incarnation = from_decimal(line.substr(33), UINT32_MAX);
  if (!swarm || !incarnation || *incarnation == 0) return false;
  checkpoint.swarm = *array_from<16>(*swarm);
  checkpoint.incarnation = static_cast<std::uint32_t>(*incarnation);
  return true;
}

}  // namespace

Checkpoint checkpoint_of(const BlockHeader& block) {
  return {block.swarm,  block.incarnation, block.tree_size, block.tree_root,
          block.height, block_hash(block), block.state_root};
}

std::string checkpoint_origin(const SwarmId& swarm, std::uint32_t incarnation) {
  return std::string(kOriginPrefix) + to_hex(swarm) + "/" + std::to_string(incarnation);
}

std::string format_checkpoint(const Checkpoint& checkpoint) {
  return checkpoint_origin(checkpoint.swarm, checkpoint.incarnation) + "\n" +
         std::to_string(checkpoint.tree_size) + "\n" + to_base64(checkpoint.tree_root) + "\n" + "height " +
         std::to_string(checkpoint.height) + "\n" + "block " + to_base64(checkpoint.block) + "\n" + "state " +
         to_base64(checkpoint.state_root) + "\n";
}

std::expected<Checkpoint, std::string> parse_checkpoint(std::string_view text) {
  Checkpoint checkpoint;
  const auto origin = take_line(text);
  if (!origin || !parse_origin(*origin, checkpoint)) {
    return std::unexpected(
        wrong_line("1", "not an origin swarmdns/<swarm id as 32 lowercase hex digits>/<incarnation from 1>"));
  }
  const auto size_line = take_line(text);
  const auto size = size_line ? from_decimal(*size_line) : std::nullopt;
  if (!size) return std::unexpected(wrong_line("2", "not a tree size"));
  const auto root_line = take_line(text);
  const auto root = root_line ? hash_from_base64(*root_line) : std::nullopt;
  if (!root) return std::unexpected(wrong_line("3", "not a root hash in base64"));
  const auto height_text = behind(take_line(text), "height ");
  const auto height = height_text ? from_decimal(*height_text) : std::nullopt;
  if (!height) return std::unexpected(wrong_line("4", "not \"height\" and a height"));
  const auto block_text = behind(take_line(text), "block ");
  const auto block = block_text ? hash_from_base64(*block_text) : std::nullopt;
  if (!block) return std::unexpected(wrong_line("5", "not \"block\" and a hash in base64"));
  const auto state_text = behind(take_line(text), "state ");
  const auto state = state_text ? hash_from_base64(*state_text) : std::nullopt;
  if (!state) return std::unexpected(wrong_line("6", "not \"state\" and a hash in base64"));
  if (!text.empty()) return std::unexpected("checkpoint: there is something behind its sixth line");
  checkpoint.tree_size = *size;
  checkpoint.tree_root = *root;
  checkpoint.height = *height;
  checkpoint.block = *block;
  checkpoint.state_root = *state;
  return checkpoint;
}

std::expected<CheckpointNote, std::string> parse_checkpoint_note(std::string_view octets) {
  auto note = parse_note(octets);
  if (!note) return std::unexpected(note.error());
  auto checkpoint = parse_checkpoint(note->text);
  if (!checkpoint) return std::unexpected(checkpoint.error());
  return CheckpointNote{*checkpoint, std::move(*note)};
}

NoteSignature cosign(std::string_view text, std::string_view name, const KeyPair& keys,
                     std::uint64_t time_s) {
  NoteSignature line{std::string(name), VerifierKey{std::string(name), keys.public_key}.id(), {}};
  append_be64(line.octets, time_s);
  append(line.octets, sign(as_octets(cosigned_octets(text, time_s)), keys.secret_key));
  return line;
}

std::expected<std::uint64_t, std::string> verify_cosignature(std::string_view text,
                                                             const NoteSignature& signature,
                                                             const VerifierKey& key) {
  if (signature.name != key.name || signature.key_id != key.id())
    return std::unexpected("the signature is not of the key " + key.name);
  OctetReader reader(as_octets(signature.octets));
  const std::uint64_t time_s = reader.be64();
  const auto octets = reader.array<64>();
  if (!reader.complete() || time_s > kTimeMost)
    return std::unexpected("the signature of " + key.name + " is no timestamped Ed25519 cosignature");
  if (!verify_signature(as_octets(cosigned_octets(text, time_s)), octets, key.key))
    return std::unexpected("the signature of " + key.name + " does not verify");
  return time_s;
}

std::expected<std::vector<std::string>, std::string> cosigned_by(const Note& note,
                                                                 std::span<const VerifierKey> voters) {
  std::set<PublicKey> keys;
  for (const VerifierKey& voter : voters) {
    if (!keys.insert(voter.key).second)
      return std::unexpected("the key of voter " + voter.name + " is listed twice");
  }
  std::vector<std::string> names;
  for (const VerifierKey& voter : voters) {
    bool signed_it = false;
    for (const NoteSignature& signature : note.signatures) {
      if (signature.name != voter.name || signature.key_id != voter.id()) continue;
      const auto time_s = verify_cosignature(note.text, signature, voter);
      if (!time_s) return std::unexpected(time_s.error());
      signed_it = true;
    }
    if (signed_it) names.push_back(voter.name);
  }
  return names;
}

std::expected<std::vector<std::string>, std::string> check_cosigned(const Note& note,
                                                                    std::span<const VerifierKey> voters,
                                                                    std::size_t needed) {
  auto names = cosigned_by(note, voters);
  if (!names) return names;
  if (needed == 0 || names->size() < needed) {
    return std::unexpected("cosigned by " + std::to_string(names->size()) + " of " +
                           std::to_string(voters.size()) + " voters; " + std::to_string(needed) +
                           " are needed");
  }
  return names;
}

}  // namespace swarmdns::controlplane
