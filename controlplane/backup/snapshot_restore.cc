// Restoring: one thread fetches windows of chunks, the caller's opens them and hands them out.
#include <algorithm>
#include <future>

#include "controlplane/backup/fetch.h"
#include "controlplane/backup/snapshot_reader.h"
#include "controlplane/backup/snapshot_walk.h"

namespace swarmdns::controlplane {
namespace {

using Kind = BackupError::Kind;

constexpr std::uint64_t kWorthReading = 64 << 10;  // between two chunks, rather than another request

}  // namespace

void SnapshotReader::fetch_run(Window& window, std::span<const std::size_t> run) {
  const ChunkRef& first = window.items[run.front()].chunk;
  const ChunkRef& last = window.items[run.back()].chunk;
  const std::uint64_t bytes = last.offset + last.sealed_bytes - first.offset;
  std::optional<BackupError> worst;
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    auto octets = targets_[0]->get(pack_name_of(first.pack), first.offset, bytes);
    if (octets && octets->size() == bytes) {
      window.buffers.push_back(std::move(*octets));
      for (const std::size_t item : run) {
        const ChunkRef& chunk = window.items[item].chunk;
        window.sealed[item] =
            Bytes(window.buffers.back()).subspan(chunk.offset - first.offset, chunk.sealed_bytes);
      }
      return;
    }
    keep_worse(worst, octets ? BackupError{Kind::kCut, pack_name_of(first.pack) + " is cut"}
                             : backup_error_of(octets.error()));
    std::ranges::rotate(targets_, targets_.begin() + 1);
  }
  for (const std::size_t item : run) window.errors[item] = *worst;
}

SnapshotReader::Window SnapshotReader::fetch(std::vector<Item> items) {
  Window window;
  window.sealed.resize(items.size());
  window.errors.resize(items.size(), BackupError{Kind::kMissing, ""});
  window.items = std::move(items);
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < window.items.size(); ++i)
    if (!window.items[i].lost) order.push_back(i);
  const auto chunk = [&](std::size_t item) -> const ChunkRef& { return window.items[item].chunk; };
  std::ranges::sort(order, {},
                    [&](std::size_t item) { return std::pair(chunk(item).pack, chunk(item).offset); });
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin + 1;
    const auto joins = [&](const ChunkRef& before, const ChunkRef& next) {
      const std::uint64_t behind = std::uint64_t{before.offset} + before.sealed_bytes;
      return before.pack == next.pack && next.offset <= behind + kWorthReading &&
             (next.offset >= behind || next == before);  // the same chunk may be there twice
    };
    while (end < order.size() && joins(chunk(order[end - 1]), chunk(order[end]))) ++end;
    fetch_run(window, std::span(order).subspan(begin, end - begin));
    begin = end;
  }
  return window;
}

// At whichever target it is whole.
BackupResult<void> SnapshotReader::open_item(const Item& item, Bytes sealed, const BackupError& fetched,
                                             std::vector<std::byte>& plain) {
  const auto keys = keys_of(*item.part);
  if (!keys) return std::unexpected(keys.error());
  const ChunkRef& chunk = item.chunk;
  if (sealed.empty() && fetched.kind == Kind::kCut)
    return std::unexpected(explain(*targets_[0], chunk, "is cut"));
  if (sealed.empty()) return std::unexpected(fetched);  // no target could give it
  auto opened = codec_->open(**keys, chunk.id, chunk.plain_bytes, sealed, plain);
  if (opened) return opened;
  const BackupError worst = explain(*targets_[0], chunk, opened.error().what);
  for (std::size_t i = 1; i < targets_.size(); ++i) {
    const auto octets = targets_[i]->get(pack_name_of(chunk.pack), chunk.offset, chunk.sealed_bytes);
    if (octets && codec_->open(**keys, chunk.id, chunk.plain_bytes, *octets, plain)) return {};
  }
  return std::unexpected(worst);
}

BackupResult<Restored> SnapshotReader::restore_list(
    std::vector<const SnapshotPart*> list, const std::function<PartSink(const SnapshotPart&)>& sink_for) {
  Restored restored;
  begin(0);
  std::vector<const SnapshotPart*> wanted;
  std::map<const SnapshotPart*, PartSink> sinks;
  for (const SnapshotPart* part : list) {
    PartSink sink = sink_for(*part);
    if (!sink) continue;
    if (const auto keys = keys_of(*part); !keys) {
      if (!options_.partial) return std::unexpected(keys.error());
      restored.damage.push_back({keys.error(), part->name, 0, part->bytes});
      continue;
    }
    sinks.emplace(part, std::move(sink));
    wanted.push_back(part);
    done_.total += part->bytes;
  }
  Walk walk(*this, std::move(wanted));
  const auto fetch_next = [&] { return std::async(std::launch::async, [&] { return fetch(walk.next()); }); };
  std::vector<std::byte> plain;
  auto coming = fetch_next();
  while (true) {
    const Window window = coming.get();
    if (window.items.empty()) return restored;
    coming = fetch_next();
    for (std::size_t i = 0; i < window.items.size(); ++i) {
      const Item& item = window.items[i];
      BackupResult<void> opened;
      if (item.lost) {
        opened = std::unexpected(*item.lost);
      } else {
        // The targets are the other thread's until it has its window; a chunk that opens needs none.
        const auto keys = keys_.find(item.part->day.empty() ? header_.epoch : item.part->key);
        const ChunkRef& chunk = item.chunk;
        if (window.sealed[i].empty() ||
            !codec_->open(*keys->second, chunk.id, chunk.plain_bytes, window.sealed[i], plain)) {
          coming.wait();
          opened = open_item(item, window.sealed[i], window.errors[i], plain);
        }
      }
      const std::uint64_t bytes = item.lost ? item.lost_bytes : item.chunk.plain_bytes;
      if (!opened) {
        if (!options_.partial) return std::unexpected(opened.error());
        restored.damage.push_back({opened.error(), item.part->name, item.offset, bytes});
      } else {
        if (auto taken = sinks.at(item.part)(item.offset, plain); !taken)
          return backup_error(Kind::kInput,
                              "part " + item.part->name + " cannot be written: " + taken.error());
        restored.octets += bytes;
      }
      if (auto done = tick(bytes); !done) return std::unexpected(done.error());
    }
  }
}

BackupResult<Restored> SnapshotReader::restore(const std::string& name, const PartSink& sink) {
  if (const auto all = parts(); !all) return std::unexpected(all.error());
  const auto part = std::ranges::find(*parts_, name, &SnapshotPart::name);
  if (part == parts_->end()) return backup_error(Kind::kMissing, header_.name() + " has no part " + name);
  return restore_list({&*part}, [&](const SnapshotPart&) { return sink; });
}

BackupResult<Restored> SnapshotReader::restore_all(
    const std::function<PartSink(const SnapshotPart&)>& sink_for) {
  if (const auto all = parts(); !all) return std::unexpected(all.error());
  std::vector<const SnapshotPart*> list;
  for (const SnapshotPart& part : *parts_) list.push_back(&part);
  return restore_list(std::move(list), sink_for);
}

}  // namespace swarmdns::controlplane
