// The PCI network devices of the machine.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "controlplane/ports/machine.h"

namespace swarmdns::controlplane {

struct Nic {
  std::string pci_address;  // "0000:01:00.0"
  std::string vendor;       // "8086"
  std::string device;       // "10d3"
  std::string driver;       // "" = none
  std::string interface;    // "" = the kernel has none for it
  std::string mac;
  std::string master;  // bond or bridge it belongs to
  bool link_up = false;
  unsigned speed_mbps = 0;  // 0 = unknown
  int numa_node = -1;
  std::vector<std::string> addresses;
  bool default_route = false;
  std::string iommu_group;  // "" = none
  std::string vfio_node;    // below /dev/vfio while bound to vfio-pci: "7", without an IOMMU "noiommu-0"
  std::vector<std::string>
      group_members;  // other devices of the group, bridges left out: "0000:01:00.1 (e1000e)"
};

std::vector<Nic> list_nics(const Machine& machine);

// "0000:0a:00.0" of "0A:00.0": as sysfs and DPDK write it. What is no PCI address comes back in lower case.
std::string pci_form(std::string device);

// By PCI address ("01:00.0" is taken as of domain 0000) or interface.
std::optional<Nic> find_nic(const Machine& machine, const std::string& device);

bool has_iommu(const Machine& machine);
// vfio's mode without an IOMMU: any device may write to any memory.
bool has_unsafe_noiommu(const Machine& machine);

}  // namespace swarmdns::controlplane
