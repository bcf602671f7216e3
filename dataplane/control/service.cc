#include "dataplane/control/service.h"

#include <malloc.h>
#include <unistd.h>

#include <optional>

#include "dataplane/control/dump.h"
#include "dataplane/control/journal_stream.h"
#include "dataplane/control/load.h"
#include "dataplane/control/stall_guard.h"
#include "dataplane/control/stats_export.h"

namespace swarmdns::control {
namespace {

constexpr int kMaxJournals = 4;
constexpr int kMaxTransfers = 2;
constexpr std::chrono::seconds kPatience(30);  // with a client that has stopped in the middle of a stream

// A place among the calls that last long; none left: false.
class Place {
 public:
  Place(std::atomic<int>& taken, int most) : taken_(taken), good_(taken.fetch_add(1) < most) {}
  ~Place() { taken_.fetch_sub(1); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  explicit operator bool() const { return good_; }

 private:
  std::atomic<int>& taken_;
  bool good_;
};

// At the end of a call that took much memory, what is free goes back to the system. Each call may run on
// another thread with a heap of its own, and all of them would keep what their largest one took.
struct Trim {
  Trim() = default;
  ~Trim() { (void)::malloc_trim(0); }
  Trim(const Trim&) = delete;
  Trim& operator=(const Trim&) = delete;
};

grpc::Status too_many(const char* what) {
  return {grpc::StatusCode::RESOURCE_EXHAUSTED,
          std::string("too many ") + what + " are under way; let one end first"};
}

v1::LifePhase to_message(Phase phase) {
  switch (phase) {
    case Phase::Starting:
      return v1::LIFE_STARTING;
    case Phase::Warming:
      return v1::LIFE_WARMING;
    case Phase::Ready:
      return v1::LIFE_READY;
    case Phase::ReadyCold:
      return v1::LIFE_READY_COLD;
    case Phase::Stopping:
      return v1::LIFE_STOPPING;
  }
  return v1::LIFE_PHASE_UNSPECIFIED;
}

void describe(const Readiness::Status& status, v1::Readiness& out) {
  out.set_phase(to_message(status.phase));
  out.set_since_wall_ms(status.since_wall_ms);
  out.set_warming_left_ms(status.warming_left_ms);
}

void describe(const restart::Snapshot::Status& status, v1::SnapshotStatus& out) {
  out.set_every_s(status.every_s);
  out.set_written_wall_ms(status.written_wall_ms);
  out.set_written_entries(status.written_entries);
  out.set_written_bytes(status.written_bytes);
  out.set_written_took_ms(status.written_took_ms);
  out.set_loading(status.loading);
  out.set_loaded_wall_ms(status.loaded_wall_ms);
  out.set_load_took_ms(status.load_took_ms);
  out.set_loaded(status.loaded.entries);
  out.set_expired(status.loaded.expired);
  out.set_left_out(status.loaded.left_out);
  out.set_refused(status.loaded.refused);
  out.set_held(status.held);
  for (const std::string& trouble : status.troubles) out.add_troubles(trouble);
}

template <class List>
void copy(const std::vector<std::string>& from, List* to) {
  for (const std::string& text : from) to->Add(std::string(text));
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += ',';
    text += word;
  }
  return text;
}

}  // namespace

Service::Service(Parts parts) : parts_(parts) {}

std::uint64_t Service::uptime_ms() const {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - started_)
          .count());
}

grpc::Status Service::Configure(grpc::ServerContext*, const v1::ConfigureRequest* request,
                                v1::ConfigureResponse* response) {
  const auto outcome = parts_.configurator.configure(request->config(), request->check_only());
  if (!outcome) {
    if (!request->check_only()) parts_.log.warning("configuration refused", {{"why", outcome.error()}});
    return {grpc::StatusCode::INVALID_ARGUMENT, outcome.error()};
  }
  copy(outcome->applied, response->mutable_applied());
  copy(outcome->restart_required, response->mutable_restart_required());
  if (!request->check_only() && !(outcome->applied.empty() && outcome->restart_required.empty())) {
    parts_.log.info("configuration changed", {{"applied", joined(outcome->applied)},
                                              {"restart_required", joined(outcome->restart_required)}});
  }
  return grpc::Status::OK;
}

grpc::Status Service::GetConfig(grpc::ServerContext*, const v1::GetConfigRequest*,
                                v1::GetConfigResponse* response) {
  *response->mutable_config() = parts_.configurator.in_force();
  copy(parts_.configurator.restart_required(), response->mutable_restart_required());
  return grpc::Status::OK;
}

grpc::Status Service::GetStatus(grpc::ServerContext*, const v1::GetStatusRequest*,
                                v1::DataplaneStatus* status) {
  status->set_pid(static_cast<std::uint64_t>(getpid()));
  status->set_version(SWARMDNS_VERSION);
  status->set_node_name(parts_.configurator.in_force().node_name());
  status->set_uptime_ms(uptime_ms());
  parts_.machine.describe_ports(*status->mutable_ports());
  parts_.machine.describe_workers(*status->mutable_workers());
  parts_.machine.describe_upstreams(*status->mutable_upstreams());
  parts_.cache.describe(*status->mutable_cache());
  copy(parts_.configurator.restart_required(), status->mutable_restart_required());
  status->set_ready(parts_.machine.ready());
  describe(parts_.readiness.status(), *status->mutable_readiness());
  if (parts_.snapshot != nullptr) describe(parts_.snapshot->status(), *status->mutable_snapshot());
  return grpc::Status::OK;
}

