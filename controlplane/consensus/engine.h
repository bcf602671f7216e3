// ReplicatedLog over C-raft. Everything of C-raft's is called here and nowhere else; what it cannot stand is
// kept from it (docs/adr/0008 lists the traps and where each guard is). Split by subject:
//   engine.cc            open, close and open again; what changed since the last look; status
//   engine_requests.cc   proposals, back-pressure, disk space
//   engine_apply.cc      committed entries to the consumer; a consumer that fails
//   engine_members.cc    add, assign, remove, transfer
//   engine_snapshot.cc   manifests of its own, and those of a leader
//   engine_messages.cc   messages in and out
//
// The order of destruction: stop(), wait for `done`, then the Engine, then store, consumer, link, reactor.
// Reactor thread, all of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/consensus/entry_frame.h"
#include "controlplane/consensus/io_guard.h"
#include "controlplane/consensus/log_store.h"
#include "controlplane/consensus/message_codec.h"
#include "controlplane/consensus/raft_headers.h"
#include "controlplane/consensus/read_index.h"
#include "controlplane/consensus/replicated_log.h"
#include "controlplane/core/peer_link.h"
#include "controlplane/core/reactor.h"

namespace swarmdns::controlplane {

enum class LogProfile : std::uint8_t {
  kLan,  // election after 300..600 ms of silence, heartbeat every 30 ms
  kWan,  // 1000..2000 ms, 100 ms
};

struct EngineOptions {
  NodeId id = 0;
  std::string address;  // of this node; in C-raft only a label
  LogProfile profile = LogProfile::kLan;

  std::size_t max_entry_bytes = std::size_t{4} << 20;  // must fit a segment of the store twice
  std::size_t max_in_flight_entries = 1024;
  std::size_t max_in_flight_bytes = std::size_t{64} << 20;

  // A snapshot after this much log since the last one, whichever comes first.
  std::uint64_t snapshot_bytes = std::uint64_t{64} << 20;
  std::uint64_t snapshot_entries = 1 << 18;
  // What of the log stays behind a snapshot, for members that are a little behind.
  std::uint64_t trailing_bytes = std::uint64_t{8} << 20;
  unsigned trailing_entries = 8192;

  std::uint64_t retry_ms = 3000;  // of a consumer that failed, of a log that could not be opened
  std::uint64_t read_timeout_ms = 5000;
  std::size_t max_backlog_bytes = std::size_t{64} << 20;  // of entries that a failing consumer has not taken
};

// What a store has ready for entries; with less than half a segment its disk is as good as full.
constexpr bool is_spacious(unsigned capacity_kib) {
  return capacity_kib >= 4096;
}

class Engine final : public ReplicatedLog, private ReadIndexView {
 public:
  Engine(Reactor& reactor, PeerLink& link, LogStore& store, LogConsumer& consumer, EngineOptions options);
  // After `done` of stop(), or without start().
  ~Engine() override;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Opens the log. What goes wrong is in status().trouble and tried again.
  void start();

  void propose(std::string entry, LogDone<std::uint64_t> done) override;
  void read(LogDone<std::uint64_t> done) override;
  void add(NodeId id, std::string address, LogDone<void> done) override;
  void assign(NodeId id, LogRole role, LogDone<void> done) override;
  void remove(NodeId id, LogDone<void> done) override;
  void transfer(NodeId id, LogDone<void> done) override;
  LogStatus status() const override;
  bool is_leader() const override;
  void receive(NodeId from, v1::PeerMessage message) override;
  void stop(std::function<void()> done) override;

  // Messages of members that were refused: malformed, or such as no member in order sends.
  std::uint64_t refused_messages() const { return refused_messages_; }
  // Why the last one was.
  const std::string& last_refusal() const { return last_refusal_; }

 private:
  enum class Phase : std::uint8_t { kIdle, kOpen, kClosing, kClosed, kStopped };

  struct Proposal {
    struct raft_apply request {};
    std::uint64_t term = 0;
    std::size_t bytes = 0;
    LogDone<std::uint64_t> done;  // empty: the engine's own
  };
  struct Change {
    struct raft_change request {};
    NodeId id = 0;
    std::optional<LogRole> role;  // none: it is to be no member
    std::uint64_t term = 0;
    LogDone<void> done;
  };
  struct Transfer {
    struct raft_transfer request {};
    LogDone<void> done;
  };
  struct Unapplied {
    std::uint64_t index = 0;
    std::string data;
  };

  // --- engine.cc ---
  void open();
  int configure(struct raft_io* io);
  void close();
  void on_closed();
  void retry_open();
  void after_step();
  void schedule_look();
  void look();
  void look_at_leadership();
  void look_at_members();
  void look_at_commit();
  void watch();
  std::string trouble() const;
  bool open_and_well() const { return phase_ == Phase::kOpen && !guard_.failed(); }

  // --- engine_requests.cc ---
  std::optional<LogFault> cannot_propose(std::size_t bytes);
  std::optional<LogFault> append_entry(EntryKind kind, std::string_view data, LogDone<std::uint64_t> done);
  bool has_space();
  void note_capacity(NodeId node, unsigned capacity_kib);
  void fail_proposals(LogFault fault);
  void free_ended_proposals();

  // --- engine_apply.cc ---
  int on_apply(const struct raft_buffer& buffer);
  std::expected<void, std::string> apply_one(std::uint64_t index, std::span<const std::byte> frame);
  void put_aside(std::uint64_t index, std::span<const std::byte> frame);
  void drain_backlog();
  std::uint64_t applied_index() const;

