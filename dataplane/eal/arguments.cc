// Options to the EAL's command line. Free of DPDK, so that it can be tested without starting it.
#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <set>

#include "dataplane/eal/eal.h"

namespace swarmdns::eal {
namespace {

bool all_hex(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
}

std::expected<void, Error> check(const EalOptions& options) {
  if (options.worker_cpus.empty()) {
    return std::unexpected(
        Error{"eal.worker_cpus", "no CPU is given for a worker", "name at least one, e.g. worker_cpus: [1]"});
  }
  if (options.worker_cpus.size() > 64) {
    return std::unexpected(Error{"eal.worker_cpus",
                                 std::to_string(options.worker_cpus.size()) + " workers are asked for",
                                 "give 64 at most"});
  }
  const std::set<unsigned> distinct(options.worker_cpus.begin(), options.worker_cpus.end());
  if (distinct.size() != options.worker_cpus.size()) {
    return std::unexpected(Error{"eal.worker_cpus", "a CPU is named twice",
                                 "give each worker a CPU of its own: two pollers on one halve each other"});
  }
  if (options.memory_mib < 64 || options.memory_mib > 65536) {
    return std::unexpected(Error{"eal.memory_mib",
                                 std::to_string(options.memory_mib) + " MiB is out of range",
                                 "set it between 64 and 65536"});
  }
  const auto odd = [](unsigned char c) { return std::isalnum(c) == 0 && c != '-' && c != '_' && c != '.'; };
  if (options.file_prefix.empty() || options.file_prefix.size() > 64 ||
      std::any_of(options.file_prefix.begin(), options.file_prefix.end(), odd)) {
    return std::unexpected(Error{"eal.file_prefix", "\"" + options.file_prefix + "\" cannot be a file name",
                                 "use 1 to 64 letters, digits, '-', '_' and '.'"});
  }
  return {};
}

}  // namespace

bool is_pci_address(const std::string& device) noexcept {
  const std::string_view address = std::string_view(device).substr(0, device.find(','));
  const std::size_t dot = address.rfind('.');
  if (dot == std::string_view::npos || dot + 2 != address.size() || address[dot + 1] < '0' ||
      address[dot + 1] > '7') {
    return false;
  }
  std::string_view rest = address.substr(0, dot);
  const std::size_t slot = rest.rfind(':');
  if (slot == std::string_view::npos || rest.size() - slot != 3 || !all_hex(rest.substr(slot + 1)))
    return false;
  rest = rest.substr(0, slot);
  const std::size_t bus = rest.rfind(':');
  const std::string_view bus_digits = bus == std::string_view::npos ? rest : rest.substr(bus + 1);
  if (bus_digits.size() != 2 || !all_hex(bus_digits)) return false;
  return bus == std::string_view::npos || (bus >= 4 && bus <= 8 && all_hex(rest.substr(0, bus)));
}

std::string pci_port_name(const std::string& device) {
  std::string name = device.substr(0, device.find(','));
  std::ranges::transform(name, name.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::ranges::count(name, ':') == 1 ? "0000:" + name : name;
}

Error start_error(const EalOptions& options, int error) {
  const std::string problem = std::string("DPDK did not start: ") + std::strerror(error);
  // ENODEV: it could not even parse a device, for the driver of its bus, a library of its own, is not there.
  if (error == ENODEV && std::ranges::any_of(options.devices, is_pci_address)) {
    return {
        "ports", problem,
        "install DPDK's drivers, which it loads at run time (Debian: librte-meta-bus, librte-meta-mempool, "
        "librte-meta-net)"};
  }
  if (options.hugepages && (error == EACCES || error == ENOMEM)) {
    return {"eal.hugepages", problem,
            "reserve them (`echo " + std::to_string(options.memory_mib / 2 + 1) +
                " > /proc/sys/vm/nr_hugepages`, `mount -t hugetlbfs nodev /dev/hugepages`), or set "
                "eal.hugepages: false"};
  }
  return {"eal", problem, "read the lines DPDK printed above; see eal.extra_args and eal.memory_mib"};
}

std::expected<std::vector<std::string>, Error> eal_arguments(const EalOptions& options) {
  if (auto ok = check(options); !ok) return std::unexpected(ok.error());
  std::vector<std::string> arguments{"swarmdns-dataplane"};
  std::string lcores = "0@" + std::to_string(options.main_cpu);
  for (std::size_t i = 0; i < options.worker_cpus.size(); ++i) {
    lcores += "," + std::to_string(i + 1) + "@" + std::to_string(options.worker_cpus[i]);
  }
  arguments.insert(arguments.end(), {"--lcores", lcores, "--main-lcore", "0"});
  // No shared state and no hugepage files: nothing is left behind, whatever way the process ends, and nodes
  // in several network namespaces of one machine do not meet under /var/run/dpdk. DPDK knows the one switch
  // for hugepages only.
  arguments.push_back(options.hugepages ? "--in-memory" : "--no-shconf");
  if (!options.hugepages) arguments.push_back("--no-huge");
  arguments.insert(arguments.end(), {"-m", std::to_string(options.memory_mib)});
  arguments.insert(arguments.end(), {"--file-prefix", options.file_prefix, "--no-telemetry"});
  bool pci = false;
  for (const std::string& device : options.devices) {
    if (!is_pci_address(device)) continue;
    pci = true;
    arguments.insert(arguments.end(), {"-a", device});
  }
  if (!pci) arguments.push_back("--no-pci");
  if (options.quiet) arguments.insert(arguments.end(), {"--log-level", "*:warning"});
  arguments.insert(arguments.end(), options.extra_args.begin(), options.extra_args.end());
  return arguments;
}

std::vector<unsigned> non_worker_cpus(const EalOptions& options, const std::vector<unsigned>& allowed) {
  std::vector<unsigned> result;
  for (const unsigned cpu : allowed) {
    if (std::find(options.worker_cpus.begin(), options.worker_cpus.end(), cpu) == options.worker_cpus.end()) {
      result.push_back(cpu);
    }
  }
  if (result.empty()) result.push_back(options.main_cpu);
  return result;
}

}  // namespace swarmdns::eal
