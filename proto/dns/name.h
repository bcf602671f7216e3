// Domain names in wire form (RFC 1035 3.1, 4.1.4): views on uncompressed names, owned names of fixed
// capacity, and reading from a message with compression. Nothing here allocates; text forms are in
// name_text.h. All types are plain values: any thread may use its own.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "proto/dns/bytes.h"
#include "proto/dns/error.h"

namespace swarmdns::dns {

inline constexpr std::size_t kMaxNameSize = 255;  // octets on the wire, root label included (RFC 1035 2.3.4)
inline constexpr std::size_t kMaxLabelSize = 63;  // octets of one label, length octet not counted
inline constexpr std::size_t kMaxLabelCount = 127;  // labels of the longest name, root label not counted

// The labels of an uncompressed name from left to right, root not included. A Bytes per label, length octet
// stripped.
class LabelIterator {
 public:
  using value_type = Bytes;
  using difference_type = std::ptrdiff_t;
  using iterator_concept = std::forward_iterator_tag;

  LabelIterator() = default;
  explicit LabelIterator(const std::byte* at) : at_(at) {}

  Bytes operator*() const { return {at_ + 1, load_u8(at_)}; }
  LabelIterator& operator++() {
    at_ += 1 + load_u8(at_);
    return *this;
  }
  LabelIterator operator++(int) {
    LabelIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const LabelIterator&) const = default;
  bool operator==(std::default_sentinel_t) const { return load_u8(at_) == 0; }

 private:
  const std::byte* at_ = nullptr;
};

class LabelRange {
 public:
  explicit LabelRange(const std::byte* first) : first_(first) {}
  LabelIterator begin() const { return LabelIterator(first_); }
  std::default_sentinel_t end() const { return {}; }

 private:
  const std::byte* first_;
};

// A valid, uncompressed wire-format name somewhere in memory: 1–255 octets, the last one the root's zero.
// It does not own the octets; they must outlive it. A default-made view is the root.
class NameView {
 public:
  NameView() : wire_(&kRoot, 1) {}

  // The name at the start of `wire`; octets behind it are ignored (see size()).
  // Errors: Truncated, BadLabelType, CompressionForbidden, NameTooLong.
  static Expected<NameView> parse(Bytes wire);

  // For octets that are known to be exactly one valid name.
  static NameView trusted(Bytes wire) { return NameView(wire); }

  Bytes wire() const { return wire_; }
  const std::byte* data() const { return wire_.data(); }
  std::size_t size() const { return wire_.size(); }  // octets, root label included
  bool is_root() const { return wire_.size() == 1; }
  bool is_wildcard() const { return size() >= 3 && load_u8(data()) == 1 && load_u8(data() + 1) == '*'; }

  LabelRange labels() const { return LabelRange(wire_.data()); }
  std::size_t label_count() const;  // root not counted: 0 for the root, 2 for "example.com."

  // Without the leftmost label; the root's parent is the root.
  NameView parent() const;
  // The rightmost `labels` labels; the name itself when it has no more than that. suffix(0) is the root.
  NameView suffix(std::size_t labels) const;
  // Equal to `ancestor` or below it, ignoring case.
  bool is_subdomain_of(NameView ancestor) const;

 private:
  explicit NameView(Bytes wire) : wire_(wire) {}
  static constexpr std::byte kRoot{0};

  Bytes wire_;
};

// Equal as the DNS sees it: ASCII case ignored (RFC 4343).
bool operator==(NameView a, NameView b);
// Equal octet by octet, case included.
bool identical(NameView a, NameView b);
// Canonical DNS name order (RFC 4034 6.1).
std::weak_ordering canonical_compare(NameView a, NameView b);

// An owned name: 256 octets, trivially copyable. A default-made name is the root.
class Name {
 public:
  Name() = default;
  explicit Name(NameView view);

  NameView view() const { return NameView::trusted({octets_.data(), size_}); }
  operator NameView() const { return view(); }  // NOLINT: a Name is usable wherever a view is

  Bytes wire() const { return {octets_.data(), size_}; }
  std::size_t size() const { return size_; }
  bool is_root() const { return size_ == 1; }
  std::size_t label_count() const { return view().label_count(); }

  // Lower-cases ASCII letters in place.
  void fold();
  Name folded() const;

  // Puts `label` (1–63 octets, any value) in front. Errors: EmptyLabel, LabelTooLong, NameTooLong; unchanged
  // then.
  Expected<void> prepend_label(Bytes label);
  // This name followed by `origin` instead of the root. Errors: NameTooLong; unchanged then.
  Expected<void> append(NameView origin);

 private:
  friend Expected<std::size_t> read_name(Bytes message, std::size_t offset, Name& out);

  std::array<std::byte, kMaxNameSize> octets_{};
  std::uint8_t size_ = 1;
};

// Reads the name at `offset` of `message`, following compression pointers, and returns the offset behind it
// (behind the first pointer if there is one). Pointers must go strictly backwards, not into the header, and
// the whole is bounded by 255 octets and 127 jumps. Case is kept. On an error `out` is the root. Errors:
// Truncated, BadLabelType, PointerLoop, ForwardPointer, PointerIntoHeader, NameTooLong.
Expected<std::size_t> read_name(Bytes message, std::size_t offset, Name& out);

// The same checks without a copy.
Expected<std::size_t> check_name(Bytes message, std::size_t offset);

// Only finds the end of the name at `offset`; a pointer ends it and is not followed, but must point backwards
// and behind the header. For passing over names that were checked before, or are not of interest. Errors: as
// read_name.
Expected<std::size_t> skip_name(Bytes message, std::size_t offset);

// The name at `offset`, when it is not compressed, as a view into `message`.
// Errors: Truncated, BadLabelType, CompressionForbidden, NameTooLong.
Expected<NameView> view_name(Bytes message, std::size_t offset);

// True when the (possibly compressed) name at `offset` equals `name` ignoring case; false too when it is
// malformed.
bool name_equals(Bytes message, std::size_t offset, NameView name);
// The same, case included.
bool name_identical(Bytes message, std::size_t offset, NameView name);

}  // namespace swarmdns::dns
