#include "controlplane/swarm/segment.h"

#include <algorithm>
#include <optional>

namespace swarmdns::controlplane {
namespace {

using Problem = std::unexpected<std::string>;

std::string bytes_of(Bytes octets) {
  return std::string(as_text(octets));
}

std::optional<SaltSeed> seed_of(const v1::SegmentBody& body) {
  return array_from<sizeof(SaltSeed)>(body.salt_seed());
}

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

std::expected<void, std::string> check_header(const v1::SegmentHeader& header) {
  if (header.node() == 0 || header.number() == 0) return Problem("its header names no node or has no number");
  if (header.previous().size() != sizeof(Hash))
    return Problem("its header's previous hash has a wrong length");
  if (header.root().size() != sizeof(Hash)) return Problem("its header's root has a wrong length");
  if (header.first_mutation() == 0 || header.first_mutation() > header.last_mutation())
    return Problem("its header's range of mutations is empty");
  if (header.last_mutation() > kMostMutation)
    return Problem("its header's numbers of mutations are too large");
  if (header.first_ms() > header.last_ms()) return Problem("its header's times run backwards");
  if (header.count() > kSegmentMutations) return Problem("its header tells of too many mutations");
  if (header.last_mutation() - header.first_mutation() < std::max(header.count(), 1U) - 1)
    return Problem("its header tells of more mutations than there are numbers");
  if (header.gap_reason().size() > kGapReasonBytes || !is_printable(header.gap_reason()))
    return Problem("the reason of its gap is too long or not printable");
  if ((lost_mutations(header) == 0) != header.gap_reason().empty())
    return Problem("numbers are missing from it without a reason, or the other way round");
  return {};
}

}  // namespace

v1::SegmentBody build_segment(v1::SegmentHeader header, std::vector<std::string> mutations,
                              const SaltSeed& seed, const SecretKey& key) {
  v1::SegmentBody body;
  body.mutable_leaves()->Reserve(static_cast<int>(mutations.size()));
  std::vector<Hash> commitments;
  commitments.reserve(mutations.size());
  for (std::string& mutation : mutations) {
    const auto position = static_cast<std::uint32_t>(commitments.size());
    commitments.push_back(mutation_commitment(mutation_salt(seed, position), as_octets(mutation)));
    body.add_leaves()->set_mutation(std::move(mutation));
  }
  if (!commitments.empty()) body.set_salt_seed(bytes_of(seed));
  header.set_count(static_cast<std::uint32_t>(commitments.size()));
  header.set_root(bytes_of(segment_root(commitments)));
  header.SerializeToString(body.mutable_segment()->mutable_header());
  const Hash hash = segment_hash(as_octets(body.segment().header()));
  body.mutable_segment()->set_signature(bytes_of(sign(hash, key)));
  return body;
}

std::expected<std::vector<Hash>, std::string> segment_commitments(const v1::SegmentBody& body) {
  const auto seed = seed_of(body);
  if (!seed && !body.salt_seed().empty()) return Problem("its seed has a wrong length");
  std::vector<Hash> commitments;
  commitments.reserve(static_cast<std::size_t>(body.leaves_size()));
  for (const v1::MutationLeaf& leaf : body.leaves()) {
    const auto position = static_cast<std::uint32_t>(commitments.size());
    if (!leaf.commitment().empty()) {
      const auto commitment = array_from<sizeof(Hash)>(leaf.commitment());
      if (!commitment || seed || !leaf.salt().empty() || !leaf.mutation().empty())
        return Problem("leaf " + std::to_string(position) + " has a commitment and something else");
      commitments.push_back(*commitment);
      continue;
    }
    if (leaf.mutation().empty() || leaf.mutation().size() > kMutationBytes)
      return Problem("leaf " + std::to_string(position) + " is empty or too large");
    const auto salt = array_from<sizeof(Salt)>(leaf.salt());
    if (seed ? !leaf.salt().empty() : !salt)
      return Problem("leaf " + std::to_string(position) + " has no salt, or one too many");
    commitments.push_back(
        mutation_commitment(seed ? mutation_salt(*seed, position) : *salt, as_octets(leaf.mutation())));
  }
  return commitments;
}

std::expected<CheckedSegment, std::string> check_segment(const v1::SegmentBody& body, const PublicKey& key) {
  const std::string& raw = body.segment().header();
  CheckedSegment checked;
  if (raw.empty() || raw.size() > kSegmentHeaderBytes || !checked.header.ParseFromString(raw))
    return Problem("its header cannot be read");
  if (auto sound = check_header(checked.header); !sound) return Problem(std::move(sound.error()));
  const auto count = static_cast<std::size_t>(body.leaves_size());
  if (count != checked.header.count()) return Problem("its leaves are not as many as its header says");
  std::size_t bytes = 0;
  for (const v1::MutationLeaf& leaf : body.leaves()) bytes += leaf.mutation().size();
  if (bytes > kSegmentBytes + kMutationBytes) return Problem("it is too large");
  checked.hash = segment_hash(as_octets(raw));
  // The signature first: the rest is work that only a member may cause.
  const auto signature = array_from<sizeof(Signature)>(body.segment().signature());
  if (!signature || !verify_signature(checked.hash, *signature, key))
    return Problem("its signature does not verify");
  const auto commitments = segment_commitments(body);
  if (!commitments) return Problem(commitments.error());
  if (as_text(segment_root(*commitments)) != checked.header.root())
    return Problem("its leaves have another root than its header");
  return checked;
}

std::expected<std::vector<v1::Mutation>, std::string> read_mutations(const v1::SegmentBody& body,
                                                                     const v1::SegmentHeader& header) {
  std::vector<v1::Mutation> mutations(static_cast<std::size_t>(body.leaves_size()));
  std::uint64_t next = header.first_mutation();
  std::size_t position = 0;
  for (const v1::MutationLeaf& leaf : body.leaves()) {
    v1::Mutation& mutation = mutations[position++];
    if (leaf.mutation().empty()) continue;
    if (!mutation.ParseFromString(leaf.mutation()) || mutation.kind() == v1::MUTATION_KIND_UNSPECIFIED)
      return Problem("mutation " + std::to_string(position - 1) + " cannot be read");
    if (mutation.sequence() < next || mutation.sequence() > header.last_mutation())
      return Problem("mutation " + std::to_string(position - 1) + " has a number out of order");
    next = mutation.sequence() + 1;
  }
  return mutations;
}

std::expected<void, std::string> check_succession(const v1::SegmentHeader& before, const Hash& hash,
                                                  const v1::SegmentHeader& next) {
  if (next.node() != before.node() || next.number() != before.number() + 1)
    return Problem("it is not the next of its chain");
  if (next.previous() != as_text(hash)) return Problem("it goes on from another segment than the one before");
  if (next.first_mutation() != before.last_mutation() + 1)
    return Problem("its mutations do not go on where those before end");
  return {};
}

void forget_mutations(v1::SegmentBody& body, std::span<const std::uint32_t> positions) {
  std::vector<bool> forgotten(static_cast<std::size_t>(body.leaves_size()));
  for (const std::uint32_t position : positions) {
    if (position < forgotten.size()) forgotten[position] = true;
  }
  if (std::ranges::find(forgotten, true) == forgotten.end()) return;
  const auto seed = seed_of(body);
  for (std::uint32_t position = 0; position < forgotten.size(); ++position) {
    v1::MutationLeaf& leaf = *body.mutable_leaves(static_cast<int>(position));
    if (!leaf.commitment().empty()) continue;
    if (seed) leaf.set_salt(bytes_of(mutation_salt(*seed, position)));
    if (!forgotten[position]) continue;
    const auto salt = array_from<sizeof(Salt)>(leaf.salt()).value_or(Salt{});
    leaf.set_commitment(bytes_of(mutation_commitment(salt, as_octets(leaf.mutation()))));
    leaf.clear_salt();
    leaf.clear_mutation();
  }
  body.clear_salt_seed();
}

std::uint64_t lost_mutations(const v1::SegmentHeader& header) {
  return header.last_mutation() - header.first_mutation() + 1 - header.count();
}

}  // namespace swarmdns::controlplane
