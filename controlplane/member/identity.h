// Who this node is in its swarm, kept in STATE_DIR/swarm. Blocking file I/O: not from the reactor thread.
//
//   identity.json   NodeIdentity; without it the node is in no swarm
//   config.json     the swarm's configuration in force here (app/config_layers.h)
//   segments/       RocksDB of the mutation segments, of all incarnations
// and in the place that identity.json names, beside it or in a folder of its own after a recovery
// (recovery.h):
//   ledger.key, tls.key   certs/keys.h
//   peers.json      KeptPeers: whom to ask when the ledger is lost
//   log/            the engine's log
//   ledger/         the ledger's RocksDB
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "controlplane/certs/keys.h"
#include "swarmdns/v1/identity.pb.h"

namespace swarmdns::controlplane {

struct Identity {
  v1::NodeIdentity record;
  NodeKeys keys;
};

class IdentityFiles {
 public:
  explicit IdentityFiles(const std::string& state_dir) : directory_(state_dir + "/swarm") {}

  const std::string& directory() const { return directory_; }
  // Of a place, as NodeIdentity has it.
  std::string place_directory(const std::string& place) const {
    return place.empty() ? directory_ : directory_ + "/" + place;
  }
  std::string log_directory(const std::string& place = "") const { return place_directory(place) + "/log"; }
  std::string ledger_directory(const std::string& place = "") const {
    return place_directory(place) + "/ledger";
  }

  // Whether there is one, usable or not.
  bool present() const;
  // Nothing: in no swarm. An error when something is there that cannot be used, with the mend.
  std::expected<std::optional<Identity>, std::string> load() const;
  // A directory only root can read, with nothing in it but a file system's own; an error when remains of a
  // membership are there.
  std::expected<void, std::string> prepare() const;
  // Whole or not at all: what is read at the next start.
  std::expected<void, std::string> keep(const v1::NodeIdentity& record) const;
  std::expected<void, std::string> keep(const Identity& identity) const;
  // A copy of it as identity-INCARNATION.json, before another takes its place; and what was kept so. Nothing:
  // none.
  std::expected<void, std::string> keep_aside(const v1::NodeIdentity& record) const;
  std::expected<std::optional<v1::NodeIdentity>, std::string> kept_aside(std::uint32_t incarnation) const;
  // The newest that was kept; without any, those that were members when this node joined. A file that cannot
  // be read is none.
  std::expected<void, std::string> keep_peers(const v1::NodeIdentity& record, v1::KeptPeers peers) const;
  v1::KeptPeers kept_peers(const v1::NodeIdentity& record) const;
  // Takes the identity away first, then the rest; what is in use elsewhere must be closed.
  std::expected<void, std::string> forget() const;

 private:
  std::string file() const { return directory_ + "/identity.json"; }
  std::string file(std::uint32_t incarnation) const {
    return directory_ + "/identity-" + std::to_string(incarnation) + ".json";
  }
  std::string peers_file(const v1::NodeIdentity& record) const {
    return place_directory(record.place()) + "/peers.json";
  }
  const std::string directory_;
};

}  // namespace swarmdns::controlplane
