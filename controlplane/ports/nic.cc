#include "controlplane/ports/nic.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace swarmdns::controlplane {
namespace {

std::string device_path(const Machine& machine, const std::string& pci) {
  return machine.sys() + "/bus/pci/devices/" + pci;
}

std::string without_0x(const std::string& text) {
  return text.starts_with("0x") ? text.substr(2) : text;
}

// The interface is below the device, or for virtio one level deeper.
std::string interface_of(const Machine& machine, const std::string& path) {
  const auto direct = machine.entries(path + "/net");
  if (!direct.empty()) return direct.front();
  for (const std::string& entry : machine.entries(path)) {
    if (!entry.starts_with("virtio")) continue;
    const auto nested = machine.entries(path + "/" + entry + "/net");
    if (!nested.empty()) return nested.front();
  }
  return "";
}

std::vector<std::string> members_of(const Machine& machine, const std::string& group,
                                    const std::string& self) {
  std::vector<std::string> members;
  for (const std::string& pci :
       machine.entries(machine.sys() + "/kernel/iommu_groups/" + group + "/devices")) {
    const std::string path = device_path(machine, pci);
    if (pci == self || machine.attribute(path + "/class").value_or("").starts_with("0x06")) continue;
    const std::string driver = machine.link_name(path + "/driver");
    members.push_back(pci + " (" + (driver.empty() ? "no driver" : driver) + ")");
  }
  return members;
}

// vfio makes such a group for a port that it drives without an IOMMU: it isolates nothing.
bool is_noiommu_group(const Machine& machine, const std::string& group) {
  return machine.attribute(machine.sys() + "/kernel/iommu_groups/" + group + "/name") == "vfio-noiommu";
}

Nic describe(const Machine& machine, const std::string& pci) {
  const std::string path = device_path(machine, pci);
  Nic nic;
  nic.pci_address = pci;
  nic.vendor = without_0x(machine.attribute(path + "/vendor").value_or(""));
  nic.device = without_0x(machine.attribute(path + "/device").value_or(""));
  nic.driver = machine.link_name(path + "/driver");
  nic.numa_node = std::atoi(machine.attribute(path + "/numa_node").value_or("-1").c_str());
  nic.iommu_group = machine.link_name(path + "/iommu_group");
  nic.vfio_node = nic.iommu_group;
  if (!nic.iommu_group.empty() && is_noiommu_group(machine, nic.iommu_group)) {
    nic.vfio_node = "noiommu-" + nic.iommu_group;
    nic.iommu_group.clear();
  }
  if (!nic.iommu_group.empty()) nic.group_members = members_of(machine, nic.iommu_group, pci);
  nic.interface = interface_of(machine, path);
  if (nic.interface.empty()) return nic;
  const std::string net = machine.sys() + "/class/net/" + nic.interface;
  nic.mac = machine.attribute(net + "/address").value_or("");
  nic.master = machine.link_name(net + "/master");
  nic.link_up = machine.attribute(net + "/carrier").value_or("0") == "1";
  const int speed = std::atoi(machine.attribute(net + "/speed").value_or("0").c_str());
  nic.speed_mbps = speed > 0 ? static_cast<unsigned>(speed) : 0;
  nic.addresses = machine.addresses(nic.interface);
  nic.default_route = machine.has_default_route(nic.interface);
  return nic;
}

}  // namespace

std::vector<Nic> list_nics(const Machine& machine) {
  std::vector<Nic> nics;
  for (const std::string& pci : machine.entries(machine.sys() + "/bus/pci/devices")) {
    // Class 02: network controllers.
    if (!machine.attribute(device_path(machine, pci) + "/class").value_or("").starts_with("0x02")) continue;
    nics.push_back(describe(machine, pci));
  }
  return nics;
}

std::string pci_form(std::string device) {
  std::ranges::transform(device, device.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::ranges::count(device, ':') == 1 ? "0000:" + device : device;
}

std::optional<Nic> find_nic(const Machine& machine, const std::string& device) {
  const std::string address = pci_form(device);
  for (Nic& nic : list_nics(machine)) {
    if (nic.pci_address == address || (!nic.interface.empty() && nic.interface == device)) {
      return std::move(nic);
    }
  }
  return std::nullopt;
}

bool has_iommu(const Machine& machine) {
  const auto groups = machine.entries(machine.sys() + "/kernel/iommu_groups");
  return std::ranges::any_of(groups,
                             [&](const std::string& group) { return !is_noiommu_group(machine, group); });
}

bool has_unsafe_noiommu(const Machine& machine) {
  const auto value = machine.attribute(machine.sys() + "/module/vfio/parameters/enable_unsafe_noiommu_mode");
  return value == "Y" || value == "1";
}

}  // namespace swarmdns::controlplane
