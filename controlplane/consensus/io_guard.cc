#include "controlplane/consensus/io_guard.h"

#include <algorithm>
#include <array>
#include <climits>
#include <cstring>
#include <span>
#include <utility>

#include "controlplane/consensus/entry_frame.h"

namespace swarmdns::controlplane {

namespace {

constexpr std::uint64_t kSlowWriteMs = 100;

}  // namespace

IoGuard::IoGuard(Reactor& reactor, Hooks hooks) : reactor_(reactor), hooks_(std::move(hooks)) {}

IoGuard& IoGuard::of_inner(struct raft_io* inner) {
  return of(static_cast<struct raft*>(inner->data)->io);
}

struct raft_io* IoGuard::wrap(struct raft_io* inner, struct raft* raft) {
  inner_ = inner;
  raft_ = raft;
  // raft_uv looks at this for C-raft's queue of ended requests (always empty: the engine's requests have no
  // callbacks), and the tick gives nothing else to find the guard by.
  inner_->data = raft;
  failed_ = closing_ = false;
  why_.clear();
  snapshot_ = {};
  put_ = {};
  sizes_.reset(1);

  outer_ = {};
  outer_.version = 2;
  outer_.impl = this;
  outer_.init = [](struct raft_io* io, raft_id id, const char* address) {
    IoGuard& guard = of(io);
    const int status = guard.inner_->init(guard.inner_, id, address);
    if (status != 0) std::ranges::copy(guard.inner_->errmsg, io->errmsg);
    return status;
  };
  outer_.close = [](struct raft_io* io, raft_io_close_cb done) { of(io).close(done); };
  outer_.load = [](struct raft_io* io, raft_term* term, raft_id* voted_for, struct raft_snapshot** snapshot,
                   raft_index* start_index, struct raft_entry** entries, size_t* n_entries) {
    return of(io).load(term, voted_for, snapshot, start_index, entries, n_entries);
  };
  outer_.start = [](struct raft_io* io, unsigned msecs, raft_io_tick_cb tick, raft_io_recv_cb receive) {
    IoGuard& guard = of(io);
    guard.tick_ = tick;
    guard.receive_ = receive;
    const int status = guard.inner_->start(
        guard.inner_, msecs,
        [](struct raft_io* ticking) {
          IoGuard& self = of_inner(ticking);
          if (!self.closing_ && !self.failed_) self.tick_(&self.outer_);
        },
        [](struct raft_io*, struct raft_message*) {});
    if (status != 0) guard.fail(guard.inner_error("starting the log's input and output", status));
    return 0;
  };
  outer_.bootstrap = [](struct raft_io* io, const struct raft_configuration* configuration) {
    return of(io).inner_->bootstrap(of(io).inner_, configuration);
  };
  outer_.recover = [](struct raft_io* io, const struct raft_configuration* configuration) {
    return of(io).inner_->recover(of(io).inner_, configuration);
  };
  outer_.set_term = [](struct raft_io* io, raft_term term) {
    IoGuard& guard = of(io);
    if (guard.failed_) return 0;
    const int status = guard.inner_->set_term(guard.inner_, term);
    if (status != 0) guard.fail(guard.inner_error("writing the term", status));
    return 0;
  };
  outer_.set_vote = [](struct raft_io* io, raft_id server) {
    IoGuard& guard = of(io);
    if (guard.failed_) return 0;
    const int status = guard.inner_->set_vote(guard.inner_, server);
    if (status != 0) guard.fail(guard.inner_error("writing the vote", status));
    return 0;
  };
  // The callback at once: C-raft only frees its request in it.
  outer_.send = [](struct raft_io* io, struct raft_io_send* request, const struct raft_message* message,
                   raft_io_send_cb done) {
    IoGuard& guard = of(io);
    if (!guard.failed_ && !guard.closing_) guard.hooks_.send(*message);
    done(request, 0);
    return 0;
  };
  outer_.append = [](struct raft_io* io, struct raft_io_append* request, const struct raft_entry entries[],
                     unsigned n, raft_io_append_cb done) { return of(io).append(request, entries, n, done); };
  outer_.truncate = [](struct raft_io* io, raft_index index) {
    IoGuard& guard = of(io);
    guard.sizes_.truncate(index);
    if (guard.failed_) return 0;
    const int status = guard.inner_->truncate(guard.inner_, index);
    if (status != 0) guard.fail(guard.inner_error("cutting the log", status));
    return 0;
  };
  outer_.snapshot_put = [](struct raft_io* io, unsigned trailing, struct raft_io_snapshot_put* request,
                           const struct raft_snapshot* snapshot, raft_io_snapshot_put_cb done) {
    return of(io).snapshot_put(trailing, request, snapshot, done);
  };
  outer_.snapshot_get = [](struct raft_io* io, struct raft_io_snapshot_get* request,
                           raft_io_snapshot_get_cb done) { return of(io).snapshot_get(request, done); };
  // C-raft reads capacity right after it has asked for the time.
  outer_.time = [](struct raft_io* io) {
    IoGuard& guard = of(io);
    io->capacity = guard.inner_->capacity;
    return guard.inner_->time(guard.inner_);
  };
  outer_.random = [](struct raft_io* io, int min, int max) {
    std::array<std::byte, 4> octets{};
    of(io).reactor_.random(octets);
    std::uint32_t number = 0;
    std::memcpy(&number, octets.data(), sizeof number);
    return max > min ? min + static_cast<int>(number % static_cast<std::uint32_t>(max - min)) : min;
  };
  return &outer_;
}

void IoGuard::deliver(struct raft_message message) {
  receive_(&outer_, &message);
}

void IoGuard::fail(std::string why) {
  if (failed_ || closing_) return;
  failed_ = true;
  why_ = std::move(why);
  hooks_.failed(why_);
}

std::uint64_t IoGuard::oldest_write_ms() const {
  return appends_.empty() ? 0 : reactor_.now_ms() - appends_.front().started_ms;
}

int IoGuard::load(raft_term* term, raft_id* voted_for, struct raft_snapshot** snapshot,
                  raft_index* start_index, struct raft_entry** entries, size_t* n_entries) {
  const int status = inner_->load(inner_, term, voted_for, snapshot, start_index, entries, n_entries);
  if (status != 0) {
    std::ranges::copy(inner_->errmsg, outer_.errmsg);
    return status;
  }
  // From here on everything is C-raft's, also on an error: it takes nothing then. So it is freed here.
  const auto refuse = [&](const std::string& why) {
    outer_.errmsg[why.copy(outer_.errmsg, sizeof outer_.errmsg - 1)] = '\0';
    void* batch = nullptr;
    for (size_t i = 0; i < *n_entries; ++i)
      if ((*entries)[i].batch != batch) raft_free(batch = (*entries)[i].batch);
    raft_free(*entries);
    if (*snapshot != nullptr) {
      raft_configuration_close(&(*snapshot)->configuration);
      for (unsigned i = 0; i < (*snapshot)->n_bufs; ++i) raft_free((*snapshot)->bufs[i].base);
      raft_free((*snapshot)->bufs);
      raft_free(*snapshot);
    }
    *entries = nullptr;
    *n_entries = 0;
    *snapshot = nullptr;
    return static_cast<int>(RAFT_CORRUPT);
  };

  sizes_.reset(*start_index);
  for (size_t i = 0; i < *n_entries; ++i) {
    const struct raft_entry& entry = (*entries)[i];
    const std::uint64_t index = *start_index + i;
    const std::span data(static_cast<const std::byte*>(entry.buf.base), entry.buf.len);
    if (entry.type == RAFT_COMMAND && !unframe_entry(index, data))
      return refuse("the entry at place " + std::to_string(index) +
                    " is another one: a segment file before it is missing or was exchanged");
    sizes_.append(entry.buf.len);
  }
  if (*snapshot == nullptr) {
    if (*n_entries > 0 && (*start_index != 1 || (*entries)[0].type != RAFT_CHANGE))
      return refuse("the log begins with entry " + std::to_string(*start_index) +
                    " and there is no snapshot");
    return 0;
  }
  if (!keep(**snapshot, snapshot_)) return refuse("the members of the snapshot cannot be encoded");
  return 0;
}

int IoGuard::append(struct raft_io_append* request, const struct raft_entry* entries, unsigned n,
                    raft_io_append_cb done) {
  for (unsigned i = 0; i < n; ++i) sizes_.append(entries[i].buf.len);
  appends_.emplace_back();
  Append& append = appends_.back();
  append.guard = this;
  append.outer = request;
  append.done = done;
  append.started_ms = reactor_.now_ms();
  append.self = std::prev(appends_.end());
  append.inner.data = &append;
  int status = RAFT_CANCELED;
  if (!failed_) {
    status = inner_->append(inner_, &append.inner, entries, n, [](struct raft_io_append* inner, int result) {
      auto& ended = *static_cast<Append*>(inner->data);
      ended.guard->append_ended(ended, result);
    });
    if (status != 0) fail(inner_error("writing the log", status));
  }
  if (status != 0) {
    withheld_.push_back(append);
    appends_.pop_back();
  }
  return 0;
}

void IoGuard::append_ended(Append& append, int status) {
  if (!closing_ && reactor_.now_ms() - append.started_ms > kSlowWriteMs) ++slow_writes_;
  if (status != 0 && !closing_) fail(inner_error("writing the log", status));
  const Append ended = append;
  appends_.erase(append.self);
  if (failed_ && !closing_)
    withheld_.push_back(ended);  // also when this one was written: nothing is acknowledged any more
  else
    ended.done(ended.outer, closing_ && failed_ ? static_cast<int>(RAFT_CANCELED) : status);
}

int IoGuard::snapshot_put(unsigned trailing, struct raft_io_snapshot_put* request,
                          const struct raft_snapshot* snapshot, raft_io_snapshot_put_cb done) {
  put_ = {};
  put_.active = true;
  put_.outer = request;
  put_.done = done;
  put_.trailing = trailing;
  put_.inner.data = this;
  if (!failed_ && !keep(*snapshot, put_.snapshot)) fail("the members of the snapshot cannot be encoded");
  if (trailing == 0) sizes_.reset(snapshot->index + 1);
  if (failed_) {
    put_.withheld = true;
    return 0;
  }
  const int status = inner_->snapshot_put(inner_, trailing, &put_.inner, snapshot,
                                          [](struct raft_io_snapshot_put* inner, int result) {
                                            static_cast<IoGuard*>(inner->data)->put_ended(result);
                                          });
  if (status != 0) {
    fail(inner_error("writing a snapshot", status));
    put_.withheld = true;
  }
  return 0;
}

void IoGuard::put_ended(int status) {
  if (status != 0 && !closing_) fail(inner_error("writing a snapshot", status));
  if (failed_ && !closing_) {
    put_.withheld = true;
    return;
  }
  put_.active = false;
  put_kept_ = status == 0 && !failed_;
  if (put_kept_) {
    snapshot_ = std::move(put_.snapshot);
    if (put_.trailing > 0 && snapshot_.index > put_.trailing)
      sizes_.trim(snapshot_.index - put_.trailing + 1);
  }
  put_.done(put_.outer, put_kept_ ? 0 : static_cast<int>(RAFT_CANCELED));
}

int IoGuard::snapshot_get(struct raft_io_snapshot_get* request, raft_io_snapshot_get_cb done) {
  auto* snapshot = static_cast<struct raft_snapshot*>(raft_calloc(1, sizeof(struct raft_snapshot)));
  snapshot->index = snapshot_.index;
  snapshot->term = snapshot_.term;
  snapshot->configuration_index = snapshot_.members_index;
  const struct raft_buffer members = {.base = snapshot_.members.data(), .len = snapshot_.members.size()};
  raft_configuration_decode(&members, &snapshot->configuration);
  snapshot->bufs = static_cast<struct raft_buffer*>(raft_malloc(sizeof(struct raft_buffer)));
  snapshot->n_bufs = 1;
  snapshot->bufs[0] = {.base = raft_malloc(snapshot_.data.size()), .len = snapshot_.data.size()};
  snapshot_.data.copy(static_cast<char*>(snapshot->bufs[0].base), snapshot_.data.size());
  done(request, snapshot, 0);
  return 0;
}

void IoGuard::close(raft_io_close_cb done) {
  closing_ = true;
  closed_ = done;
  for (const Append& append : std::exchange(withheld_, {})) append.done(append.outer, RAFT_CANCELED);
  if (put_.active && put_.withheld) {
    put_.active = false;
    put_kept_ = false;
    put_.done(put_.outer, RAFT_CANCELED);
  }
  inner_->close(inner_, [](struct raft_io* inner) {
    IoGuard& guard = of_inner(inner);
    guard.closed_(&guard.outer_);
  });
}

bool IoGuard::keep(const struct raft_snapshot& snapshot, Snapshot& into) {
  struct raft_buffer members {};
  if (raft_configuration_encode(&snapshot.configuration, &members) != 0) return false;
  into = {.index = snapshot.index,
          .term = snapshot.term,
          .members_index = snapshot.configuration_index,
          .members = std::string(static_cast<const char*>(members.base), members.len)};
  raft_free(members.base);
  for (unsigned i = 0; i < snapshot.n_bufs; ++i)
    into.data.append(static_cast<const char*>(snapshot.bufs[i].base), snapshot.bufs[i].len);
  return true;
}

std::string IoGuard::inner_error(const char* what, int status) const {
  std::string text = std::string(what) + " failed: ";
  text += inner_->errmsg[0] != '\0' ? inner_->errmsg : raft_strerror(status);
  return text;
}

}  // namespace swarmdns::controlplane
