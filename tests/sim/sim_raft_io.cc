#include "tests/sim/sim_raft_io.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "controlplane/consensus/raft_members.h"

namespace swarmdns::sim {

namespace {

constexpr unsigned short kCapacityKib = 24 * 1024;
constexpr std::uint64_t kFullRetryUs = 50'000;
constexpr std::uint64_t kLateUs = 200'000;

std::string encode(const struct raft_configuration& configuration) {
  struct raft_buffer buffer {};
  raft_configuration_encode(&configuration, &buffer);
  std::string octets(static_cast<const char*>(buffer.base), buffer.len);
  raft_free(buffer.base);
  return octets;
}

void* copy_of(const std::string& data) {
  void* copy = raft_malloc(std::max<std::size_t>(data.size(), 1));
  std::memcpy(copy, data.data(), data.size());
  return copy;
}

}  // namespace

void SimDisk::bootstrap(const std::vector<controlplane::LogMember>& members) {
  auto configuration = controlplane::to_configuration(members);
  term = 1;
  entries = {{.term = 1, .type = RAFT_CHANGE, .data = encode(*configuration)}};
  raft_configuration_close(&*configuration);
}

// One opening of the log.
class SimLogStore::Io {
 public:
  Io(SimWorld& world, SimDisk& disk);

  struct raft_io* io() {
    return &io_;
  }
  void resume() { begin_write(); }

 private:
  // A write in the order of its making.
  struct Write {
    std::function<void()> effect;    // on the disk
    std::function<void(int)> ended;  // to C-raft; may be empty
  };

  static Io& of(struct raft_io* io) { return *static_cast<Io*>(io->impl); }
  int load(raft_term* term, raft_id* voted_for, struct raft_snapshot** snapshot, raft_index* start_index,
           struct raft_entry** entries, size_t* n_entries);
  int append(struct raft_io_append* request, const struct raft_entry* entries, unsigned n,
             raft_io_append_cb done);
  int put(unsigned trailing, struct raft_io_snapshot_put* request, const struct raft_snapshot* snapshot,
          raft_io_snapshot_put_cb done);
  void end_snapshot();
  void tick();
  void add(Write write);
  void begin_write();
  void close(raft_io_close_cb done);

  // Unless the log is closed by then.
  void later(std::uint64_t delay_us, std::function<void()> task);

