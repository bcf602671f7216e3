#include "controlplane/consensus/uv_log_store.h"

#include <sys/statvfs.h>

#include <string_view>
#include <system_error>
#include <utility>

#include "controlplane/consensus/log_files.h"
#include "controlplane/consensus/raft_members.h"

namespace swarmdns::controlplane {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLowSpaceBytes = std::uint64_t{32} << 20;

void fill_stub(struct raft_uv_transport& transport) {
  transport.version = 1;
  transport.init = [](struct raft_uv_transport*, raft_id, const char*) { return 0; };
  transport.listen = [](struct raft_uv_transport*, raft_uv_accept_cb) { return 0; };
  transport.connect = [](struct raft_uv_transport*, struct raft_uv_connect*, raft_id, const char*,
                         raft_uv_connect_cb) { return static_cast<int>(RAFT_NOCONNECTION); };
  transport.close = [](struct raft_uv_transport* stub, raft_uv_transport_close_cb done) { done(stub); };
}

// Traces of raft_uv after which it does not do what was asked of it, and tells nobody. The first kind starts
// a timer that works on memory of something else when it fires (uv_append.c of 0.22.1 has mixed up two
// timers).
bool is_silent_failure(std::string_view trace) {
  for (const std::string_view begin :
       {"retry failed write", "truncate segment", "unlink segment", "sync data directory"})
    if (trace.starts_with(begin)) return true;
  return false;
}

std::string why_stuck_in(const fs::path& directory) {
  struct statvfs volume {};
  if (statvfs(directory.c_str(), &volume) != 0) return "";
  const std::uint64_t left = std::uint64_t{volume.f_bavail} * volume.f_frsize;
  if (left >= kLowSpaceBytes) return "";
  return "the disk of " + directory.string() + " is full (" + std::to_string(left >> 20) +
         " MiB left): make at least 64 MiB of room there; the log then goes on by itself";
}

std::expected<void, std::string> make_directory(const fs::path& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (!error) return {};
  return std::unexpected(directory.string() + " cannot be made: " + error.message());
}

// The log opened on a loop of its own, `act`, closed.
std::expected<void, std::string> offline(const fs::path& directory,
                                         const std::function<int(struct raft*)>& act) {
  if (auto made = make_directory(directory); !made) return made;
  if (const auto report = check_log_files(directory); !report) return std::unexpected(report.error());

  uv_loop_t loop{};
  uv_loop_init(&loop);
  struct raft_uv_transport transport {};
  fill_stub(transport);
  struct raft_io io {};
  struct raft_fsm fsm {};
  fsm.version = 1;
  struct raft raft {};
  std::expected<void, std::string> result;
  const auto fail = [&](const char* text) { result = std::unexpected(directory.string() + ": " + text); };
  if (raft_uv_init(&io, &loop, directory.c_str(), &transport) != 0) {
    fail(io.errmsg);
    uv_loop_close(&loop);
    return result;
  }
  raft_uv_set_auto_recovery(&io, false);
  if (raft_init(&raft, &io, &fsm, 1, "-") != 0) {
    fail(raft.errmsg);
  } else {
    if (const int status = act(&raft); status != 0)
      fail(io.errmsg[0] != '\0' ? io.errmsg : raft_strerror(status));
    raft_close(&raft, nullptr);
    uv_run(&loop, UV_RUN_DEFAULT);
  }
  raft_uv_close(&io);
  uv_loop_close(&loop);
  return result;
}

}  // namespace

UvLogStore::UvLogStore(UvReactor& reactor, UvLogStoreOptions options)
    : reactor_(reactor), options_(std::move(options)) {}

UvLogStore::~UvLogStore() = default;

std::expected<struct raft_io*, std::string> UvLogStore::open(std::function<void(std::string)> failed) {
  if (auto made = make_directory(options_.directory); !made) return std::unexpected(made.error());
  auto report = check_log_files(options_.directory);
  if (!report) return std::unexpected(report.error());
  if (options_.say) {
    for (const std::string& note : report->notes) options_.say(note);
  }

  auto session = std::make_shared<Session>();
  session->self = session;
  session->reactor = &reactor_;
  session->failed = std::move(failed);
  fill_stub(session->transport);
  if (raft_uv_init(&session->io, reactor_.loop(), options_.directory.c_str(), &session->transport) != 0)
    return std::unexpected(explain(session->io.errmsg));
  session->tracer = {.impl = session.get(), .version = 2, .emit = &UvLogStore::on_trace};
  raft_uv_set_tracer(&session->io, &session->tracer);
  raft_uv_set_segment_size(&session->io, options_.segment_bytes);
  raft_uv_set_disk_retry(&session->io, options_.disk_retry_ms);
  // Or it renames a damaged segment and goes on without its entries, committed ones among them.
  raft_uv_set_auto_recovery(&session->io, false);
  session_ = std::move(session);
  return &session_->io;
}

void UvLogStore::closed() {
  session_->failed = {};
  raft_uv_close(&session_->io);
  session_.reset();
}

// Also on libuv's worker threads.
void UvLogStore::on_trace(struct raft_tracer* tracer, int type, const void* info) {
  if (type != RAFT_TRACER_DIAGNOSTIC) return;
  const char* message = static_cast<const struct raft_tracer_info*>(info)->diagnostic.message;
  if (!is_silent_failure(message)) return;
  auto& session = *static_cast<Session*>(tracer->impl);
  const auto report = [self = session.self, text = std::string(message)] {
    if (const auto alive = self.lock(); alive && alive->failed) alive->failed(text);
  };
  // At once where possible: what the engine then does must come before raft_uv's timer.
  if (session.reactor->on_reactor_thread())
    report();
  else
    session.reactor->post(report);
}

std::string UvLogStore::explain(const std::string& error) const {
  std::string text = error;
  if (text.starts_with("io: ")) text.erase(0, 4);
  if (std::string stuck = why_stuck_in(options_.directory); !stuck.empty())
    return "the log cannot be opened (" + text + "): " + stuck;
  return "the log in " + options_.directory.string() + " cannot be opened: " + text +
         ". Put the file back as it was; or, when other members have the log, remove this node from the "
         "swarm and "
         "let it join again";
}

std::string UvLogStore::why_stuck() {
  return why_stuck_in(options_.directory);
}

bool has_log(const fs::path& directory) {
  std::error_code error;
  return fs::exists(directory / "metadata1", error) || fs::exists(directory / "metadata2", error);
}

std::expected<void, std::string> bootstrap_log(const fs::path& directory,
                                               const std::vector<LogMember>& members) {
  auto configuration = to_configuration(members);
  if (!configuration) return std::unexpected(configuration.error());
  auto result = offline(directory, [&](struct raft* raft) { return raft_bootstrap(raft, &*configuration); });
  raft_configuration_close(&*configuration);
  if (!result && has_log(directory))
    return std::unexpected("there is a log in " + directory.string() + " already (" + result.error() + ")");
  return result;
}

std::expected<void, std::string> recover_log(const fs::path& directory,
                                             const std::vector<LogMember>& members) {
  if (!has_log(directory)) return std::unexpected("there is no log in " + directory.string());
  auto configuration = to_configuration(members);
  if (!configuration) return std::unexpected(configuration.error());
  auto result = offline(directory, [&](struct raft* raft) { return raft_recover(raft, &*configuration); });
  raft_configuration_close(&*configuration);
  return result;
}

}  // namespace swarmdns::controlplane
