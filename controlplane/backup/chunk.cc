#include "controlplane/backup/chunk.h"

#include <zstd.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "controlplane/backup/chunker.h"

namespace swarmdns::controlplane {
namespace {

using Kind = BackupError::Kind;

constexpr std::string_view kLabel = "swarmdns backup chunk v1";
constexpr std::size_t kNonce = 24;
constexpr std::size_t kTag = 16;
constexpr std::size_t kInnerHead = 5;
constexpr std::byte kRaw{0};
constexpr std::byte kZstd{1};

unsigned char* raw(std::byte* octets) {
  return reinterpret_cast<unsigned char*>(octets);
}
const unsigned char* raw(const std::byte* octets) {
  return reinterpret_cast<const unsigned char*>(octets);
}
const unsigned char* raw(const Secret& secret) {
  return reinterpret_cast<const unsigned char*>(secret.view().data());
}

std::array<std::byte, kLabel.size() + 1 + 32> data_of(const Digest& id) {
  std::array<std::byte, kLabel.size() + 1 + 32> data{};
  std::memcpy(data.data(), kLabel.data(), kLabel.size());
  std::memcpy(data.data() + kLabel.size() + 1, id.data(), id.size());
  return data;
}

}  // namespace

std::size_t padme(std::size_t length) {
  if (length < 2) return length;
  const unsigned exponent = static_cast<unsigned>(std::bit_width(length)) - 1;
  const unsigned significant = static_cast<unsigned>(std::bit_width(exponent));
  const std::size_t mask = (std::size_t{1} << (exponent - significant)) - 1;
  return (length + mask) & ~mask;
}

bool plausible_sealed_size(std::size_t plain_bytes, std::size_t sealed_bytes) {
  return plain_bytes > 0 && plain_bytes <= kMostChunk && sealed_bytes > kSealOverhead + kInnerHead &&
         sealed_bytes <= padme(kInnerHead + plain_bytes) + kSealOverhead;
}

Digest chunk_id(const ChunkKeys& keys, Bytes plain) {
  return Blake(keys.id, "swarmdns backup chunk id v1").add(plain).finish();
}

struct ChunkCodec::Contexts {
  ZSTD_CCtx* compress = ZSTD_createCCtx();
  ZSTD_DCtx* decompress = ZSTD_createDCtx();
  ~Contexts() {
    ZSTD_freeCCtx(compress);
    ZSTD_freeDCtx(decompress);
  }
};

ChunkCodec::ChunkCodec(int level) : contexts_(std::make_unique<Contexts>()) {
  ZSTD_CCtx_setParameter(contexts_->compress, ZSTD_c_compressionLevel, level);
}

ChunkCodec::~ChunkCodec() {
  sodium_memzero(scratch_.data(), scratch_.size());
}

std::size_t ChunkCodec::seal(const ChunkKeys& keys, const Digest& id, Bytes plain,
                             std::vector<std::byte>& out) {
  const std::size_t begin = out.size();
  out.resize(begin + kNonce + padme(kInnerHead + plain.size()) + kTag);
  std::byte* const nonce = out.data() + begin;
  std::byte* const inner = nonce + kNonce;
  // Smaller by an octet at least, or it is not worth opening.
  const std::size_t packed =
      ZSTD_compress2(contexts_->compress, inner + kInnerHead, plain.size() - 1, plain.data(), plain.size());
  const bool smaller = ZSTD_isError(packed) == 0;
  const std::size_t length = smaller ? packed : plain.size();
  if (!smaller) std::memcpy(inner + kInnerHead, plain.data(), plain.size());
  inner[0] = smaller ? kZstd : kRaw;
  for (std::size_t i = 0; i < 4; ++i) inner[1 + i] = static_cast<std::byte>(length >> (24 - 8 * i));
  const std::size_t padded = padme(kInnerHead + length);
  std::memset(inner + kInnerHead + length, 0, padded - kInnerHead - length);
  randombytes_buf(nonce, kNonce);
  const auto data = data_of(id);
  crypto_aead_xchacha20poly1305_ietf_encrypt(raw(inner), nullptr, raw(inner), padded, raw(data.data()),
                                             data.size(), nullptr, raw(nonce), raw(keys.seal));
  out.resize(begin + kNonce + padded + kTag);
  return out.size() - begin;
}

BackupResult<void> ChunkCodec::open(const ChunkKeys& keys, const Digest& id, std::size_t plain_bytes,
                                    Bytes sealed, std::vector<std::byte>& plain) {
  if (!plausible_sealed_size(plain_bytes, sealed.size()))
    return backup_error(Kind::kCut, "has a length that it cannot have");
  const std::size_t padded = sealed.size() - kSealOverhead;
  scratch_.resize(std::max(scratch_.size(), padded));
  const auto data = data_of(id);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(raw(scratch_.data()), nullptr, nullptr,
                                                 raw(sealed.data()) + kNonce, padded + kTag, raw(data.data()),
                                                 data.size(), raw(sealed.data()), raw(keys.seal)) != 0) {
    return backup_error(Kind::kAltered, "was altered, or is another in its place: it cannot be decrypted");
  }
  OctetReader reader(Bytes(scratch_).first(padded));
  const std::byte method = reader.array<1>()[0];
  const std::size_t length = reader.be32();
  const Bytes payload = reader.take(length);
  const auto nonsense = [] { return backup_error(Kind::kAltered, "has contents that make no sense"); };
  if (!reader.ok() || padded != padme(kInnerHead + length)) return nonsense();
  const Bytes padding = Bytes(scratch_).subspan(kInnerHead + length, reader.left());
  if (!std::ranges::all_of(padding, [](std::byte octet) { return octet == std::byte{0}; })) return nonsense();
  plain.resize(plain_bytes);
  if (method == kRaw) {
    if (length != plain_bytes) return nonsense();
    std::memcpy(plain.data(), payload.data(), length);
  } else if (method != kZstd || length >= plain_bytes ||
             ZSTD_decompressDCtx(contexts_->decompress, plain.data(), plain.size(), payload.data(), length) !=
                 plain_bytes) {
    return nonsense();
  }
  if (chunk_id(keys, plain) != id)
    return backup_error(Kind::kAltered,
                        "does not hold what its id says: it was made by a program that is wrong");
  return {};
}

}  // namespace swarmdns::controlplane
