#include "controlplane/app/port_report.h"

namespace swarmdns::controlplane {

v1::NicPort to_message(const Nic& nic, const PortBinder& binder) {
  v1::NicPort port;
  port.set_pci_address(nic.pci_address);
  port.set_vendor(nic.vendor);
  port.set_device(nic.device);
  port.set_driver(nic.driver);
  port.set_interface(nic.interface);
  port.set_mac(nic.mac);
  port.set_link_up(nic.link_up);
  port.set_speed_mbps(nic.speed_mbps);
  port.set_numa_node(nic.numa_node);
  for (const std::string& address : nic.addresses) port.add_addresses(address);
  port.set_default_route(nic.default_route);
  port.set_iommu_group(nic.iommu_group);
  for (const std::string& member : nic.group_members) port.add_group_members(member);
  port.set_previous_driver(binder.previous_driver(nic.pci_address));
  return port;
}

std::expected<v1::ListPortsResponse, BindError> ports_report(const Machine& machine, const PortBinder& binder,
                                                             const std::string& device) {
  v1::ListPortsResponse response;
  response.set_iommu(has_iommu(machine));
  if (!device.empty()) {
    const auto nic = find_nic(machine, device);
    if (!nic) {
      return std::unexpected(BindError{
          BindError::Kind::kNotFound,
          "there is no PCI network port \"" + device + "\"; `swarmctl port list` shows those there are"});
    }
    *response.add_ports() = to_message(*nic, binder);
  } else {
    for (const Nic& nic : list_nics(machine)) *response.add_ports() = to_message(nic, binder);
  }
  if (!response.iommu() && response.ports_size() > 0) {
    response.add_notes(
        has_unsafe_noiommu(machine)
            ? "no IOMMU in use; ports can be bound (enable_unsafe_noiommu_mode), and could write to all "
              "memory"
            : "no IOMMU in use: ports cannot be bound to vfio-pci; boot with intel_iommu=on iommu=pt");
  }
  if (response.ports_size() == 0) {
    response.add_notes("no PCI network port; a DPDK vdev such as net_af_xdp0,iface=eth1 needs no binding");
  }
  return response;
}

}  // namespace swarmdns::controlplane
