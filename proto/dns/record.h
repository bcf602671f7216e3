// A view on one resource record inside a message (RFC 1035 4.1.3). No allocation; the message must outlive
// it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "proto/dns/name.h"
#include "proto/dns/types.h"

namespace swarmdns::dns {

enum class Section : std::uint8_t { Question = 0, Answer = 1, Authority = 2, Additional = 3 };

// A TTL as RFC 2181 8 reads it: 0–2,147,483,647 seconds, a value with the top bit set is 0.
constexpr std::uint32_t clean_ttl(std::uint32_t raw) {
  return (raw & 0x80000000U) != 0 ? 0 : raw;
}

class RecordView {
 public:
  // The record at `offset`. The owner is passed over, not followed (check_name or owner() do that); RDLENGTH
  // must lie inside the message. RDATA is not looked into (rdata.h does). Errors: as skip_name.
  static Expected<RecordView> parse(Bytes message, std::size_t offset) {
    auto fixed = skip_name(message, offset);
    if (!fixed) return fail(fixed.error());
    if (message.size() - *fixed < kFixedSize) return fail(Error::Truncated);
    const std::size_t rdata = *fixed + kFixedSize;
    const std::size_t length = load_be16(message.data() + *fixed + 8);
    if (message.size() - rdata < length) return fail(Error::Truncated);
    return RecordView(message, offset, *fixed, length);
  }

  Bytes message() const { return message_; }

  std::size_t offset() const { return owner_; }  // where the record, and its owner name, starts
  std::size_t ttl_offset() const { return fixed_ + 4; }
  std::size_t rdata_offset() const { return fixed_ + kFixedSize; }
  std::size_t end() const { return rdata_offset() + rdata_size_; }  // the offset behind the record

  // The owner with compression undone. Errors: as read_name.
  Expected<Name> owner() const {
    Name name;
    auto end = read_name(message_, owner_, name);
    if (!end) return fail(end.error());
    return name;
  }
  // Without a copy; false too when the owner is malformed.
  bool owner_is(NameView name) const { return name_equals(message_, owner_, name); }

  Type type() const { return static_cast<Type>(load_be16(at(0))); }
  Class klass() const { return static_cast<Class>(load_be16(at(2))); }
  std::uint32_t ttl() const { return clean_ttl(raw_ttl()); }  // seconds
  std::uint32_t raw_ttl() const { return load_be32(at(4)); }  // as on the wire: flags, if this is OPT
  Bytes rdata() const { return message_.subspan(rdata_offset(), rdata_size_); }  // may hold compressed names

 private:
  friend class RecordIterator;  // stands at no record when it is at its end
  RecordView() = default;

  static constexpr std::size_t kFixedSize = 10;  // type, class, TTL, RDLENGTH

  RecordView(Bytes message, std::size_t owner, std::size_t fixed, std::size_t rdata_size)
      : message_(message), owner_(owner), fixed_(fixed), rdata_size_(rdata_size) {}
  const std::byte* at(std::size_t i) const { return message_.data() + fixed_ + i; }

  Bytes message_;
  std::size_t owner_ = 0;
  std::size_t fixed_ = 0;
  std::size_t rdata_size_ = 0;
};

}  // namespace swarmdns::dns
