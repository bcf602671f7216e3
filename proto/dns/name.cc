#include "proto/dns/name.h"

#include <algorithm>
#include <cstring>

#include "proto/dns/fold.h"
#include "proto/dns/header.h"

namespace swarmdns::dns {
namespace {

// The two top bits of a length octet (RFC 1035 4.1.4).
constexpr unsigned kLabelTypeMask = 0xc0;
constexpr unsigned kPointer = 0xc0;

// A chain of pointers that go nowhere but to pointers is short in any sane message; a name has at most 127
// labels.
constexpr unsigned kMaxJumps = kMaxLabelCount;

// Walks the labels of a name through its pointers. `on_label(ptr, octets)` gets each label with its length
// octet, and the root's zero; it returns false to stop early (then 0 is returned, which is no valid end).
template <class OnLabel>
Expected<std::size_t> walk(Bytes message, std::size_t offset, OnLabel&& on_label) {
  std::size_t at = offset;
  std::size_t piece = offset;  // where the run of labels being read started: pointers must go before it
  std::size_t end = 0;         // set at the first pointer
  std::size_t size = 0;
  unsigned jumps = 0;
  for (;;) {
    if (at >= message.size()) return fail(Error::Truncated);
    const unsigned length = load_u8(message.data() + at);
    if ((length & kLabelTypeMask) == 0) {
      if (message.size() - at <= length) return fail(Error::Truncated);
      size += 1 + length;
      if (size > kMaxNameSize) return fail(Error::NameTooLong);
      if (!on_label(message.data() + at, 1 + length)) return 0;
      at += 1 + length;
      if (length == 0) return end != 0 ? end : at;
      continue;
    }
    if ((length & kLabelTypeMask) != kPointer) return fail(Error::BadLabelType);
    if (message.size() - at < 2) return fail(Error::Truncated);
    const std::size_t target = load_be16(message.data() + at) & 0x3fffU;
    if (target < kHeaderSize) return fail(Error::PointerIntoHeader);
    if (target > at) return fail(Error::ForwardPointer);
    if (target >= piece || ++jumps > kMaxJumps) return fail(Error::PointerLoop);
    if (end == 0) end = at + 2;
    at = piece = target;
  }
}

template <class Equal>
bool matches(Bytes message, std::size_t offset, NameView name, Equal&& equal) {
  std::size_t at = 0;
  auto end = walk(message, offset, [&](const std::byte* label, std::size_t octets) {
    if (name.size() - at < octets || !equal(label, name.data() + at, octets)) return false;
    at += octets;
    return true;
  });
  return end && *end != 0 && at == name.size();
}

// Where each label of an uncompressed name starts, in order.
struct LabelStarts {
  std::array<std::uint8_t, kMaxLabelCount> at;
  std::size_t count = 0;

