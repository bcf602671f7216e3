// What takes segments, or bodies out of them, away again: age and erasure.
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <memory>
#include <set>

#include "controlplane/swarm/segment_codec.h"
#include "controlplane/swarm/segment_keys.h"
#include "controlplane/swarm/segment_store.h"

namespace swarmdns::controlplane {

using namespace segment_keys;

namespace {

using Problem = std::unexpected<std::string>;

}  // namespace

std::expected<std::uint64_t, std::string> SegmentStore::expire(std::uint64_t before_ms) {
  const std::lock_guard lock(change_);
  const auto all = nodes();
  if (!all) return Problem(all.error());
  const std::unique_ptr<rocksdb::Iterator> at(columns_.db->NewIterator({}, columns_.mutations));
  rocksdb::WriteBatch batch;
  std::uint64_t expired = 0;
  for (const NodeId node : *all) {
    const auto newest = head(node);
    if (!newest) return Problem(newest.error());
    // The newest stays, however old: the chain goes on from it.
    std::uint64_t keep = 0;
    at->Seek(header_key(node, 0));
    for (auto found = header_at(*at, node); found; at->Next(), found = header_at(*at, node)) {
      const auto read = read_header(found->value.ToStringView());
      if (!read) return Problem(read.error());
      keep = found->number;
      if (read->header.last_ms() >= before_ms || keep == newest->number) break;
      ++expired;
    }
    batch.DeleteRange(columns_.segments, segment_key(node, 0), segment_key(node, keep));
    batch.DeleteRange(columns_.mutations, header_key(node, 0), header_key(node, keep));
  }
  if (expired == 0) return 0;
  const std::uint32_t hour = hour_of(before_ms);
  batch.DeleteRange(columns_.mutations, hour_key(0), hour_key(hour));
  {
    const std::lock_guard guard(erased_mutex_);
    std::erase_if(erased_, [&](const Erased& erased) {
      if (erased.until_ms >= before_ms) return false;
      batch.Delete(columns_.mutations, erased_key(erased.tag));
      return true;
    });
  }
  if (const auto status = columns_.db->Write({}, &batch); !status.ok()) return problem("not expired", status);
  return expired;
}

std::expected<std::uint64_t, std::string> SegmentStore::erase(std::span<const v1::MutationPlace> places) {
  const std::lock_guard lock(change_);
  std::map<Place, std::vector<std::uint32_t>> found;
  for (const v1::MutationPlace& at : places) {
    const auto body = get(at.node(), at.segment());
    if (!body) return Problem(body.error());
    if (!*body) continue;
    for (const std::uint32_t position : at.positions()) {
      if (position < static_cast<std::uint32_t>((*body)->leaves_size()) &&
          !(*body)->leaves(static_cast<int>(position)).mutation().empty())
        found[{at.node(), at.segment()}].push_back(position);
    }
  }
  return forget(found);
}

std::expected<std::uint64_t, std::string> SegmentStore::erase_name(const NameTag& tag,
                                                                   std::uint64_t until_ms) {
  const std::lock_guard lock(change_);
  std::string until;
  append_be64(until, until_ms);
  rocksdb::WriteOptions durable;
  durable.sync = true;
  const auto status = columns_.db->Put(durable, columns_.mutations, erased_key(tag), until);
  if (!status.ok()) return problem("an erasure is not kept", status);
  {
    const std::lock_guard guard(erased_mutex_);
    std::erase_if(erased_, [&](const Erased& erased) { return erased.tag == tag; });
    erased_.push_back({tag, until_ms});
  }
  const auto found = hits(tag);
  if (!found) return Problem(found.error());
  // The index knows five octets of the tag: the bodies decide.
  std::map<Place, std::vector<std::uint32_t>> places;
  for (const auto& [place, positions] : *found) {
    const auto body = get(place.node, place.number);
    if (!body) return Problem(body.error());
    if (!*body) continue;
    v1::SegmentHeader header;
    if (!header.ParseFromString((*body)->segment().header()) || header.last_ms() > until_ms) continue;
    const auto mutations = read_mutations(**body, header);
    if (!mutations) return Problem("mutation segments: " + mutations.error());
    const Tags tags = tags_of(*mutations);
    for (const std::uint32_t position : positions) {
      if (position < tags.size() && tags[position] == tag) places[place].push_back(position);
    }
  }
  return forget(places);
}

std::expected<std::uint64_t, std::string> SegmentStore::forget(
    const std::map<Place, std::vector<std::uint32_t>>& places) {
  rocksdb::WriteOptions durable;
  durable.sync = true;
  std::uint64_t forgotten = 0;
  for (const auto& [place, positions] : places) {
    auto body = get(place.node, place.number);
    if (!body) return Problem(body.error());
    v1::SegmentHeader header;
    if (!*body || !header.ParseFromString((*body)->segment().header())) continue;
    const auto mutations = read_mutations(**body, header);
    if (!mutations) return Problem("mutation segments: " + mutations.error());
    const Tags tags = tags_of(*mutations);
    rocksdb::WriteBatch batch;
    for (const std::uint32_t position : std::set(positions.begin(), positions.end())) {
      if (tags[position] == NameTag{}) continue;
      const std::string key =
          bucket_key(hour_of(header.last_ms()), tags[position][0]) + segment_key(place.node, place.number);
      std::string entries;
      const auto status = columns_.db->Get({}, columns_.mutations, key, &entries);
      if (status.IsNotFound()) continue;
      if (!status.ok()) return problem("not read", status);
      std::string left;
      each_entry(entries, [&](std::string_view entry, std::uint32_t at) {
        if (std::ranges::find(positions, at) == positions.end()) left += entry;
      });
      if (left.empty()) {
        batch.Delete(columns_.mutations, key);
      } else {
        batch.Put(columns_.mutations, key, left);
      }
    }
    forget_mutations(**body, positions);
    forgotten += positions.size();
    batch.Put(columns_.segments, segment_key(place.node, place.number), pack_segment(**body));
    if (const auto status = columns_.db->Write(durable, &batch); !status.ok())
      return problem("not erased", status);
  }
  if (auto scrubbed = scrub(places); !scrubbed) return Problem(std::move(scrubbed.error()));
  return forgotten;
}

// What was overwritten is in the files still: they are written anew where it was.
std::expected<void, std::string> SegmentStore::scrub(
    const std::map<Place, std::vector<std::uint32_t>>& places) {
  if (places.empty()) return {};
  auto status = columns_.db->Flush({}, {columns_.segments, columns_.mutations});
  if (!status.ok()) return problem("not erased from its files", status);
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  options.blob_garbage_collection_policy = rocksdb::BlobGarbageCollectionPolicy::kForce;
  options.blob_garbage_collection_age_cutoff = 1.0;
  options.exclusive_manual_compaction = false;
  std::map<NodeId, std::pair<std::uint64_t, std::uint64_t>> spans;
  for (const auto& [place, positions] : places) {
    auto [at, fresh] = spans.try_emplace(place.node, place.number, place.number);
    at->second.second = place.number;
  }
  for (const auto& [node, span] : spans) {
    const std::string first = segment_key(node, span.first);
    const std::string last = segment_key(node, span.second);
    const rocksdb::Slice begin(first);
    const rocksdb::Slice end(last);
    status = columns_.db->CompactRange(options, columns_.segments, &begin, &end);
    if (!status.ok()) return problem("not erased from its files", status);
  }
  const std::string names(1, kName);
  const std::string behind(1, static_cast<char>(kName + 1));
  const rocksdb::Slice begin(names);
  const rocksdb::Slice end(behind);
  status = columns_.db->CompactRange(options, columns_.mutations, &begin, &end);
  if (!status.ok()) return problem("not erased from its files", status);
  return {};
}

std::expected<bool, std::string> SegmentStore::carried_out(const Hash& erasure) const {
  std::string value;
  const auto status = columns_.db->Get({}, columns_.mutations, carried_out_key(erasure), &value);
  if (status.IsNotFound()) return false;
  if (!status.ok()) return problem("not read", status);
  return true;
}

std::expected<void, std::string> SegmentStore::set_carried_out(const Hash& erasure) {
  rocksdb::WriteOptions durable;
  durable.sync = true;
  const auto status = columns_.db->Put(durable, columns_.mutations, carried_out_key(erasure), "");
  if (!status.ok()) return problem("an erasure is not kept", status);
  return {};
}

void SegmentStore::read_erased() {
  const std::unique_ptr<rocksdb::Iterator> at(columns_.db->NewIterator({}, columns_.mutations));
  for (at->Seek(std::string(1, kErased)); at->Valid() && at->key().starts_with(std::string(1, kErased));
       at->Next()) {
    const auto tag = array_from<sizeof(NameTag)>(at->key().ToStringView().substr(1));
    OctetReader reader(as_octets(at->value().ToStringView()));
    if (tag) erased_.push_back({*tag, reader.be64()});
  }
}

}  // namespace swarmdns::controlplane