grpc::Status Service::GetStats(grpc::ServerContext*, const v1::GetStatsRequest*,
                               v1::StatsSnapshot* snapshot) {
  snapshot->set_uptime_ms(uptime_ms());
  google::protobuf::RepeatedPtrField<v1::WorkerStatus> workers;
  parts_.machine.describe_workers(workers);
  std::vector<std::uint32_t> lcores;
  for (const v1::WorkerStatus& worker : workers) lcores.push_back(worker.lcore());
  export_stats(parts_.stats, lcores, *snapshot);
  parts_.machine.describe_ports(*snapshot->mutable_ports());
  return grpc::Status::OK;
}

grpc::Status Service::Insert(grpc::ServerContext*, const v1::InsertRequest* request,
                             v1::InsertResponse* response) {
  return parts_.cache.insert(*request, *response);
}

grpc::Status Service::Flush(grpc::ServerContext*, const v1::FlushRequest* request,
                            v1::FlushResponse* response) {
  return parts_.cache.flush(*request, *response);
}

grpc::Status Service::Fence(grpc::ServerContext*, const v1::FenceRequest* request,
                            v1::FenceResponse* response) {
  const grpc::Status status = parts_.cache.fence(*request, *response);
  if (status.ok()) {
    parts_.log.info("origins fenced off", {{"ranges", static_cast<std::uint64_t>(request->dead_size())},
                                           {"removed", response->removed()},
                                           {"looked_at", response->looked_at()},
                                           {"epoch", response->epoch()}});
  }
  return status;
}

grpc::Status Service::Lookup(grpc::ServerContext*, const v1::LookupRequest* request,
                             v1::LookupResponse* response) {
  return parts_.cache.lookup(*request, *response);
}

grpc::Status Service::Dump(grpc::ServerContext* context, const v1::DumpRequest*,
                           grpc::ServerWriter<v1::CacheSlice>* writer) {
  const Place place(transfers_, kMaxTransfers);
  if (!place) return too_many("dumps and loads");
  const Trim trim;
  const std::string node = parts_.configurator.in_force().node_name();
  StallGuard guard(kPatience, [context] { context->TryCancel(); });
  return dump_cache(parts_.cache, node, [&](const v1::CacheSlice& slice) {
    guard.moved();
    return !stopping_.load(std::memory_order_relaxed) && !context->IsCancelled() && writer->Write(slice);
  });
}

grpc::Status Service::Load(grpc::ServerContext* context, grpc::ServerReader<v1::CacheSlice>* reader,
                           v1::LoadResponse* response) {
  const Place place(transfers_, kMaxTransfers);
  if (!place) return too_many("dumps and loads");
  const Trim trim;
  const v1::DataplaneConfig config = parts_.configurator.in_force();
  // Only while slices come: taking them in afterwards is our own time.
  std::optional<StallGuard> guard(std::in_place, kPatience, [context] { context->TryCancel(); });
  const auto next = [&](v1::CacheSlice& slice) {
    if (guard) guard->moved();
    if (reader->Read(&slice)) return true;
    guard.reset();
    return false;
  };
  const grpc::Status status = load_cache(parts_.cache, config, next, *response);
  if (status.ok()) {
    parts_.log.info(
        "cache loaded",
        {{"loaded", response->loaded()}, {"expired", response->expired()}, {"refused", response->refused()}});
  } else {
    parts_.log.warning("cache dump refused", {{"why", status.error_message()}});
  }
  return status;
}

grpc::Status Service::Journal(grpc::ServerContext* context, const v1::JournalRequest* request,
                              grpc::ServerWriter<v1::JournalBatch>* writer) {
  const Place place(journals_, kMaxJournals);
  if (!place) return too_many("journal streams");
  StallGuard guard(kPatience, [context] { context->TryCancel(); });
  const auto over = [&] {
    guard.moved();
    return stopping_.load(std::memory_order_relaxed) || context->IsCancelled();
  };
  return stream_journal(
      parts_.cache, *request, [&](const v1::JournalBatch& batch) { return writer->Write(batch); }, over);
}

grpc::Status Service::Restore(grpc::ServerContext*, const v1::RestoreRequest* request,
                              v1::RestoreResponse* response) {
  if (parts_.snapshot == nullptr) return grpc::Status::OK;
  const auto restored =
      parts_.snapshot->restore({request->private_zones().begin(), request->private_zones().end()});
  if (!restored) return {grpc::StatusCode::UNAVAILABLE, restored.error()};
  response->set_loaded(restored->entries);
  response->set_expired(restored->expired);
  response->set_left_out(restored->left_out);
  response->set_refused(restored->refused);
  return grpc::Status::OK;
}

grpc::Status Service::WarmUp(grpc::ServerContext*, const v1::WarmUpRequest* request,
                             v1::Readiness* response) {
  if (request->at_most_ms() < 1 || request->at_most_ms() > Readiness::kMostWarmingMs) {
    return {grpc::StatusCode::INVALID_ARGUMENT, "at_most_ms: " + std::to_string(request->at_most_ms()) +
                                                    "; allowed are 1 to " +
                                                    std::to_string(Readiness::kMostWarmingMs)};
  }
  describe(parts_.readiness.warm_up(request->at_most_ms()), *response);
  return grpc::Status::OK;
}

grpc::Status Service::Warm(grpc::ServerContext*, const v1::WarmRequest*, v1::Readiness* response) {
  describe(parts_.readiness.warm(), *response);
  return grpc::Status::OK;
}

grpc::Status Service::Shutdown(grpc::ServerContext*, const v1::ShutdownRequest*, v1::ShutdownResponse*) {
  parts_.log.info("asked to stop by the control socket");
  parts_.machine.request_stop();
  return grpc::Status::OK;
}

}  // namespace swarmdns::control
