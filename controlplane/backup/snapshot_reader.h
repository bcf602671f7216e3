// Reads a snapshot back: lists its parts, restores one or all, verifies. Everything that comes from a target
// is checked before it is used, and what is wrong is refused and named. With several targets, what one does
// not have whole is taken from the next.
//
// Blocking; one thread at a time. One more thread fetches
// ahead. Memory: the manifest's header, and while restoring about 100 MiB.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "controlplane/backup/chunk.h"
#include "controlplane/backup/envelope.h"
#include "controlplane/backup/error.h"
#include "controlplane/backup/manifest.h"
#include "controlplane/backup/open_epoch.h"
#include "controlplane/targets/target.h"

namespace swarmdns::controlplane {

// What a manifest has to be. What is not set is not asked; then nobody vouches for who made it.
struct Expected {
  std::optional<std::array<std::byte, 16>> swarm;
  std::map<std::uint64_t, std::string> node_keys;  // ledger keys, 32 octets, by node; empty: any
  std::optional<Digest> manifest;                  // its hash, as the ledger has it
};

struct ReadProgress {
  std::uint64_t octets = 0;  // restored or verified so far
  std::uint64_t total = 0;
  double rate = 0;  // octets in a second
};

struct ReaderOptions {
  Expected expected;
  bool partial = false;  // go on behind what is damaged; what was lost is in Restored
  std::function<bool(const ReadProgress&)> progress;  // about 5 times a second; false: stop
};

// Takes the octets of a part, in order. With `partial` some may be missing: `offset` says where these belong.
using PartSink =
    std::function<std::expected<void, std::string>(std::uint64_t offset, std::span<const std::byte> octets)>;

struct Damage {
  BackupError error;
  std::string part;  // "": no part in particular
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;  // of the part that are lost
};
struct Restored {
  std::uint64_t octets = 0;
  std::vector<Damage> damage;  // with `partial`; else empty
};

enum class VerifyDepth : std::uint8_t {
  kPresent,  // manifest whole and signed, every pack there with its size
  kOctets,   // every pack read, its hash its name
  kData,     // every chunk opened and compared with its id; wants a key
};

class SnapshotReader {
 public:
  // Reads and verifies the header of `name` at the first target that has it whole. Targets outlive the
  // reader.
  static BackupResult<SnapshotReader> open(std::span<Target* const> targets, const std::string& name,
                                           ReaderOptions options = {});

  const ManifestHeader& header() const { return header_; }

  // One of these before parts can be listed or restored. kWrongKey names the recipients.
  BackupResult<void> unlock(const OperatorKey& key);
  BackupResult<void> unlock(const OpenEpoch& epoch);  // outlives the reader

  BackupResult<std::vector<SnapshotPart>> parts();
  // Errors: kMissing, there is no such part; kErased, its day key was destroyed.
  BackupResult<Restored> restore(const std::string& part, const PartSink& sink);
  // `sink_for` is called once a part, before its octets; no sink: the part is passed over.
  BackupResult<Restored> restore_all(const std::function<PartSink(const SnapshotPart&)>& sink_for);
  // Everything that is wrong, at each target of its own; empty: nothing. Parts that were erased are right. An
  // error only when it could not be done. Without a key kData is refused.
  BackupResult<std::vector<Damage>> verify(VerifyDepth depth);

 private:
  SnapshotReader(std::span<Target* const> targets, ManifestHeader header, ReaderOptions options)
      : targets_(targets.begin(), targets.end()), header_(std::move(header)), options_(std::move(options)) {}

  using Clock = std::chrono::steady_clock;
  // A chunk on its way to its part.
  struct Item {
    const SnapshotPart* part = nullptr;
    std::uint64_t offset = 0;  // in the part
    ChunkRef chunk;
    std::optional<BackupError> lost;  // a piece whose chunks cannot be known: `chunk` is none
    std::uint64_t lost_bytes = 0;
  };
  struct Window {
    std::vector<Item> items;
    std::vector<std::vector<std::byte>> buffers;
    std::vector<Bytes> sealed;  // of each item, in a buffer; empty where `errors` says why
    std::vector<BackupError> errors;
  };
  class Walk;

  BackupResult<std::vector<std::byte>> frame(std::size_t number);
  BackupResult<const std::vector<ChunkRef>*> chunks_of(std::size_t frame_number);
  BackupResult<const ChunkKeys*> keys_of(const SnapshotPart& part);
  BackupResult<Restored> restore_list(std::vector<const SnapshotPart*> list,
                                      const std::function<PartSink(const SnapshotPart&)>& sink_for);
  Window fetch(std::vector<Item> items);
  void fetch_run(Window& window, std::span<const std::size_t> run);
  BackupResult<void> open_item(const Item& item, Bytes sealed, const BackupError& fetched,
                               std::vector<std::byte>& plain);
  BackupError explain(Target& target, const ChunkRef& chunk, const std::string& what) const;
  void verify_manifest(Target& target, std::vector<Damage>& damage);
  void gather_uses(std::vector<std::vector<Item>>& uses, std::vector<Damage>& damage);
  BackupResult<void> verify_packs(Target& target, VerifyDepth depth, std::vector<std::vector<Item>>& uses,
                                  std::vector<Damage>& damage);
  std::optional<BackupError> pack_damage(const PackRef& pack, Bytes octets) const;
  void begin(std::uint64_t total);
  BackupResult<void> tick(std::uint64_t octets);
  std::string pack_name_of(std::uint32_t pack) const;

  std::vector<Target*> targets_;  // the one that answers first
  ManifestHeader header_;
  ReaderOptions options_;
  std::optional<RootKey> epoch_;
  std::function<BackupResult<RootKey>(const SnapshotReader&, const SnapshotPart&)> day_key_;
  std::map<Digest, BackupResult<ChunkKeys>> keys_;  // by commitment
  std::optional<std::vector<SnapshotPart>> parts_;
  std::size_t cached_number_ = 0;  // of the frame in `cached_`; 0: none
  std::vector<ChunkRef> cached_;
  std::unique_ptr<ChunkCodec> codec_ = std::make_unique<ChunkCodec>();
  ReadProgress done_;
  Clock::time_point begin_;
  Clock::time_point told_;
};

}  // namespace swarmdns::controlplane
