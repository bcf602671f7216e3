#include "controlplane/ledger/segment_store.h"

#include <map>

namespace swarmdns::controlplane {
namespace {

std::string segment_key(std::uint64_t node, std::uint64_t number) {
  return key64(node) + key64(number);
}

std::string mutation_key(const MutationPlace& place) {
  std::string key = segment_key(place.node, place.segment);
  append_be32(key, place.position);
  return key;
}

// By tag, then by time, so that a name's history is one range.
std::string name_key(const NameEntry& entry) {
  std::string key = as_string(entry.tag);
  append_be64(key, entry.time_ms);
  return key + mutation_key(entry.place);
}

std::string type_octets(std::uint16_t type) {
  return {static_cast<char>(type >> 8), static_cast<char>(type)};
}

std::optional<NameEntry> name_entry(std::string_view key, std::string_view value) {
  OctetReader reader(as_octets(key));
  NameEntry entry;
  entry.tag = reader.array<32>();
  entry.time_ms = reader.be64();
  entry.place.node = reader.be64();
  entry.place.segment = reader.be64();
  entry.place.position = reader.be32();
  if (!reader.complete() || value.size() != 2) return std::nullopt;
  entry.type = static_cast<std::uint16_t>(static_cast<unsigned char>(value[0]) << 8 |
                                          static_cast<unsigned char>(value[1]));
  return entry;
}

// Row of Family::kMutations: a MutationLeaf with its line of the index before it, so that both go together:
// length of the line's key (one octet, 0 = none) || key || MutationLeaf.
std::string mutation_row(const std::string& name, const v1::MutationLeaf& leaf) {
  return static_cast<char>(name.size()) + name + leaf.SerializeAsString();
}

struct MutationRow {
  std::string name;
  v1::MutationLeaf leaf;
};

std::optional<MutationRow> read_row(std::string_view octets) {
  MutationRow row;
  if (octets.empty()) return std::nullopt;
  const std::size_t length = static_cast<unsigned char>(octets[0]);
  if (octets.size() < 1 + length) return std::nullopt;
  row.name = octets.substr(1, length);
  const std::string_view leaf = octets.substr(1 + length);
  if (!row.leaf.ParseFromArray(leaf.data(), static_cast<int>(leaf.size()))) return std::nullopt;
  return row;
}

std::optional<SaltSeed> seed_of(const v1::SegmentBody& segment) {
  return array_from<32>(segment.salt_seed());
}

// Of a leaf with its salt, or erased. A salt of another length counts as none.
Hash commitment_of(const v1::MutationLeaf& leaf) {
  if (const auto kept = array_from<32>(leaf.commitment())) return *kept;
  return mutation_commitment(array_from<16>(leaf.salt()).value_or(Salt{}), as_octets(leaf.mutation()));
}

void add_salt(const v1::SegmentBody& segment, std::uint32_t position, v1::MutationLeaf& leaf) {
  const auto seed = seed_of(segment);
  if (seed && leaf.salt().empty() && leaf.commitment().empty())
    leaf.set_salt(as_string(mutation_salt(*seed, position)));
}

}  // namespace

std::string SegmentStore::broken(const std::string& what) const {
  return "the ledger's store " + db_.path() + " is damaged: " + what +
         "; the node can fetch the segment from a peer";
}

StoreResult SegmentStore::put(const v1::SegmentBody& segment, const std::vector<NameEntry>& names) {
  const auto header = parse_segment_header(as_octets(segment.segment().header()));
  if (!header) return std::unexpected(header.error());
  std::map<std::uint32_t, std::string> lines;
  rocksdb::WriteBatch batch;
  for (const NameEntry& entry : names) {
    const std::string key = name_key(entry);
    db_.put(batch, Family::kNames, key, type_octets(entry.type));
    lines[entry.place.position] = key;
  }
  v1::SegmentBody row = segment;
  row.clear_leaves();
  db_.put(batch, Family::kSegments, segment_key(header->node(), header->number()), row.SerializeAsString());
  std::uint32_t position = 0;
  for (const v1::MutationLeaf& leaf : segment.leaves()) {
    db_.put(batch, Family::kMutations, mutation_key({header->node(), header->number(), position}),
            mutation_row(lines[position], leaf));
    ++position;
  }
  return db_.write(batch);
}

std::expected<std::optional<v1::SegmentBody>, std::string> SegmentStore::head_row(
    std::uint64_t node, std::uint64_t number) const {
  const auto octets = db_.get(Family::kSegments, segment_key(node, number));
  if (!octets) return std::unexpected(octets.error());
  if (!*octets) return std::nullopt;
  v1::SegmentBody segment;
  if (!segment.ParseFromString(**octets)) {
    return std::unexpected(
        broken("segment " + std::to_string(number) + " of node " + std::to_string(node) + " cannot be read"));
  }
  return segment;
}

std::expected<std::optional<v1::SegmentBody>, std::string> SegmentStore::get(std::uint64_t node,
                                                                             std::uint64_t number) const {
  auto segment = head_row(node, number);
  if (!segment || !*segment) return segment;
  const std::string prefix = segment_key(node, number);
  bool whole = true;
  const auto scanned = db_.scan(Family::kMutations, prefix, end_of_prefix(prefix),
                                [&](std::string_view, std::string_view value) {
                                  auto row = read_row(value);
                                  whole = row.has_value();
                                  if (whole) *(*segment)->add_leaves() = std::move(row->leaf);
                                  return whole;
                                });
  if (!scanned) return std::unexpected(scanned.error());
  if (!whole) {
    return std::unexpected(broken("mutation " + std::to_string((*segment)->leaves_size()) + " of segment " +
                                  std::to_string(number) + " of node " + std::to_string(node) +
                                  " cannot be read"));
  }
  return segment;
}

std::expected<std::optional<std::uint64_t>, std::string> SegmentStore::newest(std::uint64_t node) const {
  const auto found = db_.last(Family::kSegments, key64(node), node == UINT64_MAX ? "" : key64(node + 1));
  if (!found) return std::unexpected(found.error());
  if (!*found) return std::nullopt;
  OctetReader reader(as_octets((*found)->first));
  reader.be64();
  return reader.be64();
}

std::expected<std::optional<v1::MutationLeaf>, std::string> SegmentStore::mutation(
    const MutationPlace& place) const {
  const auto segment = head_row(place.node, place.segment);
  if (!segment) return std::unexpected(segment.error());
  const auto octets = db_.get(Family::kMutations, mutation_key(place));
  if (!octets) return std::unexpected(octets.error());
  if (!*segment || !*octets) return std::nullopt;
  auto row = read_row(**octets);
  if (!row) {
    return std::unexpected(broken("mutation " + std::to_string(place.position) + " of segment " +
                                  std::to_string(place.segment) + " of node " + std::to_string(place.node) +
                                  " cannot be read"));
  }
  add_salt(**segment, place.position, row->leaf);
  return std::move(row->leaf);
}

std::vector<Hash> SegmentStore::commitments(const v1::SegmentBody& segment) {
  std::vector<Hash> all;
  std::uint32_t position = 0;
  for (v1::MutationLeaf leaf : segment.leaves()) {
    add_salt(segment, position++, leaf);
    all.push_back(commitment_of(leaf));
  }
  return all;
}

StoreResult SegmentStore::history(const NameTag& tag,
                                  const std::function<bool(const NameEntry&)>& visit) const {
  // Few lines for a name: read in their order, told from the end.
  std::vector<NameEntry> entries;
  bool whole = true;
  const std::string_view prefix = as_text(tag);
  const auto scanned = db_.scan(Family::kNames, prefix, end_of_prefix(prefix),
                                [&](std::string_view key, std::string_view value) {
                                  const auto entry = name_entry(key, value);
                                  whole = entry.has_value();
                                  if (whole) entries.push_back(*entry);
                                  return whole;
                                });
  if (!scanned) return scanned;
  if (!whole) return std::unexpected(broken("a line of the index of names cannot be read"));
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    if (!visit(*entry)) break;
  }
  return {};
}

