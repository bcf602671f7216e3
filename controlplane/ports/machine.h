// What the port code sees and touches of a machine: sysfs, addresses, routes, modules. One place, so that
// tests can put a tree of files in its stead.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

namespace swarmdns::controlplane {

class Machine {
 public:
  // `sys`: mount point of sysfs.
  explicit Machine(std::string sys = "/sys") : sys_(std::move(sys)) {}
  virtual ~Machine() = default;

  const std::string& sys() const { return sys_; }

  // One attribute without its line break; nullopt: not there.
  std::optional<std::string> attribute(const std::string& path) const;
  // The last component of what a link points to; "" = no link.
  std::string link_name(const std::string& path) const;
  // Names in a directory, sorted; empty when it is not there.
  std::vector<std::string> entries(const std::string& path) const;
  bool exists(const std::string& path) const;

  // Writes to an attribute; the kernel acts on it. The error is a sentence.
  virtual std::expected<void, std::string> write(const std::string& path, const std::string& text);
  virtual std::expected<void, std::string> load_module(const std::string& name);
  // A process has the device of VFIO open ("7", "noiommu-0"), which the kernel allows one at a time.
  virtual bool vfio_in_use(const std::string& node) const;
  // Until udev has given new interfaces their names; 10 s at most, at once where there is no udev.
  virtual void settle();
  // "192.0.2.1/24" of the interface; link-local ones are left out.
  virtual std::vector<std::string> addresses(const std::string& interface) const;
  // A default route (either family) leaves by the interface.
  virtual bool has_default_route(const std::string& interface) const;

 private:
  std::string sys_;
};

}  // namespace swarmdns::controlplane
