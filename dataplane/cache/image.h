// An entry outside the cache's memory: the bytes of an Entry on the heap, immutable, shared by counted
// reference. It is what inserts are made of, what the journal keeps, and what an answer that is not cached
// travels in.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <utility>

#include "dataplane/cache/entry.h"

namespace swarmdns::cache {

// Everything an entry says. `sections` hold answer, authority and additional records without OPT.
struct EntryContent {
  Key key;
  std::uint8_t rcode = 0;  // 0-15
  std::uint8_t flags = 0;  // Entry::k*
  std::uint16_t answers = 0;
  std::uint16_t authorities = 0;
  std::uint16_t additionals = 0;
  std::uint16_t ede = 0;  // info code + 1; 0 = none
  Seconds born = 0;
  Seconds expires = 0;
  std::span<const std::byte> sections;
};

enum class ImageFault : std::uint8_t {
  NameInvalid,      // key.qname is not one whole uncompressed name of key.qname_len bytes
  NameNotFolded,    // it holds an upper-case letter
  TypeInvalid,      // key.qtype is 0, OPT or another meta type
  KeyFlagsInvalid,  // a bit that is no kKey*
  RcodeInvalid,     // above 15
  ExpiryInvalid,    // expires before born
  TooLarge,         // the message would exceed 65,535 bytes, or the entry its own limit
  OwnerInvalid,     // a record's owner name: bad label, or a pointer that is not strictly backwards
  RecordTruncated,  // a record runs past the end
  RecordForbidden,  // OPT, TSIG and other meta types; a class other than IN
  RdataInvalid,     // RDATA does not fit its type
  CountMismatch,    // fewer or more records than the counts say
  OffsetsInvalid,   // TTL offsets given do not fit the sections
  LayoutInvalid,    // octets that are no Entry: a length, a flag, a sum of TTLs that does not fit
};

struct ImageError {
  ImageFault fault{};
  std::uint32_t offset = 0;  // into the sections, where a record is at fault
};
[[nodiscard]] std::string to_text(const ImageError& error);

class EntryImage {
 public:
  EntryImage() = default;
  EntryImage(const EntryImage& other) noexcept : block_(other.block_) { retain(); }
  EntryImage(EntryImage&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  EntryImage& operator=(EntryImage other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~EntryImage() { release(); }

  // From content of any origin (control, a dump, a peer): every record is walked, names and RDATA are
  // checked, and compression pointers must go strictly backwards to the question or the sections. TTLs with
  // the top bit set become 0 (RFC 2181 8). Off the packet path; about a microsecond for an ordinary answer.
  [[nodiscard]] static std::expected<EntryImage, ImageError> build(const EntryContent& content);

  // From content that was rendered here, whose records were checked then. `ttl_offsets`: of every record's
  // TTL, ascending, relative to the sections. `sections_sum`: see Entry.
  [[nodiscard]] static std::expected<EntryImage, ImageError> build_rendered(
      const EntryContent& content, std::span<const std::uint16_t> ttl_offsets, std::uint16_t sections_sum);

  // From the octets of an Entry that this program wrote, at any alignment, with other times. Every length,
  // offset and number in them is checked, and the key; the records are those that were checked when the
  // entry was made.
  [[nodiscard]] static std::expected<EntryImage, ImageError> restore(std::span<const std::byte> octets,
                                                                     Seconds born, Seconds expires);

  // How long the Entry is that begins there; 0: not all of its fixed part is there.
  [[nodiscard]] static std::size_t size_at(std::span<const std::byte> octets) noexcept;

  // The same bytes as `entry`, which must stay valid meanwhile.
  [[nodiscard]] static EntryImage copy_of(const Entry& entry);

  [[nodiscard]] explicit operator bool() const noexcept { return block_ != nullptr; }
  [[nodiscard]] const Entry& entry() const noexcept {
    return *reinterpret_cast<const Entry*>(block_ + kHeader);
  }
  [[nodiscard]] const Entry* get() const noexcept { return block_ == nullptr ? nullptr : &entry(); }
  [[nodiscard]] std::size_t size() const noexcept { return entry().size(); }

 private:
  static constexpr std::size_t kHeader = 16;  // the reference count

  [[nodiscard]] static EntryImage allocate(std::size_t entry_size);
  static EntryImage assemble(const EntryContent& content, std::span<const std::uint16_t> ttl_offsets,
                             std::uint16_t sections_sum);
  [[nodiscard]] std::atomic<std::uint32_t>& count() const noexcept {
    return *reinterpret_cast<std::atomic<std::uint32_t>*>(block_);
  }
  void retain() const noexcept {
    if (block_ != nullptr) count().fetch_add(1, std::memory_order_relaxed);
  }
  void release() noexcept;

  std::byte* block_ = nullptr;
};

// True when both say the same but for TTLs, times and the order of records: a refresh that changed nothing.
[[nodiscard]] bool same_content(const Entry& a, const Entry& b);

}  // namespace swarmdns::cache
