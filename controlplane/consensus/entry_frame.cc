#include "controlplane/consensus/entry_frame.h"

#include <sodium.h>

#include <algorithm>
#include <cstring>

namespace swarmdns::controlplane {

namespace {

constexpr std::string_view kManifestMagic = "SDNSMAN1";
constexpr std::size_t kDigestBytes = 16;
static_assert(kManifestMagic.size() + kDigestBytes == kManifestFrameBytes);
static_assert(kDigestBytes == crypto_generichash_BYTES_MIN);

std::string digest(std::string_view data) {
  std::string hash(kDigestBytes, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(hash.data()), hash.size(),
                     reinterpret_cast<const unsigned char*>(data.data()), data.size(), nullptr, 0);
  return hash;
}

std::uint64_t little_endian(std::span<const std::byte> octets) {
  std::uint64_t value = 0;
  for (std::size_t i = octets.size(); i-- > 0;)
    value = value << 8 | std::to_integer<std::uint64_t>(octets[i]);
  return value;
}

void put_little_endian(std::uint64_t value, std::span<std::byte> octets) {
  for (std::byte& octet : octets) {
    octet = static_cast<std::byte>(value);
    value >>= 8;
  }
}

}  // namespace

void frame_entry(EntryKind kind, std::uint64_t index, std::span<const std::byte> data,
                 std::span<std::byte> into) {
  put_little_endian(data.size(), into.first(4));
  put_little_endian(index, into.subspan(4, 3));
  into[7] = static_cast<std::byte>(kind);
  std::ranges::copy(data, into.begin() + kEntryFrameBytes);
  std::ranges::fill(into.subspan(kEntryFrameBytes + data.size()), std::byte{0});
}

std::optional<FramedEntry> unframe_entry(std::uint64_t index, std::span<const std::byte> frame) {
  if (frame.size() < kEntryFrameBytes) return std::nullopt;
  const std::uint64_t size = little_endian(frame.first(4));
  if (framed_entry_size(size) != frame.size()) return std::nullopt;
  if (little_endian(frame.subspan(4, 3)) != (index & 0xffffff)) return std::nullopt;
  const auto kind = static_cast<EntryKind>(frame[7]);
  if (kind != EntryKind::kCommand && !(kind == EntryKind::kTermStart && size == 0)) return std::nullopt;
  return FramedEntry{kind, frame.subspan(kEntryFrameBytes, size)};
}

std::string frame_manifest(std::string_view manifest) {
  std::string frame(kManifestMagic);
  frame += digest(manifest);
  frame += manifest;
  return frame;
}

std::expected<std::string, std::string> unframe_manifest(std::string_view frame) {
  if (frame.size() < kManifestFrameBytes || !frame.starts_with(kManifestMagic))
    return std::unexpected("it does not begin like a manifest");
  const std::string_view manifest = frame.substr(kManifestFrameBytes);
  if (manifest.size() > kMaxManifestBytes) return std::unexpected("it is longer than 64 KiB");
  if (frame.substr(kManifestMagic.size(), kDigestBytes) != digest(manifest))
    return std::unexpected("its checksum is wrong");
  return std::string(manifest);
}

}  // namespace swarmdns::controlplane
