#include "controlplane/resolver/unbound.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "controlplane/resolver/trust_anchor.h"
#include "controlplane/supervise/run_program.h"
#include "proto/config/store.h"

namespace swarmdns::controlplane {
namespace {

// Beside unbound itself, where every distribution puts it.
std::string checkconf_of(const std::string& binary) {
  const std::string beside = binary.substr(0, binary.rfind('/')) + "/unbound-checkconf";
  return access(beside.c_str(), X_OK) == 0 ? beside : "/usr/sbin/unbound-checkconf";
}

std::expected<void, std::string> judge(const std::string& binary, const std::string& conf) {
  const auto result = run_program({checkconf_of(binary), conf}, 10000);
  if (!result) return std::unexpected(result.error());
  if (result->exit_status == 0) return {};
  std::string output = result->output;
  while (!output.empty() && output.back() == '\n') output.pop_back();
  for (char& c : output) {
    if (c == '\n') c = ';';
  }
  return std::unexpected("unbound-checkconf refuses the configuration made from `resolver`: " + output);
}

}  // namespace

std::expected<void, std::string> make_directory(const std::string& path, unsigned mode, uid_t uid,
                                                gid_t gid) {
  if (mkdir(path.c_str(), mode) != 0 && errno != EEXIST) {
    return std::unexpected("cannot make " + path + ": " + std::strerror(errno));
  }
  // Through a descriptor: a link in place of the directory is not followed.
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return std::unexpected("cannot open the directory " + path + ": " + std::strerror(errno));
  if (geteuid() == 0 && fchown(fd.get(), uid, gid) != 0) {
    return std::unexpected("cannot set the owner of " + path + ": " + std::strerror(errno));
  }
  if (fchmod(fd.get(), mode) != 0) {
    return std::unexpected("cannot set the mode of " + path + ": " + std::strerror(errno));
  }
  return {};
}

std::expected<SpawnOptions, std::string> prepare_unbound(const v1::ResolverConfig& config,
                                                         const ResolverPaths& paths) {
  const passwd* user = getpwnam(config.user().c_str());
  if (user == nullptr) {
    return std::unexpected("there is no user \"" + config.user() +
                           "\"; set resolver.user, or apt install unbound");
  }
  const uid_t uid = user->pw_uid;
  const gid_t gid = user->pw_gid;
  if (auto made = make_directory(paths.directory, 0755, geteuid(), getegid()); !made) {
    return std::unexpected(made.error());
  }
  if (auto made = make_directory(paths.anchor_dir, 0755, uid, gid); !made)
    return std::unexpected(made.error());
  if (!config.trust_anchor_file().empty() && !config.trust_anchor_static() &&
      !config.has_val_override_date()) {
    const auto seeded = seed_trust_anchor(config.trust_anchor_file(), paths.anchor,
                                          paths.directory + "/root.key.seed", uid, gid);
    if (!seeded) return std::unexpected(seeded.error());
  }
  if (auto written = config::write_file_atomically(paths.conf, render_unbound_conf(config, paths));
      !written) {
    return std::unexpected(written.error());
  }
  if (auto judged = judge(config.binary(), paths.conf); !judged) return std::unexpected(judged.error());
  unlink(paths.control_socket.c_str());
  return SpawnOptions{{config.binary(), "-d", "-c", paths.conf}, paths.log_file};
}

std::expected<void, std::string> check_unbound(const v1::ResolverConfig& config, const ResolverPaths& paths) {
  char conf[] = "/tmp/swarmdns-unbound-XXXXXX";
  const UniqueFd fd(mkostemp(conf, O_CLOEXEC));
  if (!fd) return std::unexpected(std::string("cannot make a temporary file: ") + std::strerror(errno));
  // Judged before anything of the node is touched: the directories and the anchor's copy may not be there
  // yet.
  v1::ResolverConfig candidate = config;
  candidate.set_trust_anchor_static(true);
  ResolverPaths elsewhere = paths;
  elsewhere.directory = "/";
  const std::string text = render_unbound_conf(candidate, elsewhere);
  const bool written = write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
  auto judged = written
                    ? judge(config.binary(), conf)
                    : std::expected<void, std::string>(std::unexpected("cannot write " + std::string(conf)));
  unlink(conf);
  return judged;
}

}  // namespace swarmdns::controlplane
