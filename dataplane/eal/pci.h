// Why DPDK has no port for a PCI device, by what sysfs says of it. Free of DPDK. Main thread, at start.
#pragma once

#include <string>

#include "dataplane/eal/error.h"

namespace swarmdns::eal {

// `name`: "0000:01:00.0". `sys`: mount point of sysfs.
[[nodiscard]] Error pci_error(const std::string& field, const std::string& name,
                              const std::string& sys = "/sys");

}  // namespace swarmdns::eal
