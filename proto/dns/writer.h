// Writes a message into the caller's octets, compressing names (RFC 1035 4.1.4). No allocation; one writer,
// one thread.
//
// Every call either writes its part whole or changes nothing and returns an error: a message is valid after
// each call. The counts in the header are kept up to date. For records that belong together (an RRset and its
// RRSIGs) take a mark() first and roll_back() to it when one does not fit.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "proto/dns/header.h"
#include "proto/dns/name.h"
#include "proto/dns/rdata.h"
#include "proto/dns/record.h"

namespace swarmdns::dns {

enum class Compression : std::uint8_t {
  None,        // no pointers at all
  ExactCase,   // a pointer only to octets equal with their case: every name keeps its case
  IgnoreCase,  // a pointer to any equal name: smaller, names may take over the case of an earlier one
};

class Writer {
 public:
  // Starts a message with an empty header (all zero). `buffer` needs at least 12 octets: otherwise every call
  // returns NoSpace, and message() is empty. Only the first 65,535 octets are used.
  explicit Writer(MutableBytes buffer, Compression compression = Compression::ExactCase);

  // The header, for its id and flags; its counts belong to the writer. Only when the buffer has room for one.
  HeaderEdit header() { return HeaderEdit(buffer_.data()); }
  void set_id(std::uint16_t id);
  void set_flags(Flags flags);
  void set_truncated();  // TC

  // Errors of all below: NoSpace, WrongSection (sections come in order), CountOverflow.
  Expected<void> question(NameView name, Type type, Class klass);

  // RDATA given here must hold no compression pointers; its names are compressed where RFC 3597 4 lets us.
  // Also: BadRdata, and as read_name, when RDATA does not fit its type.
  Expected<void> record(Section section, NameView owner, Type type, Class klass, std::uint32_t ttl,
                        Bytes rdata);
  // A copy of a record of another message, its names decompressed and compressed anew; `ttl` replaces its
  // TTL.
  Expected<void> record(Section section, const RecordView& record, std::uint32_t ttl);
  // The same with its TTL as on the wire.
  Expected<void> record(Section section, const RecordView& record) {
    return this->record(section, record, record.raw_ttl());
  }
  // One whole record in wire form that needs no compression, such as OptWriter::finish().
  Expected<void> raw_record(Section section, Bytes wire);

  // No call may write beyond this many octets of the message, from now on; capped by the buffer.
  void set_limit(std::size_t octets);
  std::size_t limit() const { return limit_; }

  struct Mark {
    std::size_t size = 0;
    std::uint16_t counts[4] = {};
    std::uint16_t names = 0;
    Section section = Section::Question;
  };
  Mark mark() const;
  // Forgets all that was written since the mark.
  void roll_back(const Mark& mark);

  std::size_t size() const { return size_; }
  Bytes message() const { return buffer_.first(size_); }

 private:
  // Bounded: names beyond these many suffixes are written but not pointed to.
  static constexpr std::size_t kMaxTargets = 128;
  static constexpr std::size_t kMaxPointerTarget = 0x3fff;
  struct Target {
    std::uint16_t offset;
    std::uint16_t tag;  // some bits of a hash of the suffix, folded
  };

  bool room(std::size_t octets) const { return limit_ >= size_ && limit_ - size_ >= octets; }
  Expected<void> enter(Section section);
  Expected<void> count(Section section);
  Expected<void> put_bytes(Bytes bytes);
  Expected<void> put_name(NameView name, bool compress);
  Expected<void> put_rdata(Type type, Class klass, const detail::RdataSpan& rdata, bool compressed);
  Expected<void> put_record(Section section, NameView owner, Type type, Class klass, std::uint32_t ttl,
                            const detail::RdataSpan& rdata, bool compressed);
  std::uint16_t find_target(NameView suffix, std::uint16_t tag) const;

  MutableBytes buffer_;
  std::size_t limit_ = 0;
  std::size_t size_ = 0;
  Compression compression_;
  Section section_ = Section::Question;
  std::uint16_t counts_[4] = {};
  std::uint16_t target_count_ = 0;
  std::array<Target, kMaxTargets> targets_;
};

}  // namespace swarmdns::dns
