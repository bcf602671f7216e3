// Takes a snapshot: parts are read one after the other, cut into chunks, and what the epoch's packs do not
// hold yet is compressed, encrypted, packed and sent to all targets at once. Knows nothing of what the parts
// are.
//
// write() blocks; parts and the progress callback are called by its thread, which reads, cuts and identifies.
// Further threads: `encoders` that compress, encrypt and pack, and one for each target (upload.h).
// Memory: for each encoder two packs and 16 chunks, for each target `queue_packs` packs, and 56 octets a
// known chunk (known_chunks.h).
//
// A run that ended early, however it ended, leaves packs without a manifest: the next run finds them and
// sends nothing twice; prune removes them otherwise.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "controlplane/backup/error.h"
#include "controlplane/backup/manifest.h"
#include "controlplane/backup/open_epoch.h"
#include "controlplane/backup/upload.h"
#include "controlplane/certs/keys.h"
#include "controlplane/targets/target.h"

namespace swarmdns::controlplane {

// One stream of octets.
struct PartSource {
  std::string name;  // valid_part_name(); once in a snapshot
  std::string kind;  // "cache", "configuration", …; a valid part name
  std::string day;   // "2026-11-22": encrypted under that day's key, and gone with it; "": not erasable
  // Fills some of `into`: how much, 0 at the end. An error (a sentence) ends the snapshot.
  std::function<std::expected<std::size_t, std::string>(std::span<std::byte> into)> read;
};

// What the manifest says of where it comes from.
struct SnapshotFacts {
  std::array<std::byte, 16> swarm{};
  std::uint32_t incarnation = 1;
  std::uint64_t node = 0;
  std::int64_t created_ms = 0;  // Unix time
  LedgerFacts ledger;
  std::string previous;  // hash of this node's manifest before, 32 octets; "": none
};

struct SnapshotProgress {
  std::uint64_t octets_in = 0;      // read of the parts
  std::uint64_t octets_reused = 0;  // of them, in chunks that are stored already
  std::uint64_t octets_stored = 0;  // put into new packs
  std::uint64_t octets_sent = 0;    // to the target that has got the most
  double rate = 0;                  // octets in a second since the beginning
  bool reading = true;              // false: all is read, the targets are being waited for
};

struct WriterOptions {
  int level = 1;                            // zstd's
  unsigned encoders = 1;                    // 1 to 64
  std::size_t pack_bytes = 24u << 20;       // a pack is closed beyond this; 64 KiB to 32 MiB
  std::size_t queue_packs = 3;              // waiting for each target
  std::size_t most_known = 4u << 20;        // chunks of earlier snapshots that are kept in mind
  std::int64_t listing_patience_ms = 5000;  // for targets slower than the first to say what they have
  std::vector<std::string> bases;           // names of earlier manifests of this node in this epoch, the
                                            // newest first: saves reading the directories of their packs
  std::set<Digest> avoid;                   // packs that prune may remove: not reused
  std::function<bool(const SnapshotProgress&)> progress;  // about 5 times a second; false: stop
};

struct SnapshotResult {
  WrittenManifest manifest;
  SnapshotProgress total;
  std::uint64_t chunks_new = 0;
  std::vector<TargetOutcome> targets;  // in the order given
  std::vector<std::string> notes;      // what was found damaged and therefore sent again
};

class SnapshotWriter {
 public:
  // All of them outlive the writer. `recipients`: those of the epoch (OpenEpoch::add_recipients).
  SnapshotWriter(OpenEpoch& epoch, std::span<const Recipient> recipients, const LedgerKey& node,
                 std::span<Target* const> targets, WriterOptions options = {});

  // Success says that the manifest was made; whether and where it is durable, `targets` says. Errors: a part
  // that cannot be read, a setting that is wrong, no target that can be written, kStopped.
  BackupResult<SnapshotResult> write(const SnapshotFacts& facts, std::span<PartSource> parts);

 private:
  OpenEpoch& epoch_;
  std::span<const Recipient> recipients_;
  const LedgerKey& node_;
  std::span<Target* const> targets_;
  WriterOptions options_;
};

}  // namespace swarmdns::controlplane
