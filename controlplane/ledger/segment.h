// Hashes of mutation segments (docs/formats/ledger.md): salts, commitments, the chain from header to header.
// The headers are Protobuf (SegmentHeader) and are hashed as the bytes they came as. Thread-safe.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>

#include "controlplane/ledger/commitment.h"
#include "swarmdns/v1/ledger.pb.h"

namespace swarmdns::controlplane {

using SaltSeed = std::array<std::byte, 32>;

// The first 16 octets of SHA-256("swarmdns mutation salt v1" 0x00 || seed || position be32).
Salt mutation_salt(const SaltSeed& seed, std::uint32_t position);
// SHA-256("swarmdns mutation v1" 0x00 || salt || mutation)
Hash mutation_commitment(const Salt& salt, Bytes mutation);
// SHA-256("swarmdns segment v1" 0x00 || header): what the node signs, and what the next header calls
// `previous`.
Hash segment_hash(Bytes header);

// The root in a header over its mutations' commitments.
Hash segment_root(std::span<const Hash> commitments);

// A header as its octets say, with the lengths of its fields and its numbers checked.
std::expected<v1::SegmentHeader, std::string> parse_segment_header(Bytes header);
// That `next` stands right behind `previous` in a node's chain.
std::expected<void, std::string> check_segment_link(Bytes previous, Bytes next);

}  // namespace swarmdns::controlplane
