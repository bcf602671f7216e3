#include "controlplane/config/environment.h"

#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace swarmdns::controlplane {
namespace {

void need_user(const std::string& user, const std::string& path, std::vector<config::Problem>& problems) {
  errno = 0;
  if (getpwnam(user.c_str()) != nullptr) return;
  problems.push_back({path, "there is no user \"" + user +
                                "\" on this machine; make it with: useradd --system --no-create-home " +
                                "--shell /usr/sbin/nologin " + user});
}

void need_file(const std::string& file, int access_mode, const std::string& path, const std::string& mend,
               std::vector<config::Problem>& problems) {
  if (access(file.c_str(), access_mode) == 0) return;
  problems.push_back({path, "cannot use " + file + ": " + std::strerror(errno) + "; " + mend});
}

}  // namespace

std::vector<config::Problem> environment_problems(const v1::Config& config) {
  std::vector<config::Problem> problems;
  need_user(config.node().user(), "node.user", problems);
  for (int i = 0; i < config.node().admin_users_size(); ++i) {
    need_user(config.node().admin_users(i), "node.admin_users[" + std::to_string(i) + "]", problems);
  }
  const v1::ResolverConfig& resolver = config.resolver();
  if (resolver.mode() != v1::UNBOUND) return problems;
  need_file(resolver.binary(), X_OK, "resolver.binary", "install it with: apt install unbound", problems);
  need_user(resolver.user(), "resolver.user", problems);
  if (!resolver.trust_anchor_file().empty()) {
    need_file(resolver.trust_anchor_file(), R_OK, "resolver.trust_anchor_file",
              "install it with: apt install dns-root-data", problems);
  }
  if (resolver.forwarders().empty()) {
    need_file(resolver.root_hints_file(), R_OK, "resolver.root_hints_file",
              "install it with: apt install dns-root-data", problems);
  }
  return problems;
}

}  // namespace swarmdns::controlplane
