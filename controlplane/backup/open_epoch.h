// The epoch that a node writes its snapshots in, as long as it is open: its key and the keys of its days, in
// files of a directory that only the node reads.
//   epoch.key            swarmdns epoch key v1 / created <Unix ms> / recipients <ids in hex, with blanks> /
//   key <64 hex> day-2026-11-22.key   swarmdns day key v1 / epoch <16 hex> / key <64 hex>
// Lines as shown, each ended by 0x0a. Destroyed means: overwritten with random octets, synced, unlinked. That
// is the end of it on a disk that writes in place; flash and file systems that copy on write may keep old
// blocks until they need them, which encrypting that disk answers. Blocking file I/O; one thread at a time.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "controlplane/backup/recipient.h"
#include "controlplane/backup/root_key.h"

namespace swarmdns::controlplane {

class OpenEpoch {
 public:
  // What is in the directory; nothing: no epoch is open. Days of another epoch (a crash between two files)
  // are destroyed.
  static std::expected<std::optional<OpenEpoch>, std::string> load(const std::string& directory);
  // Makes a key and keeps it. An error when one is open: close it first.
  static std::expected<OpenEpoch, std::string> begin(const std::string& directory, std::int64_t now_ms,
                                                     std::span<const Recipient> recipients);

  const RootKey& key() const { return key_; }
  std::int64_t created_ms() const { return created_ms_; }
  // Whom it was begun for or has been opened to since.
  const std::vector<RecipientId>& recipients() const { return recipients_; }
  const std::map<std::string, RootKey>& days() const { return days_; }

  // Why it has to be closed before the next snapshot; "" when it need not. Somebody who is no recipient any
  // more, or age.
  std::string must_close(std::span<const Recipient> recipients, std::int64_t now_ms,
                         std::int64_t most_ms) const;
  // More recipients than before, kept before anything is sealed to them.
  std::expected<void, std::string> add_recipients(std::span<const Recipient> recipients);

  // The key of that day, made and kept at its first use.
  std::expected<const RootKey*, std::string> day(const std::string& day);
  // Gone for good; a later day() makes another.
  std::expected<void, std::string> destroy_day(const std::string& day);
  std::expected<void, std::string> destroy_days_before(const std::string& day);
  // Destroys the days' keys, then its own.
  std::expected<void, std::string> close();

 private:
  OpenEpoch(std::string directory, RootKey key, std::int64_t created_ms, std::vector<RecipientId> recipients)
      : directory_(std::move(directory)),
        key_(std::move(key)),
        created_ms_(created_ms),
        recipients_(std::move(recipients)) {}

  std::expected<void, std::string> load_days();
  std::expected<void, std::string> keep() const;
  std::string day_path(const std::string& day) const { return directory_ + "/day-" + day + ".key"; }

  std::string directory_;
  RootKey key_;
  std::int64_t created_ms_;
  std::vector<RecipientId> recipients_;
  std::map<std::string, RootKey> days_;
};

// Overwrites, syncs, unlinks. A file that is not there is success; a link is refused.
std::expected<void, std::string> shred_file(const std::string& path);

}  // namespace swarmdns::controlplane
