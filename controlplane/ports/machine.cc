#include "controlplane/ports/machine.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "controlplane/supervise/run_program.h"
#include "controlplane/supervise/unique_fd.h"
#include "proto/config/store.h"

namespace swarmdns::controlplane {

namespace fs = std::filesystem;

std::optional<std::string> Machine::attribute(const std::string& path) const {
  auto text = config::read_file(path, 65536);
  if (!text) return std::nullopt;
  while (!text->empty() && (text->back() == '\n' || text->back() == ' ')) text->pop_back();
  return *text;
}

std::string Machine::link_name(const std::string& path) const {
  std::error_code error;
  const fs::path target = fs::read_symlink(path, error);
  return error ? "" : target.filename().string();
}

std::vector<std::string> Machine::entries(const std::string& path) const {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
    names.push_back(at->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool Machine::exists(const std::string& path) const {
  std::error_code error;
  return fs::exists(path, error);
}

std::expected<void, std::string> Machine::write(const std::string& path, const std::string& text) {
  const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd) return std::unexpected("cannot open " + path + ": " + std::strerror(errno));
  if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return std::unexpected("cannot write to " + path + ": " + std::strerror(errno));
  }
  return {};
}

std::expected<void, std::string> Machine::load_module(const std::string& name) {
  const auto result = run_program({"/sbin/modprobe", name}, 20000);
  if (!result) return std::unexpected(result.error());
  if (result->exit_status == 0) return {};
  std::string output = result->output;
  while (!output.empty() && output.back() == '\n') output.pop_back();
  return std::unexpected("modprobe " + name + ": " + output);
}

void Machine::settle() {
  (void)run_program({"/bin/udevadm", "settle", "--timeout=10"}, 15000);
}

bool Machine::vfio_in_use(const std::string& node) const {
  const UniqueFd fd(open(("/dev/vfio/" + node).c_str(), O_RDWR | O_CLOEXEC));
  return !fd && errno == EBUSY;
}

std::vector<std::string> Machine::addresses(const std::string& interface) const {
  std::vector<std::string> result;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return result;
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr || at->ifa_netmask == nullptr || interface != at->ifa_name) continue;
    const int family = at->ifa_addr->sa_family;
    char text[INET6_ADDRSTRLEN] = {};
    int length = 0;
    if (family == AF_INET) {
      inet_ntop(family, &reinterpret_cast<sockaddr_in*>(at->ifa_addr)->sin_addr, text, sizeof(text));
      length = std::popcount(reinterpret_cast<sockaddr_in*>(at->ifa_netmask)->sin_addr.s_addr);
    } else if (family == AF_INET6) {
      const auto* address = &reinterpret_cast<sockaddr_in6*>(at->ifa_addr)->sin6_addr;
      if (IN6_IS_ADDR_LINKLOCAL(address)) continue;
      inet_ntop(family, address, text, sizeof(text));
      for (const uint8_t byte : reinterpret_cast<sockaddr_in6*>(at->ifa_netmask)->sin6_addr.s6_addr) {
        length += std::popcount(byte);
      }
    } else {
      continue;
    }
    result.push_back(std::string(text) + "/" + std::to_string(length));
  }
  freeifaddrs(list);
  return result;
}

bool Machine::has_default_route(const std::string& interface) const {
  std::string line;
  // Interface, destination, gateway, flags, ..., mask; all in hexadecimal.
  if (const auto v4 = config::read_file("/proc/net/route")) {
    std::istringstream lines(*v4);
    while (std::getline(lines, line)) {
      std::istringstream fields(line);
      std::string name, destination, skip, mask;
      fields >> name >> destination >> skip >> skip >> skip >> skip >> skip >> mask;
      if (name == interface && destination == "00000000" && mask == "00000000") return true;
    }
  }
  // Destination, prefix length, ..., interface last.
  if (const auto v6 = config::read_file("/proc/net/ipv6_route")) {
    std::istringstream lines(*v6);
    while (std::getline(lines, line)) {
      std::istringstream fields(line);
      std::string destination, length, skip, next_hop, name;
      fields >> destination >> length >> skip >> skip >> next_hop >> skip >> skip >> skip >> skip >> name;
      if (name == interface && length == "00" && next_hop != std::string(32, '0')) return true;
    }
  }
  return false;
}

}  // namespace swarmdns::controlplane
