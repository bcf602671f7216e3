// The struct raft_io that C-raft is given: the store's, with guards around it.
//
//   - C-raft 0.22.1 frees twice, forgets or goes on when an io call returns an error. Here none ever does: at
//     the first error the guard latches, and from then on nothing leaves this node (no message, no
//     acknowledged write) until the engine has closed the log and opened it anew.
//   - The newest snapshot is kept in memory and snapshot_get answered from there: C-raft reads uninitialised
//     memory when it fails, and mixes numbers and terms of two snapshots when a newer one has come.
//   - Messages go to the engine, not to the store's transport. Capacity and clock are the store's.
//   - It knows how long writes take and how many bytes the log has.
//
// Reactor thread.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <vector>

#include "controlplane/consensus/log_sizes.h"
#include "controlplane/consensus/raft_headers.h"
#include "controlplane/core/reactor.h"

namespace swarmdns::controlplane {

class IoGuard {
 public:
  struct Hooks {
    std::function<void(const struct raft_message&)> send;
    std::function<void(const std::string& why)> failed;  // once; from within C-raft
  };

  IoGuard(Reactor& reactor, Hooks hooks);
  IoGuard(const IoGuard&) = delete;
  IoGuard& operator=(const IoGuard&) = delete;

  // What raft_init() is to be given, around `inner`. `raft` is the struct raft that it will be given with.
  struct raft_io* wrap(struct raft_io* inner, struct raft* raft);

  // To C-raft, as if its io had received it. Takes the message's memory. Only between start and close.
  void deliver(struct raft_message message);

  // Latches; see above.
  void fail(std::string why);
  bool failed() const { return failed_; }
  const std::string& why() const { return why_; }

  // --- What it has seen ---
  LogSizes& sizes() { return sizes_; }
  std::uint64_t snapshot_index() const { return snapshot_.index; }
  // The newest put was kept; of the moment of its callback.
  bool put_kept() const { return put_kept_; }
  std::uint64_t slow_writes() const { return slow_writes_; }
  // Of the oldest write that has not ended.
  std::uint64_t oldest_write_ms() const;
  unsigned short capacity_kib() const { return inner_ != nullptr ? inner_->capacity : 0; }

 private:
  // A write of entries on its way to the store.
  struct Append {
    struct raft_io_append inner {};
    IoGuard* guard = nullptr;
    struct raft_io_append* outer = nullptr;
    raft_io_append_cb done = nullptr;
    std::uint64_t started_ms = 0;
    std::list<Append>::iterator self;
  };
  struct Snapshot {
    std::uint64_t index = 0;
    std::uint64_t term = 0;
    std::uint64_t members_index = 0;
    std::string members;  // as C-raft encodes them
    std::string data;
  };

  static IoGuard& of(struct raft_io* outer) { return *static_cast<IoGuard*>(outer->impl); }
  static IoGuard& of_inner(struct raft_io* inner);

  int load(raft_term* term, raft_id* voted_for, struct raft_snapshot** snapshot, raft_index* start_index,
           struct raft_entry** entries, size_t* n_entries);
  int append(struct raft_io_append* request, const struct raft_entry* entries, unsigned n,
             raft_io_append_cb done);
  void append_ended(Append& append, int status);
  int snapshot_put(unsigned trailing, struct raft_io_snapshot_put* request,
                   const struct raft_snapshot* snapshot, raft_io_snapshot_put_cb done);
  void put_ended(int status);
  int snapshot_get(struct raft_io_snapshot_get* request, raft_io_snapshot_get_cb done);
  void close(raft_io_close_cb done);
  static bool keep(const struct raft_snapshot& snapshot, Snapshot& into);
  std::string inner_error(const char* what, int status) const;

  Reactor& reactor_;
  Hooks hooks_;
  struct raft_io outer_ {};
  struct raft_io* inner_ = nullptr;
  struct raft* raft_ = nullptr;
  raft_io_tick_cb tick_ = nullptr;
  raft_io_recv_cb receive_ = nullptr;
  raft_io_close_cb closed_ = nullptr;
  bool closing_ = false;
  bool failed_ = false;
  std::string why_;

  std::list<Append> appends_;     // with the store
  std::vector<Append> withheld_;  // refused or failed: answered when the log is closed
  LogSizes sizes_;
  std::uint64_t slow_writes_ = 0;

  Snapshot snapshot_;  // newest that is on the disk
  struct {
    bool active = false;
    bool withheld = false;
    struct raft_io_snapshot_put inner {};
    struct raft_io_snapshot_put* outer = nullptr;
    raft_io_snapshot_put_cb done = nullptr;
    Snapshot snapshot;
    unsigned trailing = 0;
  } put_;
  bool put_kept_ = false;
};

}  // namespace swarmdns::controlplane