  // --- engine_members.cc ---
  std::optional<LogFault> cannot_change() const;
  void begin_change(NodeId id, std::optional<LogRole> role, LogDone<void> done,
                    const std::function<int(struct raft_change*)>& submit);
  void hand_over_first(LogDone<void> done);
  void look_at_change();
  void look_at_transfer();
  const struct raft_server* server(const struct raft_configuration& configuration, NodeId id) const;

  // --- engine_snapshot.cc ---
  void consider_snapshot();
  bool somebody_installs();
  int on_snapshot(struct raft_buffer** buffers, unsigned* count);
  int on_snapshot_finalize(struct raft_buffer** buffers, unsigned* count);
  int on_restore(struct raft_buffer* buffer);
  bool hold_install(DecodedMessage& message);
  void begin_install();
  void install_ended(std::uint64_t ticket, std::expected<void, std::string> result);
  void deliver_install();
  void drop_install();

  // --- engine_messages.cc ---
  void on_send(const struct raft_message& message);
  bool loses_its_vote(NodeId id) const;
  bool keep_below(struct raft_append_entries& entries, std::uint64_t limit) const;
  void skip_compacted(struct raft_message& message) const;
  void deliver_request_for_vote(struct raft_message message);
  void receive_raft(NodeId from, const v1::RaftMessage& message);
  std::string conflict_of(const struct raft_message& message) const;
  void refuse(NodeId from, std::string why);

  // --- ReadIndexView ---
  NodeId read_self() const override { return options_.id; }
  std::uint64_t read_term() const override;
  bool read_may_lead() const override;
  NodeId read_leader() const override;
  std::uint64_t read_commit_index() const override;
  std::uint64_t read_applied_index() const override { return applied_index(); }
  std::vector<NodeId> read_voters() const override;
  void read_send(NodeId to, v1::PeerMessage message) override;

  // Later, unless the engine is gone by then.
  void post(std::function<void()> task);
  template <typename T>
  void answer(LogDone<T> done, std::expected<T, LogFault> result) {
    if (done) reactor_.post([done = std::move(done), result] { done(result); });
  }

  Reactor& reactor_;
  PeerLink& link_;
  LogStore& store_;
  LogConsumer& consumer_;
  const EngineOptions options_;
  const MessageLimits limits_;
  IoGuard guard_;
  ReadIndex reads_;

  Phase phase_ = Phase::kIdle;
  struct raft raft_ {};
  struct raft_fsm fsm_ {};
  bool started_ = false;  // raft_start() has succeeded
  bool look_posted_ = false;
  std::function<void()> stopped_;
  std::string open_trouble_;
  std::string stuck_trouble_;
  Timer retry_timer_;
  Timer watch_timer_;
  Timer fail_timer_;
  std::uint64_t applied_at_close_ = 0;
  // What was posted or lent out looks here whether the engine is still there.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

  // Leadership.
  std::uint64_t candidate_term_ = 0;  // newest term in which this node stood for election
  bool drop_sends_ = false;
  std::uint64_t leader_term_ = 0;  // term whose leader this node is; 0 = is not
  std::uint64_t term_start_ = 0;   // number of the first entry of it; 0 = not proposed yet
  bool told_leader_ = false;       // consumer_.leadership(true)
  std::uint64_t told_term_ = 0;
  std::uint64_t told_members_ = 0;  // number of the members the consumer was told last

  // Requests.
  std::map<std::uint64_t, Proposal> proposals_;                   // by number
  std::list<std::map<std::uint64_t, Proposal>> ended_proposals_;  // C-raft may still refer to them
  std::size_t in_flight_entries_ = 0;
  std::size_t in_flight_bytes_ = 0;
  std::optional<Change> change_;
  std::optional<Transfer> transfer_;

  // Apply.
  std::deque<Unapplied> backlog_;
  std::size_t backlog_bytes_ = 0;
  std::string apply_trouble_;
  Timer drain_timer_;

  // Snapshots.
  bool taking_ = false;
  std::string restore_trouble_;
  std::uint64_t snapshot_not_before_ms_ = 0;
  std::string framed_manifest_;
  struct raft_buffer manifest_buffer_ {};
  std::optional<DecodedMessage> install_;  // held back from C-raft
  enum class Install : std::uint8_t { kNone, kWaiting, kRunning, kReady } install_phase_ = Install::kNone;
  std::uint64_t install_ticket_ = 0;
  std::uint64_t install_not_before_ms_ = 0;
  std::string install_trouble_;
  std::uint64_t install_wanted_ = 0;  // number of the snapshot that it is about

  // Peers.
  struct Peer {
    std::optional<std::uint64_t> heard_ms;
    std::optional<std::uint64_t> low_since_ms;  // little disk space, since
    std::uint64_t installing = 0;               // number of the snapshot it was sent and is at; 0 = none
    std::uint64_t has = 0;                      // it has said in term has_term that its log ends here
    std::uint64_t has_term = 0;
    std::uint64_t told_commit = 0;  // it was told by look_at_commit() that so much is committed
  };
  std::map<NodeId, Peer> peers_;
  bool refusing_old_term_ = false;  // entries of a leader that leads no more are with C-raft
  std::uint64_t refused_messages_ = 0;
  std::string last_refusal_;
  std::string conflict_trouble_;
};

}  // namespace swarmdns::controlplane
