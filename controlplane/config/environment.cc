#include "controlplane/config/environment.h"

#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "proto/config/store.h"

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

constexpr const char* kAppArmorProfiles = "/sys/kernel/security/apparmor/profiles";
constexpr const char* kAppArmorLocal = "/etc/apparmor.d/local/usr.sbin.unbound";

}  // namespace

std::optional<std::string> apparmor_problem(const v1::Config& config, const std::string& profiles,
                                            const std::string& local) {
  const bool confined = config.resolver().binary() == "/usr/sbin/unbound" &&
                        (("\n" + profiles).find("\nunbound (enforce)") != std::string::npos ||
                         ("\n" + profiles).find("\n/usr/sbin/unbound (enforce)") != std::string::npos);
  const std::string folder = config.node().state_dir() + "/resolver/";
  if (!confined || local.find(folder) != std::string::npos) return std::nullopt;
  return "AppArmor keeps Unbound out of " + folder + "; allow it with: printf '%s\\n' '" + folder +
         "** rwk,' '" + config.node().state_dir() + "/log/resolver.log* rw,' '" + config.node().run_dir() +
         "/unbound.ctl rw,' >> " + kAppArmorLocal + " && apparmor_parser -r /etc/apparmor.d/usr.sbin.unbound";
}

std::vector<config::Problem> environment_problems(const v1::Config& config) {
  std::vector<config::Problem> problems;
  need_user(config.node().user(), "node.user", problems);
  for (int i = 0; i < config.node().admin_users_size(); ++i) {
    need_user(config.node().admin_users(i), "node.admin_users[" + std::to_string(i) + "]", problems);
  }
  for (int i = 0; i < config.node().ledger_readers_size(); ++i) {
    need_user(config.node().ledger_readers(i), "node.ledger_readers[" + std::to_string(i) + "]", problems);
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
  // Unreadable without AppArmor, and without root: then there is nothing to say.
  const std::string profiles = config::read_file(kAppArmorProfiles).value_or("");
  if (auto problem = apparmor_problem(config, profiles, config::read_file(kAppArmorLocal).value_or(""))) {
    problems.push_back({"resolver", *problem});
  }
  return problems;
}

}  // namespace swarmdns::controlplane