std::expected<std::uint64_t, std::string> SegmentStore::erase(const std::vector<MutationPlace>& places) {
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::map<std::uint32_t, bool>> by_segment;
  for (const MutationPlace& place : places) by_segment[{place.node, place.segment}][place.position] = true;
  rocksdb::WriteBatch batch;
  std::uint64_t erased = 0;
  for (const auto& [id, positions] : by_segment) {
    const auto [node, number] = id;
    auto segment = head_row(node, number);
    if (!segment) return std::unexpected(segment.error());
    if (!*segment) continue;
    const std::string prefix = segment_key(node, number);
    bool whole = true;
    const auto scanned = db_.scan(
        Family::kMutations, prefix, end_of_prefix(prefix), [&](std::string_view key, std::string_view value) {
          OctetReader reader(as_octets(key.substr(prefix.size())));
          const std::uint32_t position = reader.be32();
          auto row = read_row(value);
          whole = row && reader.complete();
          if (!whole) return false;
          add_salt(**segment, position, row->leaf);
          if (positions.contains(position) && row->leaf.commitment().empty()) {
            ++erased;
            const Hash commitment = commitment_of(row->leaf);
            row->leaf.Clear();
            row->leaf.set_commitment(as_string(commitment));
            if (!row->name.empty()) db_.remove(batch, Family::kNames, row->name);
            row->name.clear();
          }
          db_.put(batch, Family::kMutations, key, mutation_row(row->name, row->leaf));
          return true;
        });
    if (!scanned) return std::unexpected(scanned.error());
    if (!whole)
      return std::unexpected(
          broken("segment " + std::to_string(number) + " of node " + std::to_string(node)));
    (*segment)->clear_salt_seed();
    db_.put(batch, Family::kSegments, prefix, (*segment)->SerializeAsString());
  }
  if (const auto written = db_.write(batch); !written) return std::unexpected(written.error());
  return erased;
}

