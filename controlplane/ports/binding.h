// Gives a NIC to DPDK (vfio-pci) and back to the kernel: what dpdk-devbind.py does, refusing what would cut
// the machine off. Needs root.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "controlplane/ports/nic.h"

namespace swarmdns::controlplane {

struct BindError {
  enum class Kind { kNotFound, kRefused, kFailed };
  Kind kind = Kind::kFailed;
  std::string text;  // what is in the way, and the mend
};

struct BindResult {
  Nic nic;
  std::vector<std::string> notes;
};

class PortBinder {
 public:
  // `memory_dir`: where the driver a port had is remembered, a file a port; made when needed.
  PortBinder(Machine& machine, std::string memory_dir)
      : machine_(machine), memory_dir_(std::move(memory_dir)) {}

  // Refused without `force` when the port carries addresses, a default route, or belongs to a bond or bridge.
  std::expected<BindResult, BindError> bind(const std::string& device, bool force);

  // Back to `driver`; "" = the one it had before bind(), else whichever the kernel finds.
  std::expected<BindResult, BindError> unbind(const std::string& device, const std::string& driver);

  // "" = unknown.
  std::string previous_driver(const std::string& pci_address) const;

 private:
  std::expected<void, BindError> check_in_use(const Nic& nic, bool force) const;
  std::expected<void, BindError> check_iommu(std::vector<std::string>& notes) const;
  std::expected<void, BindError> need_vfio();
  std::expected<void, BindError> change_driver(const Nic& nic, const std::string& override_driver,
                                               const std::string& bind_to);
  void remember(const Nic& nic) const;

  Machine& machine_;
  std::string memory_dir_;
};

}  // namespace swarmdns::controlplane
