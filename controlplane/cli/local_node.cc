#include "controlplane/cli/local_node.h"

#include "controlplane/app/port_report.h"
#include "controlplane/config/environment.h"
#include "controlplane/config/yaml_reader.h"
#include "controlplane/resolver/unbound.h"
#include "proto/config/defaults.h"

namespace swarmdns::controlplane {
namespace {

// Where the control plane remembers drivers, by default.
constexpr const char* kPortMemory = "/var/lib/swarmdns/ports";

Refusal refusal_of(const BindError& error) {
  const auto kind = error.kind == BindError::Kind::kNotFound  ? Refusal::Kind::kNotFound
                    : error.kind == BindError::Kind::kRefused ? Refusal::Kind::kPrecondition
                                                              : Refusal::Kind::kFailed;
  return {kind, error.text};
}

class LocalNode final : public NodeControl {
 public:
  explicit LocalNode(Refusal why) : why_(std::move(why)) {}

  Outcome<v1::ConfigReport> check_config(const std::string& yaml, const std::string& file) override {
    v1::ConfigReport report;
    auto loaded = parse_config(yaml, file);
    if (!loaded) {
      for (const ConfigProblem& problem : loaded.error()) add(report, problem);
      return report;
    }
    v1::Config filled = loaded->config;
    config::fill_defaults(filled);
    for (const config::Problem& problem : environment_problems(filled)) {
      add(report, {file, line_of(loaded->lines, problem.path), problem.path, problem.text});
    }
    if (report.problems_size() == 0 && filled.resolver().mode() == v1::UNBOUND) {
      if (auto judged = check_unbound(filled.resolver(), resolver_paths(filled.node())); !judged) {
        add(report, {file, line_of(loaded->lines, "resolver"), "resolver", judged.error()});
      }
    }
    report.set_accepted(report.problems_size() == 0);
    report.add_notes("no node runs here, so there is nothing to compare the file with");
    return report;
  }
  Outcome<v1::ListPortsResponse> list_ports(const std::string& device) override {
    auto response = ports_report(machine_, binder_, device);
    if (!response) return std::unexpected(refusal_of(response.error()));
    return std::move(*response);
  }
  Outcome<v1::BindPortResponse> bind_port(const std::string& device, bool force) override {
    return answer(binder_.bind(device, force));
  }
  Outcome<v1::BindPortResponse> unbind_port(const std::string& device, const std::string& driver) override {
    return answer(binder_.unbind(device, driver));
  }

  Outcome<v1::NodeStatus> node_status() override { return std::unexpected(why_); }
  Outcome<v1::ConfigReport> apply_config(const std::string&, const std::string&) override {
    return std::unexpected(why_);
  }
  Outcome<v1::ShowConfigResponse> show_config(bool) override { return std::unexpected(why_); }
  Outcome<v1::LookupResponse> lookup(const v1::LookupRequest&) override { return std::unexpected(why_); }
  Outcome<v1::FlushCacheResponse> flush(const v1::FlushRequest&) override { return std::unexpected(why_); }
  Outcome<void> dump(const std::function<bool(const v1::CacheSlice&)>&) override {
    return std::unexpected(why_);
  }
  Outcome<v1::LoadResponse> load(const std::function<bool(v1::CacheSlice&)>&) override {
    return std::unexpected(why_);
  }
  Outcome<v1::StatsSnapshot> stats() override { return std::unexpected(why_); }
  Outcome<v1::ControlProcessResponse> control_process(const v1::ControlProcessRequest&) override {
    return std::unexpected(why_);
  }

 private:
  static void add(v1::ConfigReport& report, const ConfigProblem& problem) {
    v1::ConfigProblemReport* added = report.add_problems();
    added->set_file(problem.file);
    added->set_line(static_cast<uint32_t>(problem.line));
    added->set_path(problem.path);
    added->set_text(problem.text);
  }
  Outcome<v1::BindPortResponse> answer(const std::expected<BindResult, BindError>& result) const {
    if (!result) return std::unexpected(refusal_of(result.error()));
    v1::BindPortResponse response;
    *response.mutable_port() = to_message(result->nic, binder_);
    for (const std::string& note : result->notes) response.add_notes(note);
    return response;
  }

  Refusal why_;
  Machine machine_;
  PortBinder binder_{machine_, kPortMemory};
};

}  // namespace

std::unique_ptr<NodeControl> make_local_node(Refusal why) {
  return std::make_unique<LocalNode>(std::move(why));
}

}  // namespace swarmdns::controlplane
