#include "dataplane/cache/image.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "dataplane/net/checksum.h"
#include "proto/dns/header.h"
#include "proto/dns/name.h"
#include "proto/dns/rdata.h"
#include "proto/dns/record.h"
#include "proto/dns/types.h"

namespace swarmdns::cache {

namespace {

constexpr std::size_t kMaxMessage = 65'535;

std::size_t entry_size(const EntryContent& content, std::size_t records) {
  return sizeof(Entry) + ((std::size_t{content.key.qname_len} + 1) & ~std::size_t{1}) + 2 * records +
         content.sections.size();
}

std::unexpected<ImageError> refuse(ImageFault fault, std::size_t offset = 0) {
  return std::unexpected(ImageError{fault, static_cast<std::uint32_t>(offset)});
}

std::size_t record_count(const EntryContent& content) {
  return std::size_t{content.answers} + content.authorities + content.additionals;
}

// What does not need a look into the sections.
std::expected<void, ImageError> check_frame(const EntryContent& content) {
  if (content.rcode > 15) return refuse(ImageFault::RcodeInvalid);
  if (content.expires < content.born) return refuse(ImageFault::ExpiryInvalid);
  if ((content.key.flags & ~(kKeyDnssecOk | kKeyCheckingDisabled)) != 0)
    return refuse(ImageFault::KeyFlagsInvalid);
  const std::size_t message = dns::kHeaderSize + content.key.qname_len + 4 + content.sections.size();
  if (message > kMaxMessage || entry_size(content, record_count(content)) > Entry::kMaxSize) {
    return refuse(ImageFault::TooLarge);
  }
  return {};
}

std::expected<void, ImageError> check_key(const Key& key) {
  const auto name = dns::NameView::parse({key.qname, key.qname_len});
  if (!name || name->size() != key.qname_len) return refuse(ImageFault::NameInvalid);
  const auto upper = [](std::byte octet) { return octet >= std::byte{'A'} && octet <= std::byte{'Z'}; };
  if (std::any_of(key.qname, key.qname + key.qname_len, upper)) return refuse(ImageFault::NameNotFolded);
  if (dns::is_meta_type(static_cast<dns::Type>(key.qtype))) return refuse(ImageFault::TypeInvalid);
  return {};
}

// See Entry::odd_ttls.
std::uint8_t odd_ttls(std::span<const std::byte> sections, std::span<const std::uint16_t> ttl_offsets) {
  std::size_t odd = 0;
  for (const std::uint16_t offset : ttl_offsets) {
    const bool same =
        dns::load_be32(sections.data() + offset) == dns::load_be32(sections.data() + ttl_offsets[0]);
    if (!same) return Entry::kMixedTtls;
    odd += offset & 1U;
  }
  return static_cast<std::uint8_t>(std::min<std::size_t>(odd, Entry::kMixedTtls));
}

// Owner, type and class come before a TTL, RDLENGTH behind it: whoever patches TTLs stays inside.
bool offsets_fit(std::span<const std::uint16_t> ttl_offsets, std::size_t sections) {
  std::size_t least = 5;
  for (const std::uint16_t offset : ttl_offsets) {
    if (offset < least || std::size_t{offset} + 6 > sections) return false;
    least = std::size_t{offset} + 11;
  }
  return true;
}

}  // namespace

std::string to_text(const ImageError& error) {
  const std::string at = " at offset " + std::to_string(error.offset) + " of the sections";
  switch (error.fault) {
    case ImageFault::NameInvalid:
      return "qname: not one whole uncompressed name in wire format";
    case ImageFault::NameNotFolded:
      return "qname: upper-case letter; names are kept in lower case";
    case ImageFault::TypeInvalid:
      return "qtype: 0 or a meta type; nothing is cached under it";
    case ImageFault::KeyFlagsInvalid:
      return "key flags: only DO (1) and CD (2) are known";
    case ImageFault::RcodeInvalid:
      return "rcode: above 15; extended codes are not cached";
    case ImageFault::ExpiryInvalid:
      return "expires: earlier than born";
    case ImageFault::TooLarge:
      return "sections: too large; a message has at most 65535 bytes, a cached entry 65520";
    case ImageFault::OwnerInvalid:
      return "sections: bad owner name" + at;
    case ImageFault::RecordTruncated:
      return "sections: record runs past the end" + at;
    case ImageFault::RecordForbidden:
      return "sections: record of a meta type or of a class other than IN" + at;
    case ImageFault::RdataInvalid:
      return "sections: RDATA does not fit its type" + at;
    case ImageFault::CountMismatch:
      return "sections: number of records differs from the counts" + at;
    case ImageFault::OffsetsInvalid:
      return "sections: TTL offsets do not fit the records";
    case ImageFault::LayoutInvalid:
      return "not the octets of an entry";
  }
  return "unknown fault";
}

EntryImage EntryImage::allocate(std::size_t entry_size) {
  // Whole words, for whoever reads by words.
  const std::size_t room = kHeader + ((entry_size + 7) & ~std::size_t{7});
  EntryImage image;
  image.block_ = static_cast<std::byte*>(::operator new(room));
  new (image.block_) std::atomic<std::uint32_t>(1);
  return image;
}

void EntryImage::release() noexcept {
  if (block_ == nullptr) return;
  if (count().fetch_sub(1, std::memory_order_acq_rel) == 1) ::operator delete(block_);
  block_ = nullptr;
}

EntryImage EntryImage::assemble(const EntryContent& content, std::span<const std::uint16_t> ttl_offsets,
                                std::uint16_t sections_sum) {
  EntryImage image = allocate(entry_size(content, ttl_offsets.size()));
  auto* entry = new (image.block_ + kHeader) Entry{};
  entry->born = content.born;
  entry->expires = content.expires;
  entry->qtype = content.key.qtype;
  entry->qname_len = content.key.qname_len;
  entry->key_flags = content.key.flags;
  entry->view = content.key.view;
  entry->rcode = content.rcode;
  entry->flags = content.flags;
  entry->odd_ttls = odd_ttls(content.sections, ttl_offsets);
  entry->answers = content.answers;
  entry->authorities = content.authorities;
  entry->additionals = content.additionals;
  entry->sections_len = static_cast<std::uint16_t>(content.sections.size());
  entry->sections_sum = sections_sum;
  entry->ede = content.ede;
  std::byte* at = image.block_ + kHeader + sizeof(Entry);
  std::memcpy(at, content.key.qname, content.key.qname_len);
  if (content.key.qname_len % 2 != 0) at[content.key.qname_len] = std::byte{0};
  at = image.block_ + kHeader + entry->ttl_offsets_at();
  if (!ttl_offsets.empty()) std::memcpy(at, ttl_offsets.data(), ttl_offsets.size_bytes());
  if (!content.sections.empty()) {
    std::memcpy(at + ttl_offsets.size_bytes(), content.sections.data(), content.sections.size());
  }
  return image;
}

std::expected<EntryImage, ImageError> EntryImage::build(const EntryContent& content) {
  if (const auto framed = check_frame(content); !framed) return std::unexpected(framed.error());
  if (const auto keyed = check_key(content.key); !keyed) return std::unexpected(keyed.error());

  // The message the sections are of: header, the question, and then themselves.
  const std::size_t start = dns::kHeaderSize + content.key.qname_len + 4;
  std::vector<std::byte> message(start + content.sections.size());
  std::memcpy(message.data() + dns::kHeaderSize, content.key.qname, content.key.qname_len);
  dns::store_be16(message.data() + start - 4, content.key.qtype);
  dns::store_be16(message.data() + start - 2, dns::to_u16(dns::Class::IN));
  if (!content.sections.empty()) {
    std::memcpy(message.data() + start, content.sections.data(), content.sections.size());
  }

  const std::size_t records = record_count(content);
  std::vector<std::uint16_t> ttl_offsets;
  ttl_offsets.reserve(records);
  std::size_t at = start;
  for (std::size_t i = 0; i < records; ++i) {
    const std::size_t offset = at - start;
    if (at == message.size()) return refuse(ImageFault::CountMismatch, offset);
    if (!dns::check_name(message, at)) return refuse(ImageFault::OwnerInvalid, offset);
    const auto record = dns::RecordView::parse(message, at);
    if (!record) return refuse(ImageFault::RecordTruncated, offset);
    if (dns::is_meta_type(record->type()) || record->klass() != dns::Class::IN) {
      return refuse(ImageFault::RecordForbidden, offset);
    }
    if (!dns::check_rdata(*record)) return refuse(ImageFault::RdataInvalid, offset);
    ttl_offsets.push_back(static_cast<std::uint16_t>(record->ttl_offset() - start));
    at = record->end();
  }
  if (at != message.size()) return refuse(ImageFault::CountMismatch, at - start);

  // From here on the copy takes the place of what was given: TTLs cleaned, then, for the sum, zeroed.
  for (const std::uint16_t offset : ttl_offsets) {
    std::byte* ttl = message.data() + start + offset;
    dns::store_be32(ttl, dns::clean_ttl(dns::load_be32(ttl)));
  }
  EntryContent clean = content;
  clean.sections = std::span(message).subspan(start);
  EntryImage image = assemble(clean, ttl_offsets, 0);
  for (const std::uint16_t offset : ttl_offsets) dns::store_be32(message.data() + start + offset, 0);
  const auto sum = net::fold_sum(net::add_bytes(0, message.data() + start, content.sections.size()));
  reinterpret_cast<Entry*>(image.block_ + kHeader)->sections_sum = sum;
  return image;
}

std::expected<EntryImage, ImageError> EntryImage::build_rendered(const EntryContent& content,
                                                                 std::span<const std::uint16_t> ttl_offsets,
                                                                 std::uint16_t sections_sum) {
  if (const auto framed = check_frame(content); !framed) return std::unexpected(framed.error());
  if (content.key.qname_len == 0) return refuse(ImageFault::NameInvalid);
  if (ttl_offsets.size() != record_count(content)) return refuse(ImageFault::CountMismatch);
  if (!offsets_fit(ttl_offsets, content.sections.size())) return refuse(ImageFault::OffsetsInvalid);
  return assemble(content, ttl_offsets, sections_sum);
}

std::size_t EntryImage::size_at(std::span<const std::byte> octets) noexcept {
  if (octets.size() < sizeof(Entry)) return 0;
  const auto u16 = [&octets](std::size_t at) {
    return std::to_integer<std::size_t>(octets[at]) | std::to_integer<std::size_t>(octets[at + 1]) << 8;
  };
  const std::size_t qname = std::to_integer<std::size_t>(octets[offsetof(Entry, qname_len)]);
  const std::size_t records =
      u16(offsetof(Entry, answers)) + u16(offsetof(Entry, authorities)) + u16(offsetof(Entry, additionals));
  return sizeof(Entry) + ((qname + 1) & ~std::size_t{1}) + 2 * records + u16(offsetof(Entry, sections_len));
}

std::expected<EntryImage, ImageError> EntryImage::restore(std::span<const std::byte> octets, Seconds born,
                                                          Seconds expires) {
  const std::size_t size = size_at(octets);
  if (size == 0 || size != octets.size()) return refuse(ImageFault::LayoutInvalid);
  if (size > Entry::kMaxSize) return refuse(ImageFault::TooLarge);
  EntryImage image = allocate(size);
  auto* entry = new (image.block_ + kHeader) Entry{};
  constexpr std::size_t kTimes = offsetof(Entry, qtype);
  std::memcpy(reinterpret_cast<std::byte*>(entry) + kTimes, octets.data() + kTimes,
              offsetof(Entry, epoch) - kTimes);
  entry->born = born;
  entry->expires = expires;
  std::memcpy(image.block_ + kHeader + sizeof(Entry), octets.data() + sizeof(Entry), size - sizeof(Entry));

  constexpr std::uint8_t kFlags = Entry::kAuthenticated | Entry::kNegative | Entry::kFailure;
  if ((entry->flags & ~kFlags) != 0) return refuse(ImageFault::LayoutInvalid);
  if (entry->rcode > 15) return refuse(ImageFault::RcodeInvalid);
  if (expires < born) return refuse(ImageFault::ExpiryInvalid);
  if ((entry->key_flags & ~(kKeyDnssecOk | kKeyCheckingDisabled)) != 0)
    return refuse(ImageFault::KeyFlagsInvalid);
  if (dns::kHeaderSize + entry->qname_len + 4 + std::size_t{entry->sections_len} > kMaxMessage)
    return refuse(ImageFault::TooLarge);
  if (const auto keyed = check_key(entry->key()); !keyed) return std::unexpected(keyed.error());
  if (!offsets_fit(entry->ttl_offsets(), entry->sections_len)) return refuse(ImageFault::OffsetsInvalid);
  if (entry->odd_ttls != odd_ttls(entry->sections(), entry->ttl_offsets()))
    return refuse(ImageFault::LayoutInvalid);
  return image;
}

EntryImage EntryImage::copy_of(const Entry& entry) {
  EntryImage image = allocate(entry.size());
  auto* copy = new (image.block_ + kHeader) Entry{};
  copy->born = entry.born;
  copy->expires = entry.expires;
  std::memcpy(reinterpret_cast<std::byte*>(copy) + 8, entry.bytes() + 8, offsetof(Entry, touched) - 8);
  std::memcpy(reinterpret_cast<std::byte*>(copy) + sizeof(Entry), entry.bytes() + sizeof(Entry),
              entry.size() - sizeof(Entry));
  return image;
}

namespace {

// A sum over the records that does not depend on their order: their TTLs left out, each by a strong hash.
std::uint64_t unordered_digest(const Entry& entry, std::size_t first, std::size_t count) {
  const auto sections = entry.sections();
  const auto offsets = entry.ttl_offsets();
  static const auto kKey = [] {
    std::array<unsigned char, crypto_shorthash_KEYBYTES> key{};
    randombytes_buf(key.data(), key.size());
    return key;
  }();
  std::vector<unsigned char> record;
  std::uint64_t sum = 0;
  // A record begins where the one before it ends: behind its RDATA, whose length follows its TTL.
  const auto end_of = [&](std::size_t i) {
    return std::size_t{offsets[i]} + 6 + dns::load_be16(sections.data() + offsets[i] + 4);
  };
  for (std::size_t i = first; i < first + count; ++i) {
    const std::size_t begin = i == 0 ? 0 : end_of(i - 1);
    const std::size_t end = std::min(end_of(i), sections.size());
    if (begin >= end) return 0;
    const auto* bytes = reinterpret_cast<const unsigned char*>(sections.data());
    record.assign(bytes + begin, bytes + end);
    std::fill_n(record.begin() + static_cast<std::ptrdiff_t>(offsets[i] - begin), 4,
                static_cast<unsigned char>(0));
    std::uint64_t hash = 0;
    crypto_shorthash(reinterpret_cast<unsigned char*>(&hash), record.data(), record.size(), kKey.data());
    sum += hash;
  }
  return sum;
}

}  // namespace

bool same_content(const Entry& a, const Entry& b) {
  if (a.rcode != b.rcode || a.flags != b.flags || a.ede != b.ede || a.answers != b.answers ||
      a.authorities != b.authorities || a.additionals != b.additionals || a.sections_len != b.sections_len) {
    return false;
  }
  const auto left = a.sections();
  const auto right = b.sections();
  const auto offsets = a.ttl_offsets();
  // In the same order, as most are: everything between the TTLs is equal.
  if (a.sections_sum == b.sections_sum &&
      std::memcmp(offsets.data(), b.ttl_offsets().data(), offsets.size_bytes()) == 0) {
    bool equal = true;
    std::size_t from = 0;
    for (const std::uint16_t offset : offsets) {
      equal = equal && std::memcmp(left.data() + from, right.data() + from, offset - from) == 0;
      from = std::size_t{offset} + 4;
    }
    if (equal && std::memcmp(left.data() + from, right.data() + from, left.size() - from) == 0) return true;
  }
  std::size_t first = 0;
  for (const std::size_t count : {a.answers, a.authorities, a.additionals}) {
    if (unordered_digest(a, first, count) != unordered_digest(b, first, count)) return false;
    first += count;
  }
  return true;
}

}  // namespace swarmdns::cache
