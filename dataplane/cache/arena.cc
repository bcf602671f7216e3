#include "dataplane/cache/arena.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace swarmdns::cache {

namespace {

constexpr int kProtection = PROT_READ | PROT_WRITE;
constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS;

// Ordinary pages, aligned to a huge page so that the kernel can use transparent ones.
std::byte* map_ordinary(std::size_t size) noexcept {
  const std::size_t room = size + Arena::kHugePage;
  void* got = ::mmap(nullptr, room, kProtection, kFlags | MAP_NORESERVE, -1, 0);
  if (got == MAP_FAILED) return nullptr;
  auto* start = static_cast<std::byte*>(got);
  const auto address = reinterpret_cast<std::uintptr_t>(start);
  const std::size_t before = (Arena::kHugePage - address % Arena::kHugePage) % Arena::kHugePage;
  if (before > 0) ::munmap(start, before);
  ::munmap(start + before + size, room - before - size);
  ::madvise(start + before, size, MADV_HUGEPAGE);
  return start + before;
}

// Resident now rather than at the first packet that needs it.
bool populate(std::byte* data, std::size_t size) noexcept {
#ifdef MADV_POPULATE_WRITE
  if (::madvise(data, size, MADV_POPULATE_WRITE) == 0) return true;
  if (errno != EINVAL) return false;
#endif
  for (std::size_t at = 0; at < size; at += 4096) *reinterpret_cast<volatile char*>(data + at) = 0;
  return true;
}

}  // namespace

std::expected<Arena, std::string> Arena::map(std::size_t size, bool hugepages) {
  size -= size % kHugePage;
  if (size == 0) return std::unexpected("cache memory: less than one page of 2 MiB");
  if (hugepages) {
    // Without MAP_NORESERVE this fails at once when there are too few huge pages, rather than by a signal
    // later.
    void* got = ::mmap(nullptr, size, kProtection, kFlags | MAP_HUGETLB | (21 << MAP_HUGE_SHIFT), -1, 0);
    if (got != MAP_FAILED) {
      auto* data = static_cast<std::byte*>(got);
      if (populate(data, size)) return Arena(data, size, true);
      ::munmap(got, size);
    }
  }
  std::byte* data = map_ordinary(size);
  if (data == nullptr || !populate(data, size)) {
    const int error = errno;
    if (data != nullptr) ::munmap(data, size);
    return std::unexpected("cache memory: cannot have " + std::to_string(size >> 20) +
                           " MiB: " + std::strerror(error));
  }
  return Arena(data, size, false);
}

Arena& Arena::operator=(Arena&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(huge_, other.huge_);
  return *this;
}

Arena::~Arena() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

bool Arena::protect(bool read_only) const noexcept {
  return ::mprotect(data_, size_, read_only ? PROT_READ : kProtection) == 0;
}

}  // namespace swarmdns::cache
