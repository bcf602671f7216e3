// A bounds-checked cursor over a message or a part of it. Every read says whether it worked and leaves the
// cursor where it was when it did not. Inline, no allocation.
#pragma once

#include <cstddef>
#include <cstdint>

#include "proto/dns/bytes.h"
#include "proto/dns/name.h"

namespace swarmdns::dns {

class Reader {
 public:
  explicit Reader(Bytes data, std::size_t offset = 0)
      : data_(data), offset_(offset <= data.size() ? offset : data.size()) {}

  std::size_t offset() const { return offset_; }
  std::size_t remaining() const { return data_.size() - offset_; }
  bool at_end() const { return remaining() == 0; }
  Bytes rest() const { return data_.subspan(offset_); }

  [[nodiscard]] bool u8(std::uint8_t& out) {
    if (remaining() < 1) return false;
    out = load_u8(data_.data() + offset_);
    offset_ += 1;
    return true;
  }
  [[nodiscard]] bool u16(std::uint16_t& out) {
    if (remaining() < 2) return false;
    out = load_be16(data_.data() + offset_);
    offset_ += 2;
    return true;
  }
  [[nodiscard]] bool u32(std::uint32_t& out) {
    if (remaining() < 4) return false;
    out = load_be32(data_.data() + offset_);
    offset_ += 4;
    return true;
  }
  [[nodiscard]] bool u64(std::uint64_t& out) {
    if (remaining() < 8) return false;
    out = load_be64(data_.data() + offset_);
    offset_ += 8;
    return true;
  }
  // The next `size` octets as a view.
  [[nodiscard]] bool bytes(std::size_t size, Bytes& out) {
    if (remaining() < size) return false;
    out = data_.subspan(offset_, size);
    offset_ += size;
    return true;
  }
  // A <character-string>: a length octet and as many octets (RFC 1035 3.3).
  [[nodiscard]] bool character_string(Bytes& out) {
    if (remaining() < 1 || remaining() - 1 < load_u8(data_.data() + offset_)) return false;
    out = data_.subspan(offset_ + 1, load_u8(data_.data() + offset_));
    offset_ += 1 + out.size();
    return true;
  }
  [[nodiscard]] bool skip(std::size_t size) {
    if (remaining() < size) return false;
    offset_ += size;
    return true;
  }
  // A name, compressed or not; pointers count from the start of the span the reader was made with.
  // Errors: as read_name.
  Expected<void> name(Name& out) {
    auto end = read_name(data_, offset_, out);
    if (!end) return fail(end.error());
    offset_ = *end;
    return {};
  }
  // An uncompressed name as a view. Errors: as view_name.
  Expected<NameView> plain_name() {
    auto view = view_name(data_, offset_);
    if (view) offset_ += view->size();
    return view;
  }

 private:
  Bytes data_;
  std::size_t offset_;
};

}  // namespace swarmdns::dns
