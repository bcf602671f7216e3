// What stands between the program's parts and the simulation, or instead of them: each looks on, and plants a
// bug when it is told to.
//
//   SimChainStore   the ledger's store, as the chain sees it
//   SimConsumer     the core, as the engine sees it
//   SimLog          the engine, as the core sees it
//   SimInstaller    fetches a peer's ledger, without the messages that it takes
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/ledger/store.h"
#include "controlplane/member/core.h"
#include "tests/sim/planted_bugs.h"
#include "tests/sim/sim_reactor.h"

namespace swarmdns::sim {

using controlplane::LogDone;
using controlplane::LogFault;
using controlplane::LogMember;
using controlplane::LogRole;
using controlplane::NodeId;

class CoreWorld;

class SimChainStore final : public controlplane::ChainStore {
 public:
  SimChainStore(SimWorld& world, controlplane::LedgerStore& store, Bug bug)
      : world_(world), store_(store), bug_(bug) {}
  // Called when a sync has ended well.
  std::function<void()> synced;

  std::uint64_t applied_index() const override {
    return bug_ == Bug::kAppliedIndexLost && !written_ ? 0 : store_.applied_index();
  }
  std::optional<controlplane::BlockHeader> tip() const override { return store_.tip(); }
  std::expected<void, std::string> write(const controlplane::BlockWrite& block) override;
  std::expected<void, std::string> sync() override;
  std::expected<bool, std::string> mend() override { return store_.mend(); }
  // Without the names of files, which RocksDB's threads have a part in.
  std::string damage() const override { return store_.damage().empty() ? "" : "an octet was altered"; }
  void note_damage(const std::string& what) override { store_.note_damage(what); }
  std::expected<std::optional<v1::BlockRecord>, std::string> block(std::uint64_t height) const override {
    return store_.block(height);
  }
  std::expected<std::optional<v1::Leaf>, std::string> leaf(std::uint64_t index) const override {
    return store_.leaf(index);
  }
  std::expected<void, std::string> put_checkpoint(std::uint64_t height, const std::string& note) override {
    return store_.put_checkpoint(height, note);
  }
  std::expected<std::optional<std::string>, std::string> checkpoint(std::uint64_t height) const override {
    return store_.checkpoint(height);
  }
  std::expected<std::optional<std::string>, std::string> get(std::string_view key) const override;
  std::expected<void, std::string> scan(
      std::string_view prefix,
      const std::function<bool(std::string_view key, std::string_view value)>& visit) const override;
  std::expected<void, std::string> scan_bucket(std::uint16_t bucket, const Row& row) const override {
    return store_.scan_bucket(bucket, row);
  }
  std::expected<controlplane::Tile, std::string> tile(controlplane::TileId id) const override {
    return store_.tile(id);
  }

 private:
  SimWorld& world_;
  controlplane::LedgerStore& store_;
  const Bug bug_;
  bool written_ = false;
};

class SimConsumer final : public controlplane::LogConsumer {
 public:
  SimConsumer(CoreWorld& world, NodeId node, controlplane::MemberCore& core, Bug bug)
      : world_(world), node_(node), core_(core), bug_(bug) {}

  std::expected<void, std::string> apply(std::uint64_t index, std::span<const std::byte> entry) override;
  std::expected<std::string, std::string> manifest() override { return core_.manifest(); }
  void manifest_kept(bool kept) override { core_.manifest_kept(kept); }
  void install(NodeId from, std::string manifest,
               std::function<void(std::expected<void, std::string>)> done) override {
    core_.install(from, std::move(manifest), std::move(done));
  }
  void cancel_install() override { core_.cancel_install(); }
  std::expected<void, std::string> restore(std::string_view manifest) override;
  void leadership(bool leader, std::uint64_t term) override;
  void members(std::uint64_t index, const std::vector<LogMember>& members) override;

 private:
  CoreWorld& world_;
  const NodeId node_;
  controlplane::MemberCore& core_;
  const Bug bug_;
  std::uint64_t applied_ = 0;
  std::optional<std::string> held_;  // kEntriesSwapped: the entry that waits for the one behind it
};

class SimLog final : public controlplane::ReplicatedLog {
 public:
  SimLog(CoreWorld& world, NodeId node, controlplane::ReplicatedLog& log, Bug bug)
      : world_(world), node_(node), log_(log), bug_(bug) {}

  void propose(std::string entry, LogDone<std::uint64_t> done) override {
    log_.propose(std::move(entry), std::move(done));
  }
  void read(LogDone<std::uint64_t> done) override;
  void add(NodeId id, std::string address, LogDone<void> done) override {
    log_.add(id, std::move(address), std::move(done));
  }
  void assign(NodeId id, LogRole role, LogDone<void> done) override;
  void remove(NodeId id, LogDone<void> done) override;
  void transfer(NodeId id, LogDone<void> done) override { log_.transfer(id, std::move(done)); }
  controlplane::LogStatus status() const override { return log_.status(); }
  bool is_leader() const override { return log_.is_leader(); }
  void receive(NodeId from, v1::PeerMessage message) override { log_.receive(from, std::move(message)); }
  void stop(std::function<void()> done) override { log_.stop(std::move(done)); }

 private:
  void look(const std::vector<LogMember>& after);

  CoreWorld& world_;
  const NodeId node_;
  controlplane::ReplicatedLog& log_;
  const Bug bug_;
};

class SimInstaller final : public controlplane::StateInstaller {
 public:
  SimInstaller(CoreWorld& world, NodeId node, Bug bug) : world_(world), node_(node), bug_(bug) {}

  void install(NodeId from, const v1::Manifest& manifest, Done done) override;
  void cancel() override { ++ticket_; }

 private:
  std::expected<void, std::string> fetch(NodeId from, const v1::Manifest& manifest);

  CoreWorld& world_;
  const NodeId node_;
  const Bug bug_;
  std::uint64_t ticket_ = 0;
};

}  // namespace swarmdns::sim
