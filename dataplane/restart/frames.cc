#include "dataplane/restart/frames.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "dataplane/restart/octets.h"

namespace swarmdns::restart {
namespace {

constexpr char kMagic[9] = "SWDNSRST";
constexpr std::size_t kFormatAt = 8;
constexpr std::size_t kFileIdAt = 16;
constexpr std::size_t kFileIdBytes = 16;
constexpr std::size_t kKeyMarkAt = 32;
constexpr std::size_t kNumberingAt = 40;

constexpr std::size_t kFrameHead = 8;
constexpr std::size_t kTag = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t kEndPayload = 16;
constexpr std::uint64_t kPushBytes = 8 << 20;

using KeyMark = std::array<std::uint8_t, 8>;

// Tells one key from another, and nothing of it.
KeyMark mark_of(const NodeKey& key) {
  constexpr char kWhat[] = "swarmdns restart snapshot key";
  std::array<std::uint8_t, crypto_generichash_BYTES_MIN> digest{};
  crypto_generichash(digest.data(), digest.size(), reinterpret_cast<const unsigned char*>(kWhat),
                     sizeof kWhat - 1, key.data(), key.size());
  KeyMark mark{};
  std::memcpy(mark.data(), digest.data(), mark.size());
  return mark;
}

struct Seal {
  std::array<unsigned char, crypto_aead_xchacha20poly1305_ietf_NPUBBYTES> nonce{};
  std::array<unsigned char, kHeaderBytes + kFrameHead> beside{};  // authenticated with it
};

Seal seal_of(const FileHeader& header, std::uint64_t number, const char* head) {
  Seal seal;
  std::memcpy(seal.nonce.data(), header.data() + kFileIdAt, kFileIdBytes);
  store64(seal.nonce.data() + kFileIdBytes, number);
  std::memcpy(seal.beside.data(), header.data(), header.size());
  std::memcpy(seal.beside.data() + header.size(), head, kFrameHead);
  return seal;
}

std::string beside(const std::string& path) {
  return path + ".new";
}

void sync_directory_of(const std::string& path) {
  const int fd = ::open(path.substr(0, path.rfind('/') + 1).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

// --- Writing ---

std::expected<FrameWriter, std::string> FrameWriter::create(const std::string& path, const NodeKey& key,
                                                            std::uint64_t numbering) {
  ::unlink(beside(path).c_str());
  const int fd = ::open(beside(path).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return std::unexpected("cannot create " + beside(path) + ": " + std::strerror(errno));
  FrameWriter writer(fd, path, key);
  FileHeader& header = writer.header_;
  std::memcpy(header.data(), kMagic, kFormatAt);
  store32(header.data() + kFormatAt, kSnapshotFormat);
  randombytes_buf(header.data() + kFileIdAt, kFileIdBytes);
  const KeyMark mark = mark_of(key);
  std::memcpy(header.data() + kKeyMarkAt, mark.data(), mark.size());
  store64(header.data() + kNumberingAt, numbering);
  if (auto done = writer.write(reinterpret_cast<const char*>(header.data()), header.size()); !done)
    return std::unexpected(done.error());
  return writer;
}

FrameWriter::FrameWriter(FrameWriter&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(std::move(other.path_)),
      key_(other.key_),
      header_(other.header_),
      next_(other.next_),
      written_(other.written_),
      pushed_(other.pushed_),
      sealed_(std::move(other.sealed_)) {}

FrameWriter::~FrameWriter() {
  sodium_memzero(key_.data(), key_.size());
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(beside(path_).c_str());
}

std::unexpected<std::string> FrameWriter::failure(const std::string& what) const {
  return std::unexpected(what + " " + beside(path_) + ": " + std::strerror(errno));
}

std::expected<void, std::string> FrameWriter::write(const char* from, std::size_t size) {
  while (size > 0) {
    const ssize_t n = ::write(fd_, from, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failure("cannot write");
    written_ += static_cast<std::uint64_t>(n);
    from += n;
    size -= static_cast<std::size_t>(n);
  }
  // Early, so that little is left to wait for at the end.
  if (written_ - pushed_ >= kPushBytes) {
    (void)::sync_file_range(fd_, static_cast<off_t>(pushed_), static_cast<off_t>(written_ - pushed_),
                            SYNC_FILE_RANGE_WRITE);
    pushed_ = written_;
  }
  return {};
}

std::expected<void, std::string> FrameWriter::add(FrameKind kind, std::string_view payload) {
  char head[kFrameHead] = {};
  store32(head, static_cast<std::uint32_t>(payload.size()));
  head[4] = static_cast<char>(kind);
  const Seal seal = seal_of(header_, next_++, head);
  sealed_.resize(kFrameHead + payload.size() + kTag);
  std::memcpy(sealed_.data(), head, kFrameHead);
  crypto_aead_xchacha20poly1305_ietf_encrypt(reinterpret_cast<unsigned char*>(sealed_.data()) + kFrameHead,
                                             nullptr, reinterpret_cast<const unsigned char*>(payload.data()),
                                             payload.size(), seal.beside.data(), seal.beside.size(), nullptr,
                                             seal.nonce.data(), key_.data());
  return write(sealed_.data(), sealed_.size());
}

std::expected<void, std::string> FrameWriter::finish(const Totals& totals) {
  char payload[kEndPayload];
  store64(payload, totals.own);
  store64(payload + 8, totals.held);
  if (auto done = add(FrameKind::End, {payload, sizeof payload}); !done) return done;
  if (::fsync(fd_) != 0) return failure("cannot write");
  return {};
}

std::expected<void, std::string> FrameWriter::publish() {
  if (::rename(beside(path_).c_str(), path_.c_str()) != 0) return failure("cannot rename");
  ::close(std::exchange(fd_, -1));
  sync_directory_of(path_);
  return {};
}

// --- Reading ---

std::expected<std::optional<FrameReader>, std::string> FrameReader::open(const std::string& path,
                                                                         const NodeKey& key) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0 && errno == ENOENT) return std::nullopt;
  if (fd < 0) return std::unexpected("cannot be opened: " + std::string(std::strerror(errno)));
  FrameReader reader(fd, path, key);
  struct stat info {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return std::unexpected("is not a file");
  FileHeader& header = reader.header_;
  if (auto done = reader.read(header.data(), header.size()); !done)
    return std::unexpected("is cut: it ends within its header");
  if (std::memcmp(header.data(), kMagic, kFormatAt) != 0)
    return std::unexpected("is not a restart snapshot: it does not begin with its magic");
  if (const std::uint32_t format = load32(header.data() + kFormatAt); format != kSnapshotFormat) {
    return std::unexpected("has format " + std::to_string(format) + "; this version reads format " +
                           std::to_string(kSnapshotFormat));
  }
  const KeyMark mark = mark_of(key);
  if (std::memcmp(header.data() + kKeyMarkAt, mark.data(), mark.size()) != 0)
    return std::unexpected("was written under another key than this node's");
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  return reader;
}

FrameReader::FrameReader(FrameReader&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(std::move(other.path_)),
      key_(other.key_),
      header_(other.header_),
      next_(other.next_),
      at_(other.at_),
      sealed_(std::move(other.sealed_)),
      opened_(std::move(other.opened_)) {}

FrameReader::~FrameReader() {
  sodium_memzero(key_.data(), key_.size());
  if (fd_ >= 0) ::close(fd_);
}

std::uint64_t FrameReader::numbering() const noexcept {
  return load64(header_.data() + kNumberingAt);
}

std::expected<FrameReader, std::string> FrameReader::again() const {
  const int fd = ::fcntl(fd_, F_DUPFD_CLOEXEC, 0);
  if (fd < 0) return std::unexpected("cannot be read again: " + std::string(std::strerror(errno)));
  FrameReader reader(fd, path_, key_);
  reader.header_ = header_;
  reader.at_ = kHeaderBytes;
  return reader;
}

std::expected<void, std::string> FrameReader::read(void* into, std::size_t size) {
  auto* to = static_cast<char*>(into);
  while (size > 0) {
    const ssize_t n = ::pread(fd_, to, size, static_cast<off_t>(at_));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::unexpected("cannot be read: " + std::string(std::strerror(errno)));
    if (n == 0) return std::unexpected("is cut: it ends at octet " + std::to_string(at_));
    to += n;
    at_ += static_cast<std::uint64_t>(n);
    size -= static_cast<std::size_t>(n);
  }
  return {};
}

std::expected<Frame, std::string> FrameReader::next() {
  const auto altered = [this] {
    return std::unexpected("was altered, or is not in order, at frame " + std::to_string(next_));
  };
  char head[kFrameHead];
  if (auto done = read(head, sizeof head); !done) return std::unexpected(done.error());
  const std::uint32_t length = load32(head);
  if (length == 0 || length > kMostPayload) return altered();
  sealed_.resize(length + kTag);
  if (auto done = read(sealed_.data(), sealed_.size()); !done) return std::unexpected(done.error());
  opened_.resize(length);
  const Seal seal = seal_of(header_, next_, head);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          reinterpret_cast<unsigned char*>(opened_.data()), nullptr, nullptr,
          reinterpret_cast<const unsigned char*>(sealed_.data()), sealed_.size(), seal.beside.data(),
          seal.beside.size(), seal.nonce.data(), key_.data()) != 0)
    return altered();
  Frame frame;
  frame.kind = static_cast<FrameKind>(head[4]);
  frame.payload = opened_;
  if (frame.kind == FrameKind::End) {
    if (length != kEndPayload) return altered();
    frame.totals = {load64(opened_.data()), load64(opened_.data() + 8)};
    char behind = 0;
    if (read(&behind, 1)) return std::unexpected("goes on behind its end");
  } else if (frame.kind != FrameKind::Own && frame.kind != FrameKind::Held) {
    return altered();
  }
  ++next_;
  return frame;
}

}  // namespace swarmdns::restart
