#include "controlplane/swarm/segment_store.h"

#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <sodium.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "controlplane/swarm/segment_codec.h"
#include "controlplane/swarm/segment_keys.h"

namespace swarmdns::controlplane {
using namespace segment_keys;

namespace {

using Problem = std::unexpected<std::string>;

constexpr std::string_view kRoot("", 1);

// Under which the index has it; "": under none.
std::string_view name_of(const v1::Mutation& mutation) {
  if (mutation.kind() == v1::MUTATION_FLUSH_ZONE) return mutation.zone();
  if (mutation.kind() == v1::MUTATION_FLUSH_ALL) return kRoot;
  return mutation.entry().key().qname();
}

bool flushes(const v1::Mutation& mutation) {
  return mutation.kind() == v1::MUTATION_FLUSH_ZONE || mutation.kind() == v1::MUTATION_FLUSH_ALL;
}

}  // namespace

NameTag name_tag(const NameKey& key, Bytes qname) {
  // The key in front rather than BLAKE2b's own keying, which would hash a block more; names do not reach into
  // a third.
  std::array<unsigned char, sizeof(NameKey) + 255> message;
  const std::size_t size = std::min<std::size_t>(qname.size(), 255);
  std::memcpy(message.data(), key.data(), key.size());
  std::memcpy(message.data() + key.size(), qname.data(), size);
  NameTag tag;
  crypto_generichash(reinterpret_cast<unsigned char*>(tag.data()), tag.size(), message.data(),
                     key.size() + size, nullptr, 0);
  return tag;
}

rocksdb::ColumnFamilyOptions SegmentStore::segments_options() {
  rocksdb::ColumnFamilyOptions options;
  // Values are up to 400 KiB and compressed already: they stay where they were written once, apart from the
  // keys.
  options.enable_blob_files = true;
  options.min_blob_size = 4096;
  options.blob_file_size = 64 << 20;
  options.blob_compression_type = rocksdb::kNoCompression;
  options.enable_blob_garbage_collection = true;
  options.compression = rocksdb::kNoCompression;
  options.write_buffer_size = 32 << 20;
  options.max_write_buffer_number = 4;
  return options;
}

rocksdb::ColumnFamilyOptions SegmentStore::mutations_options() {
  rocksdb::ColumnFamilyOptions options;
  options.compression = rocksdb::kLZ4Compression;
  options.write_buffer_size = 16 << 20;
  options.max_write_buffer_number = 4;
  return options;
}

SegmentStore::SegmentStore(Columns columns, const NameKey& key) : columns_(columns), key_(key) {
  read_erased();
}

SegmentStore::Tags SegmentStore::tags_of(const std::vector<v1::Mutation>& mutations) const {
  Tags tags(mutations.size());
  std::string_view last;
  for (std::size_t i = 0; i < mutations.size(); ++i) {
    const v1::Mutation& mutation = mutations[i];
    const std::string_view name = name_of(mutation);
    if (name.empty()) continue;
    // A and AAAA of a name mostly come one behind the other.
    if (i != 0 && name == last) {
      tags[i] = tags[i - 1];
    } else {
      tags[i] = name_tag(key_, as_octets(name));
    }
    last = name;
  }
  return tags;
}

std::expected<void, std::string> SegmentStore::add(rocksdb::WriteBatch& batch, const Item& item) {
  const v1::SegmentHeader& header = *item.header;
  const Tags tags = tags_of(*item.mutations);
  std::vector<std::uint32_t> gone;
  {
    const std::lock_guard lock(erased_mutex_);
    for (const Erased& erased : erased_) {
      if (header.last_ms() > erased.until_ms) continue;
      for (std::uint32_t i = 0; i < tags.size(); ++i) {
        if (tags[i] == erased.tag) gone.push_back(i);
      }
    }
  }
  std::vector<bool> skip(tags.size());
  for (const std::uint32_t position : gone) skip[position] = true;
  const std::string place = segment_key(header.node(), header.number());
  std::string value;
  if (gone.empty()) {
    value = pack_segment(*item.body);
  } else {
    v1::SegmentBody body = *item.body;
    forget_mutations(body, gone);
    value = pack_segment(body);
  }
  batch.Put(columns_.segments, place, value);
  batch.Put(columns_.mutations, kHeader + place, item.body->segment().SerializeAsString());

  std::array<std::string, 256> buckets;
  for (std::uint32_t i = 0; i < tags.size(); ++i) {
    if (skip[i] || tags[i] == NameTag{}) continue;
    append_entry(buckets[std::to_integer<std::size_t>(tags[i][0])], tags[i], i);
  }
  const std::uint32_t hour = hour_of(header.last_ms());
  for (std::size_t bucket = 0; bucket < buckets.size(); ++bucket) {
    if (buckets[bucket].empty()) continue;
    batch.Put(columns_.mutations, bucket_key(hour, static_cast<std::byte>(bucket)) + place, buckets[bucket]);
  }
  return {};
}

std::expected<void, std::string> SegmentStore::put(std::span<const Item> items, bool durable) {
  rocksdb::WriteBatch batch;
  for (const Item& item : items) {
    if (auto added = add(batch, item); !added) return added;
  }
  rocksdb::WriteOptions options;
  options.sync = durable;
  if (const auto status = columns_.db->Write(options, &batch); !status.ok())
    return problem("not kept", status);
  return {};
}

std::expected<SegmentStore::Placement, std::string> SegmentStore::put_received(const Item& item,
                                                                               const Hash& hash) {
  const std::lock_guard lock(change_);
  const v1::SegmentHeader& mine = *item.header;
  const std::string name =
      "segment " + std::to_string(mine.number()) + " of node " + std::to_string(mine.node());
  Placement placement;
  const auto there = header(mine.node(), mine.number());
  if (!there) return Problem(there.error());
  if (*there) {
    if (segment_hash(as_octets((*there)->header())) == hash) {
      placement.placed = Placed::kKnown;
    } else {
      placement = {Placed::kForked, name + " exists twice, both signed, with different contents"};
    }
    return placement;
  }
  const auto before = header(mine.node(), mine.number() - 1);
  if (!before) return Problem(before.error());
  if (*before) {
    v1::SegmentHeader other;
    other.ParseFromString((*before)->header());
    const auto follows = check_succession(other, segment_hash(as_octets((*before)->header())), mine);
    if (!follows) return Placement{Placed::kForked, name + " does not fit the chain: " + follows.error()};
  }
  const auto after = header(mine.node(), mine.number() + 1);
  if (!after) return Problem(after.error());
  if (*after) {
    v1::SegmentHeader other;
    other.ParseFromString((*after)->header());
    const auto follows = check_succession(mine, hash, other);
    if (!follows)
      return Placement{Placed::kForked, name + " does not fit the one behind it: " + follows.error()};
  }
  if (auto done = put({&item, 1}, false); !done) return Problem(std::move(done.error()));
  return placement;
}

std::expected<std::optional<v1::SignedSegment>, std::string> SegmentStore::header(
    NodeId node, std::uint64_t number) const {
  std::string value;
  const auto status = columns_.db->Get({}, columns_.mutations, header_key(node, number), &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return problem("not read", status);
  v1::SignedSegment segment;
  if (!segment.ParseFromString(value)) return Problem("mutation segments: a header cannot be read");
  return segment;
}

std::expected<std::optional<v1::SegmentBody>, std::string> SegmentStore::get(NodeId node,
                                                                             std::uint64_t number) const {
  auto segment = header(node, number);
  if (!segment) return Problem(segment.error());
  if (!*segment) return std::nullopt;
  std::string value;
  const auto status = columns_.db->Get({}, columns_.segments, segment_key(node, number), &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return problem("not read", status);
  auto body = unpack_segment(value);
  if (!body) return Problem("mutation segments: " + body.error());
  *body->mutable_segment() = std::move(**segment);
  return std::move(*body);
}

std::expected<SegmentStore::Head, std::string> SegmentStore::head(NodeId node) const {
  const std::unique_ptr<rocksdb::Iterator> at(columns_.db->NewIterator({}, columns_.mutations));
  at->SeekForPrev(header_key(node, UINT64_MAX));
  if (!at->status().ok()) return problem("not read", at->status());
  const auto found = header_at(*at, node);
  if (!found) return Head{};
  auto read = read_header(found->value.ToStringView());
  if (!read) return Problem(std::move(read.error()));
  return Head{found->number, std::move(read->header), read->hash};
}

std::expected<std::uint64_t, std::string> SegmentStore::oldest(NodeId node) const {
  const std::unique_ptr<rocksdb::Iterator> at(columns_.db->NewIterator({}, columns_.mutations));
  at->Seek(header_key(node, 0));
  if (!at->status().ok()) return problem("not read", at->status());
  const auto found = header_at(*at, node);
  return found ? found->number : 0;
}

std::expected<std::uint64_t, std::string> SegmentStore::first_missing(NodeId node, std::uint64_t from,
                                                                      std::uint64_t until) const {
  const std::unique_ptr<rocksdb::Iterator> at(columns_.db->NewIterator({}, columns_.mutations));
  std::uint64_t expected = from;
  for (at->Seek(header_key(node, from)); at->Valid() && expected < until; at->Next(), ++expected) {
    const auto found = header_at(*at, node);
    if (!found || found->number != expected) break;
  }
  if (!at->status().ok()) return problem("not read", at->status());
  return std::min(expected, until);
}

std::expected<std::optional<std::uint64_t>, std::string> SegmentStore::find(NodeId node,
                                                                            std::uint64_t mutation) const {
  // Numbers of segments and of mutations rise together, but for holes: the last segment that does not begin
  // behind it.
  const auto last = head(node);
  if (!last) return Problem(last.error());
  const auto first = oldest(node);
  if (!first) return Problem(first.error());
  if (last->number == 0) return std::nullopt;
  std::uint64_t low = *first;
  std::uint64_t high = last->number;
  const std::unique_ptr<rocksdb::Iterator> at(columns_.db->NewIterator({}, columns_.mutations));
  while (low <= high) {
    const std::uint64_t middle = low + (high - low) / 2;
    at->SeekForPrev(header_key(node, middle));
    if (!at->status().ok()) return problem("not read", at->status());
    const auto found = header_at(*at, node);
    if (!found || found->number < low) {  // nothing in [low, middle]
      low = middle + 1;
      continue;
    }
    const auto read = read_header(found->value.ToStringView());
    if (!read) return Problem(read.error());
    if (mutation < read->header.first_mutation()) {
      high = found->number - 1;
    } else if (mutation > read->header.last_mutation()) {
      low = middle + 1;
    } else {
      return found->number;
    }
  }
  return std::nullopt;
}

std::expected<std::vector<v1::MutationRange>, std::string> SegmentStore::gaps(NodeId node) const {
  std::vector<v1::MutationRange> ranges;
  const std::unique_ptr<rocksdb::Iterator> at(columns_.db->NewIterator({}, columns_.mutations));
  at->Seek(header_key(node, 0));
  for (auto found = header_at(*at, node); found; at->Next(), found = header_at(*at, node)) {
    const auto read = read_header(found->value.ToStringView());
    if (!read) return Problem(read.error());
    const v1::SegmentHeader& header = read->header;
    if (lost_mutations(header) == 0) continue;
    if (!ranges.empty() && ranges.back().last() + 1 == header.first_mutation()) {
      ranges.back().set_last(header.last_mutation());
      continue;
    }
    v1::MutationRange& range = ranges.emplace_back();
    range.set_node(node);
    range.set_first(header.first_mutation());
    range.set_last(header.last_mutation());
  }
  if (!at->status().ok()) return problem("not read", at->status());
  return ranges;
}

std::expected<std::map<SegmentStore::Place, std::vector<std::uint32_t>>, std::string> SegmentStore::hits(
    const NameTag& tag) const {
  std::map<Place, std::vector<std::uint32_t>> places;
  rocksdb::ReadOptions options;
  options.readahead_size = 1 << 20;
  const std::unique_ptr<rocksdb::Iterator> at(columns_.db->NewIterator(options, columns_.mutations));
  at->Seek(std::string(1, kName));
  while (at->Valid() && at->key().size() > 5 && at->key()[0] == kName) {
    OctetReader reader(as_octets(at->key().ToStringView().substr(1)));
    const std::uint32_t hour = reader.be32();
    const std::string prefix = bucket_key(hour, tag[0]);
    for (at->Seek(prefix); at->Valid() && at->key().starts_with(prefix); at->Next()) {
      OctetReader place(as_octets(at->key().ToStringView().substr(prefix.size())));
      const NodeId node = place.be64();
      const std::uint64_t number = place.be64();
      each_entry(at->value().ToStringView(), [&](std::string_view entry, std::uint32_t position) {
        if (entry_is(entry, tag)) places[{node, number}].push_back(position);
      });
    }
    at->Seek(hour_key(hour + 1));
  }
  if (!at->status().ok()) return problem("not read", at->status());
  return places;
}

std::expected<v1::NameAnswer, std::string> SegmentStore::history(Bytes qname, std::uint32_t qtype,
                                                                 std::size_t limit,
                                                                 std::uint64_t until_ms) const {
  const auto found = hits(name_tag(key_, qname));
  if (!found) return Problem(found.error());
  struct Dated {
    std::uint64_t last_ms = 0;
    Place place;
    const std::vector<std::uint32_t>* positions = nullptr;
  };
  std::vector<Dated> dated;
  for (const auto& [place, positions] : *found) {
    const auto segment = header(place.node, place.number);
    if (!segment) return Problem(segment.error());
    v1::SegmentHeader read;
    if (!*segment || !read.ParseFromString((*segment)->header())) continue;  // expired
    if (read.first_ms() > until_ms) continue;
    dated.push_back({read.last_ms(), place, &positions});
  }
  std::ranges::sort(dated, [](const Dated& a, const Dated& b) {
    return a.last_ms != b.last_ms ? a.last_ms > b.last_ms : b.place < a.place;
  });
  v1::NameAnswer answer;
  for (const Dated& at : dated) {
    const auto body = get(at.place.node, at.place.number);
    if (!body) return Problem(body.error());
    if (!*body) continue;
    for (auto position = at.positions->rbegin(); position != at.positions->rend(); ++position) {
      if (*position >= static_cast<std::uint32_t>((*body)->leaves_size())) continue;
      const std::string& raw = (*body)->leaves(static_cast<int>(*position)).mutation();
      v1::Mutation mutation;
      if (raw.empty() || !mutation.ParseFromString(raw)) continue;
      if (name_of(mutation) != as_text(qname)) continue;
      if (qtype != 0 && !flushes(mutation) && mutation.entry().key().qtype() != qtype) continue;
      if (static_cast<std::size_t>(answer.mutations_size()) == limit) {
        answer.set_more(true);
        return answer;
      }
      v1::NameMutation& out = *answer.add_mutations();
      out.set_node(at.place.node);
      out.set_segment(at.place.number);
      out.set_position(*position);
      out.set_mutation(raw);
    }
  }
  return answer;
}

std::expected<std::vector<NodeId>, std::string> SegmentStore::nodes() const {
  std::vector<NodeId> nodes;
  const std::unique_ptr<rocksdb::Iterator> at(columns_.db->NewIterator({}, columns_.mutations));
  at->Seek(header_key(0, 0));
  for (auto found = header_at(*at, 0); found; found = header_at(*at, 0)) {
    nodes.push_back(found->node);
    at->Seek(header_key(found->node + 1, 0));
  }
  if (!at->status().ok()) return problem("not read", at->status());
  return nodes;
}

std::uint64_t SegmentStore::bytes() const {
  std::uint64_t total = 0;
  for (rocksdb::ColumnFamilyHandle* column : {columns_.segments, columns_.mutations}) {
    for (const std::string& property :
         {rocksdb::DB::Properties::kTotalSstFilesSize, rocksdb::DB::Properties::kTotalBlobFileSize,
          rocksdb::DB::Properties::kCurSizeAllMemTables}) {
      std::uint64_t value = 0;
      if (columns_.db->GetIntProperty(column, property, &value)) total += value;
    }
  }
  return total;
}

}  // namespace swarmdns::controlplane
