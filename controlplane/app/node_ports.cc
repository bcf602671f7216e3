// The machine's NICs, as the admin API shows and binds them.
#include "controlplane/app/node.h"
#include "controlplane/app/port_report.h"

namespace swarmdns::controlplane {
namespace {

Refusal port_refusal(const BindError& error) {
  switch (error.kind) {
    case BindError::Kind::kNotFound:
      return {Refusal::Kind::kNotFound, error.text};
    case BindError::Kind::kRefused:
      return {Refusal::Kind::kPrecondition, error.text};
    default:
      return {Refusal::Kind::kFailed, error.text};
  }
}

v1::BindPortResponse response_of(const BindResult& result, const PortBinder& binder) {
  v1::BindPortResponse response;
  *response.mutable_port() = to_message(result.nic, binder);
  for (const std::string& note : result.notes) response.add_notes(note);
  return response;
}

}  // namespace

bool Node::dataplane_uses(const Nic& nic) {
  const auto status = link_->status();
  if (!status) return false;
  for (const v1::PortStatus& port : status->ports()) {
    // Arguments of the driver may follow the address.
    if (pci_form(port.device().substr(0, port.device().find(','))) == nic.pci_address) return true;
  }
  return false;
}

Outcome<v1::ListPortsResponse> Node::list_ports(const std::string& device) {
  const PortBinder binder(machine_, node_config().state_dir() + "/ports");
  auto response = ports_report(machine_, binder, device);
  if (!response) return std::unexpected(port_refusal(response.error()));
  return std::move(*response);
}

Outcome<v1::BindPortResponse> Node::bind_port(const std::string& device, bool force) {
  PortBinder binder(machine_, node_config().state_dir() + "/ports");
  const auto result = binder.bind(device, force);
  if (!result) return std::unexpected(port_refusal(result.error()));
  log_.info("port " + result->nic.pci_address + " bound to vfio-pci");
  return response_of(*result, binder);
}

Outcome<v1::BindPortResponse> Node::unbind_port(const std::string& device, const std::string& driver) {
  PortBinder binder(machine_, node_config().state_dir() + "/ports");
  if (const auto nic = find_nic(machine_, device); nic && dataplane_uses(*nic)) {
    return std::unexpected(Refusal{
        Refusal::Kind::kPrecondition,
        nic->pci_address + " is a port of the running data plane; take it out of the "
                           "configuration and restart the data plane, or swarmctl node stop dataplane"});
  }
  const auto result = binder.unbind(device, driver);
  if (!result) return std::unexpected(port_refusal(result.error()));
  log_.info("port " + result->nic.pci_address + " given back to " + result->nic.driver);
  return response_of(*result, binder);
}

}  // namespace swarmdns::controlplane
