// A NodeControl that notes what it is asked and answers what a test wants.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/api/node_control.h"

namespace swarmdns::controlplane {

class FakeNode final : public NodeControl {
 public:
  struct Script {
    std::string asked;
    std::optional<Refusal> refusal;
    v1::NodeStatus status;
    v1::ConfigReport report;
    v1::LookupResponse found;
    v1::FlushCacheResponse flushed;
    std::vector<v1::StatsSnapshot> stats;
    size_t stats_asked = 0;
    v1::ListPortsResponse ports;
    v1::BindPortResponse bound;
    v1::ControlProcessResponse processes;
    std::vector<v1::CacheSlice> slices;
    v1::LoadResponse loaded;
  };
  explicit FakeNode(Script& script) : script_(script) {}

  Outcome<v1::NodeStatus> node_status() override { return answer("status", script_.status); }
  Outcome<v1::ConfigReport> check_config(const std::string& yaml, const std::string& file) override {
    return answer("check " + file + " " + yaml, script_.report);
  }
  Outcome<v1::ConfigReport> apply_config(const std::string& yaml, const std::string& file) override {
    return answer("apply " + file + " " + yaml, script_.report);
  }
  Outcome<v1::ShowConfigResponse> show_config(bool defaults) override {
    v1::ShowConfigResponse response;
    response.set_file("node.yaml");
    response.set_yaml("node: {}\n");
    return answer(std::string("show ") + (defaults ? "1" : "0"), response);
  }
  Outcome<v1::LookupResponse> lookup(const v1::LookupRequest& request) override {
    return answer("lookup " + std::to_string(request.qname().size()) + " " + std::to_string(request.qtype()),
                  script_.found);
  }
  Outcome<v1::FlushCacheResponse> flush(const v1::FlushRequest& request) override {
    return answer("flush " + std::to_string(request.scope_case()) + " " + std::to_string(request.qtype()),
                  script_.flushed);
  }
  Outcome<void> dump(const std::function<bool(const v1::CacheSlice&)>& take) override {
    if (script_.refusal) return std::unexpected(*script_.refusal);
    for (const auto& slice : script_.slices) {
      if (!take(slice)) break;
    }
    return {};
  }
  Outcome<v1::LoadResponse> load(const std::function<bool(v1::CacheSlice&)>& next) override {
    v1::CacheSlice slice;
    int count = 0;
    while (next(slice)) ++count;
    return answer("load " + std::to_string(count), script_.loaded);
  }
  Outcome<v1::StatsSnapshot> stats() override {
    if (script_.stats.empty()) return answer("stats", v1::StatsSnapshot());
    return answer("stats", script_.stats[std::min(script_.stats_asked++, script_.stats.size() - 1)]);
  }
  Outcome<v1::ListPortsResponse> list_ports(const std::string& device) override {
    return answer("ports " + device, script_.ports);
  }
  Outcome<v1::BindPortResponse> bind_port(const std::string& device, bool force) override {
    return answer("bind " + device + (force ? " force" : ""), script_.bound);
  }
  Outcome<v1::BindPortResponse> unbind_port(const std::string& device, const std::string& driver) override {
    return answer("unbind " + device + " " + driver, script_.bound);
  }
  Outcome<v1::ControlProcessResponse> control_process(const v1::ControlProcessRequest& request) override {
    return answer("control " + std::to_string(request.action()) + " " + request.process(), script_.processes);
  }

 private:
  template <typename T>
  Outcome<T> answer(const std::string& asked, const T& response) {
    script_.asked = asked;
    if (script_.refusal) return std::unexpected(*script_.refusal);
    return response;
  }
  Script& script_;
};

}  // namespace swarmdns::controlplane