  SimWorld& world_;
  SimDisk& disk_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  struct raft_io io_ {};
  raft_io_tick_cb tick_ = nullptr;
  std::uint64_t tick_ms_ = 0;
  std::deque<Write> writes_;
  std::uint64_t made_ = 0;  // writes, from the beginning
  bool writing_ = false;
  std::optional<Write> snapshot_write_;  // beside the others
  std::uint64_t snapshot_after_ = 0;     // writes before it
  std::uint64_t next_index_ = 1;         // of the entries as C-raft sees them
  bool closing_ = false;
  std::deque<std::function<void()>> late_;  // writes that were reported and are not done yet
};

SimLogStore::Io::Io(SimWorld& world, SimDisk& disk) : world_(world), disk_(disk) {
  io_.version = 2;
  io_.impl = this;
  io_.capacity = kCapacityKib;
  io_.init = [](struct raft_io*, raft_id, const char*) { return 0; };
  io_.close = [](struct raft_io* io, raft_io_close_cb done) { of(io).close(done); };
  io_.load = [](struct raft_io* io, raft_term* term, raft_id* voted_for, struct raft_snapshot** snapshot,
                raft_index* start_index, struct raft_entry** entries, size_t* n_entries) {
    return of(io).load(term, voted_for, snapshot, start_index, entries, n_entries);
  };
  io_.start = [](struct raft_io* io, unsigned msecs, raft_io_tick_cb on_tick, raft_io_recv_cb) {
    of(io).tick_ = on_tick;
    of(io).tick_ms_ = msecs;
    of(io).tick();
    return 0;
  };
  io_.set_term = [](struct raft_io* io, raft_term term) {
    Io& self = of(io);
    if (self.disk_.failing) return static_cast<int>(RAFT_IOERR);
    self.disk_.term = term;
    self.disk_.vote = 0;
    return 0;
  };
  io_.set_vote = [](struct raft_io* io, raft_id server) {
    Io& self = of(io);
    if (self.disk_.failing) return static_cast<int>(RAFT_IOERR);
    self.disk_.vote = server;
    return 0;
  };
  io_.append = [](struct raft_io* io, struct raft_io_append* request, const struct raft_entry entries[],
                  unsigned n, raft_io_append_cb done) { return of(io).append(request, entries, n, done); };
  io_.truncate = [](struct raft_io* io, raft_index index) {
    Io& self = of(io);
    if (index >= self.next_index_) return 0;
    self.next_index_ = index;
    self.add({[&disk = self.disk_, index] {
                if (index < disk.first + disk.entries.size())
                  disk.entries.resize(index > disk.first ? index - disk.first : 0);
              },
              {}});
    return 0;
  };
  io_.snapshot_put = [](struct raft_io* io, unsigned trailing, struct raft_io_snapshot_put* request,
                        const struct raft_snapshot* snapshot, raft_io_snapshot_put_cb done) {
    return of(io).put(trailing, request, snapshot, done);
  };
  io_.time = [](struct raft_io* io) { return static_cast<raft_time>(of(io).world_.now_ms()); };
}

int SimLogStore::Io::load(raft_term* term, raft_id* voted_for, struct raft_snapshot** snapshot,
                          raft_index* start_index, struct raft_entry** entries, size_t* n_entries) {
  if (disk_.snapshot && disk_.first + disk_.entries.size() <= disk_.snapshot->index) {
    disk_.entries.clear();
    disk_.first = disk_.snapshot->index + 1;
  }
  *term = disk_.term;
  *voted_for = disk_.vote;
  *start_index = disk_.first;
  *entries = nullptr;
  *n_entries = disk_.entries.size();
  *snapshot = nullptr;
  if (!disk_.entries.empty()) {
    *entries = static_cast<struct raft_entry*>(raft_calloc(disk_.entries.size(), sizeof(struct raft_entry)));
    for (std::size_t i = 0; i < disk_.entries.size(); ++i) {
      const SimDisk::Entry& entry = disk_.entries[i];
      void* data = copy_of(entry.data);
      (*entries)[i] = {.term = entry.term,
                       .type = static_cast<enum raft_entry_type>(entry.type),
                       .buf = {.base = data, .len = entry.data.size()},
                       .batch = data};
    }
  }
  next_index_ = disk_.first + disk_.entries.size();
  if (!disk_.snapshot) return 0;
  auto* loaded = static_cast<struct raft_snapshot*>(raft_calloc(1, sizeof(struct raft_snapshot)));
  loaded->index = disk_.snapshot->index;
  loaded->term = disk_.snapshot->term;
  loaded->configuration_index = disk_.snapshot->members_index;
  const struct raft_buffer members = {.base = disk_.snapshot->members.data(),
                                      .len = disk_.snapshot->members.size()};
  raft_configuration_decode(&members, &loaded->configuration);
  loaded->bufs = static_cast<struct raft_buffer*>(raft_malloc(sizeof(struct raft_buffer)));
  loaded->n_bufs = 1;
  loaded->bufs[0] = {.base = copy_of(disk_.snapshot->data), .len = disk_.snapshot->data.size()};
  *snapshot = loaded;
  return 0;
}

int SimLogStore::Io::append(struct raft_io_append* request, const struct raft_entry* entries, unsigned n,
                            raft_io_append_cb done) {
  const std::uint64_t index = next_index_;
  next_index_ += n;
  std::vector<SimDisk::Entry> copies;
  for (unsigned i = 0; i < n; ++i)
    copies.push_back(
        {.term = entries[i].term,
         .type = static_cast<int>(entries[i].type),
         .data = std::string(static_cast<const char*>(entries[i].buf.base), entries[i].buf.len)});
  add({[&disk = disk_, index, copies = std::move(copies)] {
         if (disk.entries.empty()) disk.first = index;
         disk.entries.resize(index - disk.first);
         disk.entries.insert(disk.entries.end(), copies.begin(), copies.end());
       },
       [request, done](int status) { done(request, status); }});
  return 0;
}

int SimLogStore::Io::put(unsigned trailing, struct raft_io_snapshot_put* request,
                         const struct raft_snapshot* snapshot, raft_io_snapshot_put_cb done) {
  SimDisk::Snapshot copy{.index = snapshot->index,
                         .term = snapshot->term,
                         .members_index = snapshot->configuration_index,
                         .members = encode(snapshot->configuration)};
  for (unsigned i = 0; i < snapshot->n_bufs; ++i)
    copy.data.append(static_cast<const char*>(snapshot->bufs[i].base), snapshot->bufs[i].len);
  const auto ended = [request, done](int status) { done(request, status); };
  if (trailing == 0) {
    // A leader's: instead of all entries, after every write before it.
    next_index_ = copy.index + 1;
    add({[&disk = disk_, copy = std::move(copy)] {
           disk.entries.clear();
           disk.first = copy.index + 1;
           disk.snapshot = copy;
         },
         ended});
    return 0;
  }
  snapshot_write_ = Write{
      [&disk = disk_, trailing, copy = std::move(copy)] {
        disk.snapshot = copy;
        const std::uint64_t keep = copy.index > trailing ? copy.index - trailing + 1 : 1;
        const std::uint64_t drop =
            keep > disk.first ? std::min<std::uint64_t>(keep - disk.first, disk.entries.size()) : 0;
        disk.entries.erase(disk.entries.begin(), disk.entries.begin() + static_cast<std::ptrdiff_t>(drop));
        disk.first += drop;
      },
      ended};
  snapshot_after_ = made_;
  later(world_.between(100, disk_.max_snapshot_delay_us), [this] { end_snapshot(); });
  return 0;
}

void SimLogStore::Io::end_snapshot() {
  if (!snapshot_write_) return;
  // As raft_uv: not before the writes that were made before it; without room again after a while.
  if (disk_.full || made_ - writes_.size() < snapshot_after_) {
    later(kFullRetryUs, [this] { end_snapshot(); });
    return;
  }
  const Write write = std::move(*snapshot_write_);
  snapshot_write_.reset();
  const bool fails = disk_.failing;
  if (!fails) write.effect();
  write.ended(fails ? static_cast<int>(RAFT_IOERR) : 0);
}

void SimLogStore::Io::tick() {
  later(tick_ms_ * 1000 + world_.between(0, 500), [this] {
    io_.capacity = disk_.full ? 0 : kCapacityKib;
    tick();
    tick_(&io_);
  });
}

void SimLogStore::Io::add(Write write) {
  writes_.push_back(std::move(write));
  ++made_;
  begin_write();
}

void SimLogStore::Io::begin_write() {
  if (writing_ || writes_.empty() || disk_.full) return;
  writing_ = true;
  later(world_.between(disk_.min_delay_us, disk_.max_delay_us), [this] {
    writing_ = false;
    const Write write = std::move(writes_.front());
    writes_.pop_front();
    const bool fails = disk_.failing;
    if (disk_.acks_early) {
      late_.push_back(write.effect);
      later(kLateUs, [this] {
        late_.front()();
        late_.pop_front();
      });
    } else if (!fails) {
      write.effect();
    }
    begin_write();
    if (write.ended) write.ended(fails ? static_cast<int>(RAFT_IOERR) : 0);
  });
}

void SimLogStore::Io::later(std::uint64_t delay_us, std::function<void()> task) {
  world_.in(delay_us, [this, alive = std::weak_ptr(alive_), task = std::move(task)] {
    if (alive.lock() && !closing_) task();
  });
}

void SimLogStore::Io::close(raft_io_close_cb done) {
  closing_ = true;
  // Of what was not ended some beginning may have reached the disk all the same.
  const std::uint64_t ended = made_ - writes_.size();
  std::uint64_t reach =
      writes_.empty() || disk_.full || disk_.failing ? 0 : world_.between(0, writes_.size());
  const bool snapshot_may_end = ended + reach >= snapshot_after_ && !disk_.full && !disk_.failing;
  for (const Write& write : std::exchange(writes_, {})) {
    if (reach > 0) {
      write.effect();
      --reach;
    }
    if (write.ended) write.ended(RAFT_CANCELED);
  }
  if (snapshot_write_) {
    const Write write = std::move(*snapshot_write_);
    snapshot_write_.reset();
    if (snapshot_may_end && world_.chance(500)) write.effect();
    write.ended(RAFT_CANCELED);
  }
  done(&io_);
}

SimLogStore::SimLogStore(SimWorld& world, SimDisk& disk) : world_(world), disk_(disk) {}

SimLogStore::~SimLogStore() = default;

std::expected<struct raft_io*, std::string> SimLogStore::open(std::function<void(std::string)>) {
  if (disk_.failing) return std::unexpected("the simulated disk fails");
  io_ = std::make_unique<Io>(world_, disk_);
  return io_->io();
}

void SimLogStore::closed() {
  io_.reset();
}

void SimLogStore::resume() {
  if (io_) io_->resume();
}

}  // namespace swarmdns::sim
