// What can be asked of a node: implemented by the node itself (app/) and, over the admin API, by swarmctl's
// client (cli/). Neither side knows gRPC beyond its translation. Every call may come from any of gRPC's
// threads, several at once.
#pragma once

#include <expected>
#include <functional>
#include <string>

#include "swarmdns/v1/admin.pb.h"

namespace swarmdns::controlplane {

struct Refusal {
  enum class Kind {
    kInvalid,       // the request makes no sense
    kNotFound,      // no such port, process, ...
    kPrecondition,  // refused as things stand; the text names the mend
    kUnavailable,   // the data plane does not answer
    kUnreachable,   // the node itself does not answer (only a remote NodeControl says so)
    kForbidden,     // the caller may not
    kUnsupported,   // this version cannot
    kFailed,        // tried and failed
  };
  Kind kind = Kind::kFailed;
  std::string text;
};

template <typename T>
using Outcome = std::expected<T, Refusal>;

// In the details of every status the API itself gives.
inline constexpr const char* kOwnAnswer = "swarmdns";

class NodeControl {
 public:
  virtual ~NodeControl() = default;

  virtual Outcome<v1::NodeStatus> node_status() = 0;

  virtual Outcome<v1::ConfigReport> check_config(const std::string& yaml, const std::string& file) = 0;
  virtual Outcome<v1::ConfigReport> apply_config(const std::string& yaml, const std::string& file) = 0;
  virtual Outcome<v1::ShowConfigResponse> show_config(bool defaults) = 0;

  virtual Outcome<v1::LookupResponse> lookup(const v1::LookupRequest& request) = 0;
  virtual Outcome<v1::FlushCacheResponse> flush(const v1::FlushRequest& request) = 0;
  // `take` returns false when the reader is gone.
  virtual Outcome<void> dump(const std::function<bool(const v1::CacheSlice&)>& take) = 0;
  // `next` returns false at the end of the stream.
  virtual Outcome<v1::LoadResponse> load(const std::function<bool(v1::CacheSlice&)>& next) = 0;
  virtual Outcome<v1::StatsSnapshot> stats() = 0;

  virtual Outcome<v1::ListPortsResponse> list_ports(const std::string& device) = 0;
  virtual Outcome<v1::BindPortResponse> bind_port(const std::string& device, bool force) = 0;
  virtual Outcome<v1::BindPortResponse> unbind_port(const std::string& device, const std::string& driver) = 0;

  virtual Outcome<v1::ControlProcessResponse> control_process(const v1::ControlProcessRequest& request) = 0;
};

}  // namespace swarmdns::controlplane
