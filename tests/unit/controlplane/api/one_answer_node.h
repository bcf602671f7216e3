// A NodeControl that answers everything with the least there is, or with one refusal.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "controlplane/api/node_control.h"

namespace swarmdns::controlplane {

class OneAnswerNode final : public NodeControl {
 public:
  std::optional<Refusal> refusal;
  std::string yaml;
  int slices_taken = 0;
  int slices_got = 0;

  Outcome<v1::NodeStatus> node_status() override {
    v1::NodeStatus status;
    status.set_node("n1");
    return give(status);
  }
  Outcome<v1::ConfigReport> check_config(const std::string&, const std::string&) override {
    return give(v1::ConfigReport());
  }
  Outcome<v1::ConfigReport> apply_config(const std::string& text, const std::string&) override {
    yaml = text;
    return give(v1::ConfigReport());
  }
  Outcome<v1::ShowConfigResponse> show_config(bool) override { return give(v1::ShowConfigResponse()); }
  Outcome<v1::LookupResponse> lookup(const v1::LookupRequest&) override { return give(v1::LookupResponse()); }
  Outcome<v1::FlushCacheResponse> flush(const v1::FlushRequest&) override {
    v1::FlushCacheResponse response;
    response.set_removed(7);
    return give(response);
  }
  Outcome<void> dump(const std::function<bool(const v1::CacheSlice&)>& take) override {
    v1::CacheSlice slice;
    slice.mutable_entries()->add_entries()->set_sections(std::string(100000, 'x'));
    for (int i = 0; i < 1000 && take(slice); ++i) ++slices_taken;
    if (refusal) return std::unexpected(*refusal);
    return {};
  }
  Outcome<v1::LoadResponse> load(const std::function<bool(v1::CacheSlice&)>& next) override {
    v1::CacheSlice slice;
    while (next(slice)) ++slices_got;
    return give(v1::LoadResponse());
  }
  Outcome<v1::StatsSnapshot> stats() override { return give(v1::StatsSnapshot()); }
  Outcome<v1::ListPortsResponse> list_ports(const std::string&) override {
    return give(v1::ListPortsResponse());
  }
  Outcome<v1::BindPortResponse> bind_port(const std::string&, bool) override {
    return give(v1::BindPortResponse());
  }
  Outcome<v1::BindPortResponse> unbind_port(const std::string&, const std::string&) override {
    return give(v1::BindPortResponse());
  }
  Outcome<v1::ControlProcessResponse> control_process(const v1::ControlProcessRequest&) override {
    return give(v1::ControlProcessResponse());
  }

 private:
  template <typename T>
  Outcome<T> give(const T& value) {
    if (refusal) return std::unexpected(*refusal);
    return value;
  }
};

}  // namespace swarmdns::controlplane
