#include "controlplane/swarm/segment_codec.h"

#include <zstd.h>

#include <memory>

#include "controlplane/ledger/octets.h"
#include "controlplane/swarm/segment.h"

namespace swarmdns::controlplane {
namespace {

constexpr char kFormat = 1;
constexpr std::size_t kFrame = 5;
constexpr int kLevel = -1;  // at 1 it is a third smaller and takes twice as long
// Mutations, and around each a salt or a commitment and the framing.
constexpr std::size_t kMostBytes = kSegmentBytes + kMutationBytes + kSegmentMutations * 64 + 1024;

}  // namespace

std::string pack_segment(const v1::SegmentBody& body) {
  v1::SegmentBody leaves;
  leaves.set_salt_seed(body.salt_seed());
  // Written one behind the other, as a repeated field is, so that the leaves need not be copied into another
  // message.
  std::string raw = leaves.SerializeAsString();
  std::size_t size = raw.size();
  for (const v1::MutationLeaf& leaf : body.leaves()) size += leaf.ByteSizeLong() + 4;
  raw.reserve(size);
  for (const v1::MutationLeaf& leaf : body.leaves()) {
    raw += static_cast<char>(v1::SegmentBody::kLeavesFieldNumber << 3 | 2);
    for (std::size_t length = static_cast<std::size_t>(leaf.GetCachedSize());; length >>= 7) {
      raw += static_cast<char>((length & 0x7f) | (length > 0x7f ? 0x80 : 0));
      if (length <= 0x7f) break;
    }
    leaf.AppendPartialToString(&raw);
  }
  std::string value(1, kFormat);
  append_be32(value, static_cast<std::uint32_t>(raw.size()));
  value.resize(kFrame + ZSTD_compressBound(raw.size()));
  const std::size_t packed =
      ZSTD_compress(value.data() + kFrame, value.size() - kFrame, raw.data(), raw.size(), kLevel);
  value.resize(kFrame + packed);
  return value;
}

std::expected<v1::SegmentBody, std::string> unpack_segment(std::string_view value) {
  if (value.size() < kFrame || value[0] != kFormat) return std::unexpected("a body has an unknown format");
  OctetReader reader(as_octets(value.substr(1)));
  const std::uint32_t size = reader.be32();
  if (size > kMostBytes) return std::unexpected("a body is too large");
  std::string raw(size, '\0');
  v1::SegmentBody body;
  const std::size_t unpacked =
      ZSTD_decompress(raw.data(), raw.size(), value.data() + kFrame, value.size() - kFrame);
  if (unpacked != size || !body.ParseFromString(raw)) return std::unexpected("a body cannot be read");
  return body;
}

}  // namespace swarmdns::controlplane
