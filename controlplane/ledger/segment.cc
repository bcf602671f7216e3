#include "controlplane/ledger/segment.h"

#include <algorithm>

namespace swarmdns::controlplane {
namespace {

// With their terminating zero.
constexpr char kSaltDomain[] = "swarmdns mutation salt v1";
constexpr char kMutationDomain[] = "swarmdns mutation v1";
constexpr char kSegmentDomain[] = "swarmdns segment v1";

}  // namespace

Salt mutation_salt(const SaltSeed& seed, std::uint32_t position) {
  std::string number;
  append_be32(number, position);
  const Hash hash = sha256({std::as_bytes(std::span(kSaltDomain)), seed, as_octets(number)});
  Salt salt;
  std::ranges::copy_n(hash.begin(), salt.size(), salt.begin());
  return salt;
}

Hash mutation_commitment(const Salt& salt, Bytes mutation) {
  return sha256({std::as_bytes(std::span(kMutationDomain)), salt, mutation});
}

Hash segment_hash(Bytes header) {
  return sha256({std::as_bytes(std::span(kSegmentDomain)), header});
}

Hash segment_root(std::span<const Hash> commitments) {
  CompactRange tree;
  for (const Hash& commitment : commitments) tree.append(merkle_leaf_hash(commitment));
  return tree.root();
}

std::expected<v1::SegmentHeader, std::string> parse_segment_header(Bytes header) {
  v1::SegmentHeader parsed;
  if (!parsed.ParseFromArray(header.data(), static_cast<int>(header.size())))
    return std::unexpected("the segment header is not Protobuf");
  if (parsed.previous().size() != sizeof(Hash) || parsed.root().size() != sizeof(Hash))
    return std::unexpected("a segment header's hashes have 32 octets");
  if (parsed.node() == 0 || parsed.number() == 0)
    return std::unexpected("a segment header's node and number begin at 1");
  return parsed;
}

std::expected<void, std::string> check_segment_link(Bytes previous, Bytes next) {
  const auto before = parse_segment_header(previous);
  if (!before) return std::unexpected(before.error());
  const auto after = parse_segment_header(next);
  if (!after) return std::unexpected(after.error());
  const std::string name = "segment " + std::to_string(after->number());
  if (after->node() != before->node())
    return std::unexpected(name + " is of another node than the one before it");
  if (after->number() - 1 != before->number())
    return std::unexpected(name + " does not follow segment " + std::to_string(before->number()));
  if (after->previous() != as_text(segment_hash(previous)))
    return std::unexpected(name + " names another segment before it");
  return {};
}

}  // namespace swarmdns::controlplane
