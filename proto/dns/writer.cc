#include "proto/dns/writer.h"

#include <algorithm>
#include <cstring>

#include "proto/dns/fold.h"

namespace swarmdns::dns {
namespace {

constexpr std::size_t kMaxMessage = 65535;

// Hash tags of the suffixes of a name, from the shortest to the longest as labels are added on the left. Case
// is folded: the comparison that follows a hit decides about case.
std::uint32_t mix_label(std::uint32_t hash, const std::byte* label, std::size_t octets) {
  for (std::size_t i = 0; i < octets; ++i) {
    hash = (hash ^ std::to_integer<std::uint32_t>(fold_octet(label[i]))) * 0x01000193U;  // FNV-1a
  }
  return hash;
}

std::uint16_t to_tag(std::uint32_t hash) {
  return static_cast<std::uint16_t>(hash ^ (hash >> 16));
}

}  // namespace

Writer::Writer(MutableBytes buffer, Compression compression)
    : buffer_(buffer.first(std::min(buffer.size(), kMaxMessage))), compression_(compression) {
  if (buffer_.size() < kHeaderSize) {
    buffer_ = {};
    return;
  }
  std::memset(buffer_.data(), 0, kHeaderSize);
  limit_ = buffer_.size();
  size_ = kHeaderSize;
}

void Writer::set_id(std::uint16_t id) {
  if (size_ != 0) header().set_id(id);
}

void Writer::set_flags(Flags flags) {
  if (size_ != 0) header().set_flags(flags);
}

void Writer::set_truncated() {
  if (size_ != 0) header().set_flags(header().view().flags().set_tc(true));
}

void Writer::set_limit(std::size_t octets) {
  limit_ = std::min(octets, buffer_.size());
}

Writer::Mark Writer::mark() const {
  Mark mark{.size = size_, .names = target_count_, .section = section_};
  std::copy(std::begin(counts_), std::end(counts_), std::begin(mark.counts));
  return mark;
}

void Writer::roll_back(const Mark& mark) {
  size_ = mark.size;
  target_count_ = mark.names;
  section_ = mark.section;
  std::copy(std::begin(mark.counts), std::end(mark.counts), std::begin(counts_));
  if (size_ != 0) header().set_counts(counts_[0], counts_[1], counts_[2], counts_[3]);
}

Expected<void> Writer::enter(Section section) {
  if (section < section_) return fail(Error::WrongSection);
  section_ = section;
  return {};
}

Expected<void> Writer::count(Section section) {
  auto& n = counts_[static_cast<std::size_t>(section)];
  if (n == 0xffff) return fail(Error::CountOverflow);
  ++n;
  header().set_counts(counts_[0], counts_[1], counts_[2], counts_[3]);
  return {};
}

Expected<void> Writer::put_bytes(Bytes bytes) {
  if (!room(bytes.size())) return fail(Error::NoSpace);
  if (!bytes.empty()) std::memcpy(buffer_.data() + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
  return {};
}

std::uint16_t Writer::find_target(NameView suffix, std::uint16_t tag) const {
  const Bytes written = buffer_.first(size_);
  for (std::size_t i = 0; i < target_count_; ++i) {
    if (targets_[i].tag != tag) continue;
    const bool equal = compression_ == Compression::IgnoreCase
                           ? name_equals(written, targets_[i].offset, suffix)
                           : name_identical(written, targets_[i].offset, suffix);
    if (equal) return targets_[i].offset;
  }
  return 0;
}

Expected<void> Writer::put_name(NameView name, bool compress) {
  if (!compress || compression_ == Compression::None || name.is_root()) return put_bytes(name.wire());

  std::array<std::uint8_t, kMaxLabelCount> starts;
  std::array<std::uint16_t, kMaxLabelCount> tags;
  std::size_t labels = 0;
  for (std::size_t i = 0; i + 1 < name.size(); i += 1 + load_u8(name.data() + i)) {
    starts[labels++] = static_cast<std::uint8_t>(i);
  }
  std::uint32_t hash = 0x811c9dc5U;
  for (std::size_t i = labels; i-- > 0;) {
    hash = mix_label(hash, name.data() + starts[i], 1U + load_u8(name.data() + starts[i]));
    tags[i] = to_tag(hash);
  }

  // The longest suffix that stands in the message already.
  std::size_t kept = 0;
  std::uint16_t target = 0;
  for (; kept < labels; ++kept) {
    target = find_target(NameView::trusted(name.wire().subspan(starts[kept])), tags[kept]);
    if (target != 0) break;
  }
  const std::size_t literal = target != 0 ? starts[kept] : name.size();
  if (!room(literal + (target != 0 ? 2 : 0))) return fail(Error::NoSpace);

  for (std::size_t i = 0; i < kept && target_count_ < kMaxTargets; ++i) {
    const std::size_t offset = size_ + starts[i];
    if (offset > kMaxPointerTarget) break;
    targets_[target_count_++] = {static_cast<std::uint16_t>(offset), tags[i]};
  }
  std::memcpy(buffer_.data() + size_, name.data(), literal);
  size_ += literal;
  if (target != 0) {
    store_be16(buffer_.data() + size_, static_cast<std::uint16_t>(0xc000U | target));
    size_ += 2;
  }
  return {};
}

Expected<void> Writer::put_rdata(Type type, Class klass, const detail::RdataSpan& rdata, bool compressed) {
  const RdataLayout layout = detail::layout_of(type, klass, rdata.end - rdata.begin);
  std::size_t from = rdata.begin;
  if (layout.rule != NameRule::None) {
    const NameRule rule = compressed ? layout.rule : NameRule::Forbidden;
    auto first = detail::first_name_offset(rdata, layout);
    if (!first) return fail(first.error());
    if (auto ok = put_bytes(rdata.octets.subspan(from, *first - from)); !ok) return ok;
    from = *first;
    for (unsigned i = 0; i < layout.names; ++i) {
      Name name;
      auto next = detail::read_rdata_name(rdata, rule, from, name);
      if (!next) return fail(next.error());
      if (auto ok = put_name(name, layout.rule == NameRule::Compress); !ok) return ok;
      from = *next;
    }
    const std::size_t rest = rdata.end - from;
    if (rest < layout.min_rest || rest > layout.max_rest) return fail(Error::BadRdata);
  }
  return put_bytes(rdata.octets.subspan(from, rdata.end - from));
}

Expected<void> Writer::put_record(Section section, NameView owner, Type type, Class klass, std::uint32_t ttl,
                                  const detail::RdataSpan& rdata, bool compressed) {
  if (section == Section::Question) return fail(Error::WrongSection);
  const Mark before = mark();
  const auto put_all = [&]() -> Expected<void> {
    if (auto ok = enter(section); !ok) return ok;
    if (auto ok = put_name(owner, true); !ok) return ok;
    if (!room(10)) return fail(Error::NoSpace);
    std::byte* fixed = buffer_.data() + size_;
    store_be16(fixed, to_u16(type));
    store_be16(fixed + 2, to_u16(klass));
    store_be32(fixed + 4, ttl);
    size_ += 10;
    const std::size_t start = size_;
    if (auto ok = put_rdata(type, klass, rdata, compressed); !ok) return ok;
    store_be16(fixed + 8, static_cast<std::uint16_t>(size_ - start));
    return count(section);
  };
  auto done = put_all();
  if (!done) roll_back(before);
  return done;
}

Expected<void> Writer::question(NameView name, Type type, Class klass) {
  const Mark before = mark();
  const auto put_all = [&]() -> Expected<void> {
    if (auto ok = enter(Section::Question); !ok) return ok;
    // A second question is written in full: readers need not follow pointers in this section.
    if (auto ok = put_name(name, counts_[0] == 0); !ok) return ok;
    if (!room(4)) return fail(Error::NoSpace);
    store_be16(buffer_.data() + size_, to_u16(type));
    store_be16(buffer_.data() + size_ + 2, to_u16(klass));
    size_ += 4;
    return count(Section::Question);
  };
  auto done = put_all();
  if (!done) roll_back(before);
  return done;
}

Expected<void> Writer::record(Section section, NameView owner, Type type, Class klass, std::uint32_t ttl,
                              Bytes rdata) {
  return put_record(section, owner, type, klass, ttl, detail::RdataSpan(rdata), false);
}

Expected<void> Writer::record(Section section, const RecordView& record, std::uint32_t ttl) {
  auto owner = record.owner();
  if (!owner) return fail(owner.error());
  return put_record(section, *owner, record.type(), record.klass(), ttl, detail::RdataSpan(record), true);
}

Expected<void> Writer::raw_record(Section section, Bytes wire) {
  auto owner = NameView::parse(wire);
  if (!owner) return fail(owner.error());
  if (wire.size() < owner->size() + 10) return fail(Error::Truncated);
  const std::size_t rdata = load_be16(wire.data() + owner->size() + 8);
  if (wire.size() - owner->size() - 10 != rdata) {
    return fail(wire.size() - owner->size() - 10 < rdata ? Error::Truncated : Error::TrailingBytes);
  }
  if (section == Section::Question) return fail(Error::WrongSection);
  const Mark before = mark();
  auto done = enter(section);
  if (done) done = put_bytes(wire);
  if (done) done = count(section);
  if (!done) roll_back(before);
  return done;
}

}  // namespace swarmdns::dns
