// Client of the data plane's control interface, RUN_DIR/dataplane.sock. No gRPC in this header.
// Blocking calls with deadlines; any thread. The data plane may come and go: each call finds it anew.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "swarmdns/v1/dataplane.pb.h"

namespace swarmdns::controlplane {

struct LinkError {
  enum class Kind {
    kUnreachable,  // nobody answers on the socket
    kRefused,      // the data plane refused the request; nothing changed
    kFailed,       // it tried and failed, or the stream broke
  };
  Kind kind = Kind::kFailed;
  std::string text;  // a sentence
};

template <typename T>
using LinkResult = std::expected<T, LinkError>;

class DataplaneLink {
 public:
  explicit DataplaneLink(std::string socket_path);
  ~DataplaneLink();

  const std::string& socket_path() const { return socket_path_; }

  LinkResult<v1::DataplaneStatus> status(int timeout_ms = 1000);
  LinkResult<v1::StatsSnapshot> stats();
  LinkResult<v1::ConfigureResponse> configure(const v1::DataplaneConfig& config, bool check_only);
  LinkResult<v1::GetConfigResponse> config();
  LinkResult<v1::LookupResponse> lookup(const v1::LookupRequest& request);
  LinkResult<v1::FlushResponse> flush(const v1::FlushRequest& request);
  LinkResult<void> shutdown();

  // Each slice in order; `take` returns false to break off.
  LinkResult<void> dump(const std::function<bool(const v1::CacheSlice&)>& take);
  // `next` fills in the next slice, or returns false at the end.
  LinkResult<v1::LoadResponse> load(const std::function<bool(v1::CacheSlice&)>& next);

 private:
  struct Channel;
  std::string socket_path_;
  std::unique_ptr<Channel> channel_;
};

}  // namespace swarmdns::controlplane
