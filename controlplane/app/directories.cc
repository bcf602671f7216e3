#include "controlplane/app/directories.h"

#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "controlplane/resolver/unbound.h"

namespace swarmdns::controlplane {

std::expected<void, std::string> prepare_directories(const v1::NodeConfig& node) {
  const passwd* user = getpwnam(node.user().c_str());
  if (user == nullptr) return std::unexpected("there is no user \"" + node.user() + "\" (node.user)");
  const gid_t group = user->pw_gid;
  const bool shared = user->pw_uid != 0;
  for (const std::string& path : {node.state_dir(), node.run_dir()}) {
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
    if (auto made = make_directory(path, shared ? 01775 : 0755, geteuid(), shared ? group : getegid());
        !made) {
      return made;
    }
  }
  return make_directory(node.state_dir() + "/log", 0755, geteuid(), getegid());
}

std::expected<void, std::string> give_to_dataplane(const std::string& path, const v1::NodeConfig& node) {
  const passwd* user = getpwnam(node.user().c_str());
  if (user == nullptr) return std::unexpected("there is no user \"" + node.user() + "\" (node.user)");
  if (geteuid() == 0 && lchown(path.c_str(), user->pw_uid, user->pw_gid) != 0) {
    return std::unexpected("cannot give " + path + " to " + node.user() + ": " + std::strerror(errno));
  }
  return {};
}

}  // namespace swarmdns::controlplane
