#include "controlplane/ports/binding.h"

#include <sys/stat.h>
#include <unistd.h>

#include "proto/config/store.h"

namespace swarmdns::controlplane {
namespace {

constexpr const char* kVfio = "vfio-pci";

std::unexpected<BindError> not_found(const std::string& device) {
  return std::unexpected(BindError{
      BindError::Kind::kNotFound,
      "there is no PCI network port \"" + device + "\"; `swarmctl port list` shows those there are"});
}

std::unexpected<BindError> refused(std::string text) {
  return std::unexpected(BindError{BindError::Kind::kRefused, std::move(text)});
}

std::unexpected<BindError> failed(std::string text) {
  return std::unexpected(BindError{BindError::Kind::kFailed, std::move(text)});
}

std::string list_of(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace

std::expected<void, BindError> PortBinder::check_in_use(const Nic& nic, bool force) const {
  std::vector<std::string> uses;
  if (!nic.addresses.empty()) uses.push_back("the address " + list_of(nic.addresses));
  if (nic.default_route) uses.push_back("the default route");
  if (!nic.master.empty()) uses.push_back("a place in " + nic.master);
  if (uses.empty() || force) return {};
  return refused(
      nic.interface + " (" + nic.pci_address + ") carries " + list_of(uses) +
      ": binding it takes them from the kernel and may cut you off. Move them elsewhere first (ip address "
      "del, ip link set nomaster), or use --force");
}

std::expected<void, BindError> PortBinder::check_iommu(std::vector<std::string>& notes) const {
  if (has_iommu(machine_)) return {};
  if (has_unsafe_noiommu(machine_)) {
    notes.push_back(
        "there is no IOMMU: the port can write to all memory of this machine (enable_unsafe_noiommu_mode)");
    return {};
  }
  return refused(
      "this machine has no IOMMU in use (no entry in /sys/kernel/iommu_groups), and vfio-pci needs one. "
      "Turn on VT-d or AMD-Vi in the firmware and boot with intel_iommu=on iommu=pt (AMD: iommu=pt). "
      "In a virtual machine without one, and only if every device may be trusted with all memory: "
      "modprobe vfio-pci && echo 1 >/sys/module/vfio/parameters/enable_unsafe_noiommu_mode "
      "(a kernel with CONFIG_VFIO_NOIOMMU; Debian 12's has it not)");
}

std::expected<void, BindError> PortBinder::need_vfio() {
  const std::string driver = machine_.sys() + "/bus/pci/drivers/" + kVfio;
  if (machine_.exists(driver)) return {};
  const auto loaded = machine_.load_module(kVfio);
  if (loaded && machine_.exists(driver)) return {};
  return refused("the driver vfio-pci is not there, and could not be loaded (" +
                 (loaded ? std::string("modprobe vfio-pci changed nothing") : loaded.error()) +
                 "); install a kernel that has it (Debian: linux-image-amd64) and boot it");
}

std::expected<void, BindError> PortBinder::change_driver(const Nic& nic, const std::string& override_driver,
                                                         const std::string& bind_to) {
  const std::string pci = machine_.sys() + "/bus/pci";
  const std::string path = pci + "/devices/" + nic.pci_address;
  // A line break alone takes the override away.
  if (auto done = machine_.write(path + "/driver_override", override_driver + "\n"); !done)
    return failed(done.error());
  if (machine_.exists(path + "/driver")) {
    if (auto done = machine_.write(path + "/driver/unbind", nic.pci_address); !done)
      return failed(done.error());
  }
  const std::string target = bind_to.empty() ? pci + "/drivers_probe" : pci + "/drivers/" + bind_to + "/bind";
  if (auto done = machine_.write(target, nic.pci_address); !done) return failed(done.error());
  return {};
}

void PortBinder::remember(const Nic& nic) const {
  mkdir(memory_dir_.c_str(), 0755);
  // Losing it costs `unbind` the name only: the kernel finds a driver by itself.
  (void)config::write_file_atomically(memory_dir_ + "/" + nic.pci_address, nic.driver + "\n");
}

std::string PortBinder::previous_driver(const std::string& pci_address) const {
  return machine_.attribute(memory_dir_ + "/" + pci_address).value_or("");
}

std::expected<BindResult, BindError> PortBinder::bind(const std::string& device, bool force) {
  const auto nic = find_nic(machine_, device);
  if (!nic) return not_found(device);
  if (nic->driver == kVfio) return refused(nic->pci_address + " is bound to vfio-pci already");
  BindResult result;
  if (auto free = check_in_use(*nic, force); !free) return std::unexpected(free.error());
  if (auto safe = check_iommu(result.notes); !safe) return std::unexpected(safe.error());
  if (auto there = need_vfio(); !there) return std::unexpected(there.error());
  if (!nic->driver.empty()) remember(*nic);

  auto changed = change_driver(*nic, kVfio, "");
  const auto after = find_nic(machine_, nic->pci_address);
  if (changed && !after) return failed(nic->pci_address + " is gone: it vanished while its driver changed");
  if (changed && after->driver != kVfio) {
    changed = failed("vfio-pci did not take " + nic->pci_address + "; the kernel log (dmesg) says why");
  }
  if (!changed) {
    // Back to how it was: a port between two drivers is of no use to anybody.
    (void)change_driver(after.value_or(*nic), "", nic->driver);
    return std::unexpected(changed.error());
  }
  result.nic = *after;
  if (!result.nic.group_members.empty()) {
    std::vector<std::string> others;
    for (const std::string& member : result.nic.group_members) {
      if (!member.ends_with("(vfio-pci)") && !member.ends_with("(no driver)")) others.push_back(member);
    }
    if (!others.empty()) {
      result.notes.push_back(
          "IOMMU group " + result.nic.iommu_group + " also holds " + list_of(others) +
          ": a group is given away as a whole, so the port can be used once these are bound to "
          "vfio-pci too, or sit in another slot");
    }
  }
  return result;
}

std::expected<BindResult, BindError> PortBinder::unbind(const std::string& device,
                                                        const std::string& driver) {
  const auto nic = find_nic(machine_, device);
  if (!nic) return not_found(device);
  // Without any driver a port is not the kernel's either: that is mended here, too.
  if (nic->driver != kVfio && !nic->driver.empty()) {
    return refused(nic->pci_address + " is not bound to vfio-pci (its driver: " + nic->driver +
                   "); there is nothing to give back");
  }
  // The kernel would wait for the process, and this one with it, beyond the reach of any signal.
  if (nic->driver == kVfio && machine_.vfio_in_use(nic->vfio_node)) {
    return refused(
        nic->pci_address + " is in use: a process has /dev/vfio/" + nic->vfio_node +
        " open (a running data plane, a virtual machine); end it first (swarmctl node stop dataplane)");
  }
  const std::string target = driver.empty() ? previous_driver(nic->pci_address) : driver;
  if (!target.empty() && !machine_.exists(machine_.sys() + "/bus/pci/drivers/" + target)) {
    if (auto loaded = machine_.load_module(target); !loaded) {
      return refused("there is no driver \"" + target + "\" (" + loaded.error() +
                     "); name another by --driver");
    }
  }
  auto changed = change_driver(*nic, "", target);
  machine_.settle();
  BindResult result;
  result.nic = find_nic(machine_, nic->pci_address).value_or(*nic);
  if (!changed)
    changed = failed((target.empty() ? "" : target + " does not take it: ") + changed.error().text);
  if (changed && result.nic.driver.empty()) changed = failed("no driver took it back");
  if (!changed) {
    std::string text = nic->pci_address + ": " + changed.error().text;
    // As in bind(): a port between two drivers is of no use to anybody.
    if (nic->driver == kVfio && change_driver(result.nic, kVfio, ""))
      text += "; it is with vfio-pci as before";
    return failed(text + "; name the driver by --driver");
  }
  unlink((memory_dir_ + "/" + nic->pci_address).c_str());
  return result;
}

}  // namespace swarmdns::controlplane