  explicit LabelStarts(NameView name) {
    for (std::size_t i = 0; i + 1 < name.size(); i += 1 + load_u8(name.data() + i)) {
      at[count++] = static_cast<std::uint8_t>(i);
    }
  }
};

}  // namespace

Expected<NameView> NameView::parse(Bytes wire) {
  std::size_t at = 0;
  for (;;) {
    if (at >= wire.size()) return fail(Error::Truncated);
    const unsigned length = load_u8(wire.data() + at);
    if (length == 0) break;
    if (length > kMaxLabelSize) {
      return fail((length & kLabelTypeMask) == kPointer ? Error::CompressionForbidden : Error::BadLabelType);
    }
    at += 1 + length;
    if (at >= kMaxNameSize) return fail(Error::NameTooLong);  // no room for the root label
  }
  return NameView(wire.first(at + 1));
}

std::size_t NameView::label_count() const {
  std::size_t count = 0;
  for (std::size_t i = 0; i + 1 < size(); i += 1 + load_u8(data() + i)) ++count;
  return count;
}

NameView NameView::parent() const {
  if (is_root()) return *this;
  return NameView(wire_.subspan(1 + load_u8(data())));
}

NameView NameView::suffix(std::size_t labels) const {
  const std::size_t count = label_count();
  NameView rest = *this;
  for (std::size_t i = count; i > labels; --i) rest = rest.parent();
  return rest;
}

bool NameView::is_subdomain_of(NameView ancestor) const {
  if (ancestor.size() > size()) return false;
  const std::size_t cut = size() - ancestor.size();
  // The tail must also start at a label: "badexample.com." is not below "example.com.".
  std::size_t i = 0;
  while (i < cut) i += 1 + load_u8(data() + i);
  return i == cut && fold_equal(data() + cut, ancestor.data(), ancestor.size());
}

bool operator==(NameView a, NameView b) {
  return a.size() == b.size() && fold_equal(a.data(), b.data(), a.size());
}

bool identical(NameView a, NameView b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0;
}

std::weak_ordering canonical_compare(NameView a, NameView b) {
  const LabelStarts a_labels(a);
  const LabelStarts b_labels(b);
  const std::size_t common = std::min(a_labels.count, b_labels.count);
  for (std::size_t i = 1; i <= common; ++i) {
    const std::byte* x = a.data() + a_labels.at[a_labels.count - i];
    const std::byte* y = b.data() + b_labels.at[b_labels.count - i];
    const std::size_t x_size = load_u8(x);
    const std::size_t y_size = load_u8(y);
    for (std::size_t j = 1; j <= std::min(x_size, y_size); ++j) {
      const auto order = fold_octet(x[j]) <=> fold_octet(y[j]);
      if (order != 0) return order;
    }
    // Absence of an octet sorts before a zero octet.
    if (x_size != y_size) return x_size <=> y_size;
  }
  return a_labels.count <=> b_labels.count;
}

Name::Name(NameView view) : size_(static_cast<std::uint8_t>(view.size())) {
  std::memcpy(octets_.data(), view.data(), view.size());
}

void Name::fold() {
  fold_copy(octets_.data(), octets_.data(), size_);
}

Name Name::folded() const {
  Name copy = *this;
  copy.fold();
  return copy;
}

Expected<void> Name::prepend_label(Bytes label) {
  if (label.empty()) return fail(Error::EmptyLabel);
  if (label.size() > kMaxLabelSize) return fail(Error::LabelTooLong);
  if (label.size() + 1 + size_ > kMaxNameSize) return fail(Error::NameTooLong);
  // The label may lie inside this very name: move the name out of the way only after it was copied.
  std::array<std::byte, kMaxLabelSize> copy;
  std::memcpy(copy.data(), label.data(), label.size());
  std::memmove(octets_.data() + 1 + label.size(), octets_.data(), size_);
  store_u8(octets_.data(), static_cast<std::uint8_t>(label.size()));
  std::memcpy(octets_.data() + 1, copy.data(), label.size());
  size_ = static_cast<std::uint8_t>(size_ + 1 + label.size());
  return {};
}

Expected<void> Name::append(NameView origin) {
  const std::size_t kept = size_ - 1U;  // without our root label
  if (kept + origin.size() > kMaxNameSize) return fail(Error::NameTooLong);
  std::memmove(octets_.data() + kept, origin.data(), origin.size());
  size_ = static_cast<std::uint8_t>(kept + origin.size());
  return {};
}

Expected<std::size_t> read_name(Bytes message, std::size_t offset, Name& out) {
  std::size_t size = 0;
  auto end = walk(message, offset, [&](const std::byte* label, std::size_t octets) {
    std::memcpy(out.octets_.data() + size, label, octets);
    size += octets;
    return true;
  });
  if (!end) {
    out = Name();
    return end;
  }
  out.size_ = static_cast<std::uint8_t>(size);
  return end;
}

Expected<std::size_t> check_name(Bytes message, std::size_t offset) {
  return walk(message, offset, [](const std::byte*, std::size_t) { return true; });
}

Expected<std::size_t> skip_name(Bytes message, std::size_t offset) {
  std::size_t at = offset;
  for (;;) {
    if (at >= message.size()) return fail(Error::Truncated);
    const unsigned length = load_u8(message.data() + at);
    if ((length & kLabelTypeMask) == kPointer) {
      if (message.size() - at < 2) return fail(Error::Truncated);
      const std::size_t target = load_be16(message.data() + at) & 0x3fffU;
      if (target < kHeaderSize) return fail(Error::PointerIntoHeader);
      if (target > at) return fail(Error::ForwardPointer);
      if (target >= offset) return fail(Error::PointerLoop);
      return at + 2;
    }
    if (length > kMaxLabelSize) return fail(Error::BadLabelType);
    if (message.size() - at <= length) return fail(Error::Truncated);
    at += 1 + length;
    if (at - offset > kMaxNameSize) return fail(Error::NameTooLong);
    if (length == 0) return at;
  }
}

Expected<NameView> view_name(Bytes message, std::size_t offset) {
  if (offset > message.size()) return fail(Error::Truncated);
  return NameView::parse(message.subspan(offset));
}

bool name_equals(Bytes message, std::size_t offset, NameView name) {
  return matches(message, offset, name, fold_equal);
}

bool name_identical(Bytes message, std::size_t offset, NameView name) {
  return matches(message, offset, name, [](const std::byte* a, const std::byte* b, std::size_t octets) {
    return std::memcmp(a, b, octets) == 0;
  });
}

}  // namespace swarmdns::dns
