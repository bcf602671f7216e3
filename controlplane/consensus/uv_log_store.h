// A log in a directory, by raft_uv on the reactor's loop: its disk half. Its transport is a stub; messages go
// by PeerLink.
//
// Reactor thread, but for the free functions: those want a log that is not open.
#pragma once

#include <cstddef>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "controlplane/consensus/log_store.h"
#include "controlplane/consensus/replicated_log.h"
#include "controlplane/consensus/uv_reactor.h"

namespace swarmdns::controlplane {

struct UvLogStoreOptions {
  std::filesystem::path directory;  // made when it is not there
  // At most 16 MiB: raft_uv counts what it has ready in 16 bits of KiB, three segments.
  std::size_t segment_bytes = std::size_t{8} << 20;
  // Of writes that failed for lack of space.
  unsigned disk_retry_ms = 1000;
  // What was mended when the log is opened, for the journal of the node; may be empty. Reactor thread.
  std::function<void(const std::string&)> say;
};

class UvLogStore final : public LogStore {
 public:
  UvLogStore(UvReactor& reactor, UvLogStoreOptions options);
  // After the engine on it has stopped.
  ~UvLogStore() override;
  UvLogStore(const UvLogStore&) = delete;
  UvLogStore& operator=(const UvLogStore&) = delete;

  std::expected<struct raft_io*, std::string> open(std::function<void(std::string)> failed) override;
  void closed() override;
  std::string explain(const std::string& error) const override;
  std::string why_stuck() override;

 private:
  // What one opening has; posted handlers may outlive it.
  struct Session {
    struct raft_io io {};
    struct raft_uv_transport transport {};
    struct raft_tracer tracer {};
    UvReactor* reactor = nullptr;
    std::function<void(std::string)> failed;  // empty once closed
    std::weak_ptr<Session> self;
  };
  static void on_trace(struct raft_tracer* tracer, int type, const void* info);

  UvReactor& reactor_;
  const UvLogStoreOptions options_;
  std::shared_ptr<Session> session_;
};

// Makes the log of a new swarm's first members in an empty directory. Error: a sentence.
std::expected<void, std::string> bootstrap_log(const std::filesystem::path& directory,
                                               const std::vector<LogMember>& members);
// Whether there is a log at all.
bool has_log(const std::filesystem::path& directory);
// Forces new members on a log whose majority is lost for good. What was not known to be committed counts as
// committed from now on. Only on the node with the longest log, and only one; the others must never return.
std::expected<void, std::string> recover_log(const std::filesystem::path& directory,
                                             const std::vector<LogMember>& members);

}  // namespace swarmdns::controlplane