std::expected<std::uint64_t, std::string> SegmentStore::erase_name(const NameTag& tag) {
  std::vector<MutationPlace> places;
  const auto found = history(tag, [&](const NameEntry& entry) {
    places.push_back(entry.place);
    return true;
  });
  if (!found) return std::unexpected(found.error());
  return erase(places);
}

std::expected<std::uint64_t, std::string> SegmentStore::expired_below(std::uint64_t node) const {
  const auto octets = db_.get(Family::kMeta, "expired" + key64(node));
  if (!octets) return std::unexpected(octets.error());
  if (!*octets) return 0;
  OctetReader reader(as_octets(**octets));
  const std::uint64_t number = reader.be64();
  if (!reader.complete()) return std::unexpected(broken("the lowest segment with bodies has not 8 octets"));
  return number;
}

std::expected<std::uint64_t, std::string> SegmentStore::expire(std::uint64_t node, std::uint64_t time_ms,
                                                               std::uint64_t most) {
  const auto from = expired_below(node);
  if (!from) return from;
  std::uint64_t expired = 0;
  std::uint64_t next = *from;
  std::string problem;
  rocksdb::WriteBatch batch;
  const auto scanned =
      db_.scan(Family::kSegments, segment_key(node, *from), node == UINT64_MAX ? "" : key64(node + 1),
               [&](std::string_view key, std::string_view value) {
                 v1::SegmentBody segment;
                 if (!segment.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
                   problem = broken("a segment of node " + std::to_string(node) + " cannot be read");
                   return false;
                 }
                 const auto header = parse_segment_header(as_octets(segment.segment().header()));
                 if (!header) problem = broken(header.error());
                 if (!header || header->last_ms() >= time_ms || expired == most) return false;
                 const auto names = db_.scan(Family::kMutations, key, end_of_prefix(key),
                                             [&](std::string_view, std::string_view octets) {
                                               const auto row = read_row(octets);
                                               if (row && !row->name.empty())
                                                 db_.remove(batch, Family::kNames, row->name);
                                               return true;
                                             });
                 if (!names) {
                   problem = names.error();
                   return false;
                 }
                 db_.remove_range(batch, Family::kMutations, key, end_of_prefix(key));
                 segment.clear_salt_seed();
                 db_.put(batch, Family::kSegments, key, segment.SerializeAsString());
                 next = header->number() + 1;
                 ++expired;
                 return true;
               });
  if (!scanned) return std::unexpected(scanned.error());
  if (!problem.empty()) return std::unexpected(problem);
  if (expired == 0) return 0;
  db_.put(batch, Family::kMeta, "expired" + key64(node), key64(next));
  if (const auto written = db_.write(batch); !written) return std::unexpected(written.error());
  return expired;
}

}  // namespace swarmdns::controlplane
