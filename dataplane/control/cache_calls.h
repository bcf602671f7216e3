// The short calls on the cache: insert, flush, fence, lookup. Every change is a command to the writer thread;
// lookups register with RCU for as long as they last. gRPC's threads, several at a time.
#pragma once

#include <grpcpp/support/status.h>

#include <functional>

#include "dataplane/cache/clock.h"
#include "dataplane/cache/writer.h"
#include "dataplane/control/configurator.h"
#include "dataplane/control/entry_codec.h"
#include "dataplane/restart/flush_log.h"
#include "swarmdns/v1/dataplane.pb.h"

namespace swarmdns::control {

class CacheCalls {
 public:
  // All outlive it. `numbering`: of the journal's numbers (journal_numbers.h).
  CacheCalls(cache::Writer& writer, const cache::Clock& clock, const Configurator& configurator,
             std::uint64_t numbering);

  grpc::Status insert(const v1::InsertRequest& request, v1::InsertResponse& response);
  grpc::Status flush(const v1::FlushRequest& request, v1::FlushResponse& response);
  // Comes back when the fence is through; every entry of the cache is looked at.
  grpc::Status fence(const v1::FenceRequest& request, v1::FenceResponse& response);
  // All types: every entry of the cache is looked at, about 10 ns each.
  grpc::Status lookup(const v1::LookupRequest& request, v1::LookupResponse& response);
  void describe(v1::CacheStatus& status) const;

  // Every flush and fence is noted there before it is commanded.
  [[nodiscard]] restart::FlushLog& flushes() noexcept { return flushes_; }
  [[nodiscard]] cache::Writer& writer() noexcept { return writer_; }
  [[nodiscard]] cache::Cache& cache() noexcept { return writer_.cache(); }
  [[nodiscard]] const cache::Clock& clock() const noexcept { return clock_; }
  [[nodiscard]] std::uint64_t journal_id() const noexcept { return journal_id_; }
  [[nodiscard]] std::uint64_t numbering() const noexcept { return numbering_; }
  [[nodiscard]] DecodeRules decode_rules() const;

 private:
  cache::Writer& writer_;
  const cache::Clock& clock_;
  const Configurator& configurator_;
  const std::uint64_t numbering_;
  std::uint64_t journal_id_;
  restart::FlushLog flushes_;
};

}  // namespace swarmdns::control
