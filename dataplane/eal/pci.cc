#include "dataplane/eal/pci.h"

#include <filesystem>
#include <fstream>
#include <vector>

namespace swarmdns::eal {
namespace {

namespace fs = std::filesystem;

// The last component of what a link points to; "" = no link.
std::string link_name(const fs::path& path) {
  std::error_code error;
  const fs::path target = fs::read_symlink(path, error);
  return error ? std::string() : target.filename().string();
}

bool is_bridge(const fs::path& device) {
  std::string pci_class;
  std::ifstream(device / "class") >> pci_class;
  return pci_class.starts_with("0x06");
}

// Others of its IOMMU group that the kernel drives, which keeps VFIO from giving the group away:
// "0000:01:00.1 (e1000e)".
std::string hindrances(const fs::path& devices, const std::string& name) {
  std::string text;
  std::error_code error;
  for (fs::directory_iterator at(devices / name / "iommu_group" / "devices", error), end; !error && at != end;
       at.increment(error)) {
    const std::string other = at->path().filename().string();
    const std::string driver = link_name(devices / other / "driver");
    if (other == name || driver.empty() || driver == "vfio-pci" || is_bridge(devices / other)) continue;
    text += (text.empty() ? "" : ", ") + other + " (" + driver + ")";
  }
  return text;
}

}  // namespace

Error pci_error(const std::string& field, const std::string& name, const std::string& sys) {
  const fs::path devices = fs::path(sys) / "bus/pci/devices";
  std::error_code error;
  if (!fs::exists(devices / name, error)) {
    return {field, "there is no PCI device " + name,
            "name one of `swarmctl port list`, bound by `swarmctl port bind`"};
  }
  const std::string problem = "no driver of DPDK has taken " + name;
  const std::string driver = link_name(devices / name / "driver");
  if (driver != "vfio-pci") {
    return {field, problem + (driver.empty() ? "" : ", which belongs to the kernel's " + driver),
            "bind it: `swarmctl port bind " + name + "`, see `swarmctl port list`"};
  }
  if (const std::string others = hindrances(devices, name); !others.empty()) {
    return {field, problem + ": its IOMMU group also holds " + others,
            "bind these with `swarmctl port bind` too, or put the card into another slot"};
  }
  return {field, problem,
          "read the lines DPDK printed above: another process may have it, or DPDK may not know this NIC"};
}

}  // namespace swarmdns::eal
