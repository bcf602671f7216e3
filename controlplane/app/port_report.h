// NICs as messages of the admin API.
#pragma once

#include <expected>
#include <string>

#include "controlplane/ports/binding.h"
#include "swarmdns/v1/admin.pb.h"

namespace swarmdns::controlplane {

v1::NicPort to_message(const Nic& nic, const PortBinder& binder);

// All ports, or the one of that PCI address or interface.
std::expected<v1::ListPortsResponse, BindError> ports_report(const Machine& machine, const PortBinder& binder,
                                                             const std::string& device);

}  // namespace swarmdns::controlplane
