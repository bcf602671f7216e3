#include "dataplane/app/privileges.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <future>
#include <memory>
#include <vector>

#include "dataplane/sync/affinity.h"

namespace swarmdns::app {
namespace {

struct User {
  uid_t uid = 0;
  gid_t gid = 0;
};

std::string sentence(const std::string& what, int error) {
  return what + ": " + std::strerror(error);
}

std::expected<User, std::string> look_up(const std::string& name) {
  passwd record{};
  passwd* found = nullptr;
  std::vector<char> buffer(16384);
  const int rc = getpwnam_r(name.c_str(), &record, buffer.data(), buffer.size(), &found);
  if (rc != 0) return std::unexpected(sentence("cannot look up the user " + name, rc));
  if (found == nullptr) {
    return std::unexpected("user: there is no user \"" + name +
                           "\"; make it with `adduser --system --group " + name + "`, or set node.user");
  }
  return User{record.pw_uid, record.pw_gid};
}

using Caps = std::unique_ptr<std::remove_pointer_t<cap_t>, int (*)(void*)>;

// The calling thread's capabilities become exactly these (none: nullopt).
bool set_capabilities(bool net_admin_permitted, bool net_admin_effective) {
  const Caps caps(cap_init(), cap_free);
  if (!caps) return false;
  const cap_value_t wanted[] = {CAP_NET_ADMIN};
  if (net_admin_permitted && cap_set_flag(caps.get(), CAP_PERMITTED, 1, wanted, CAP_SET) != 0) return false;
  if (net_admin_effective && cap_set_flag(caps.get(), CAP_EFFECTIVE, 1, wanted, CAP_SET) != 0) return false;
  return cap_set_proc(caps.get()) == 0;
}

bool net_admin_kept() {
  const Caps caps(cap_get_proc(), cap_free);
  cap_flag_value_t value = CAP_CLEAR;
  return caps && cap_get_flag(caps.get(), CAP_NET_ADMIN, CAP_PERMITTED, &value) == 0 && value == CAP_SET;
}

}  // namespace

std::expected<void, std::string> prepare_directory(const std::string& directory, const std::string& user) {
  if (mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST) {
    return std::unexpected(sentence("cannot make the directory " + directory, errno));
  }
  if (geteuid() != 0) {
    if (access(directory.c_str(), W_OK | X_OK) != 0) {
      return std::unexpected(
          sentence(directory + " cannot be written; give it to this user, or start as root", errno));
    }
    return {};
  }
  if (user == "root") return {};
  const auto who = look_up(user);
  if (!who) return std::unexpected(who.error());
  struct stat info {};
  if (stat(directory.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
    return std::unexpected(directory + " is not a directory; remove it, or name another");
  }
  if (info.st_uid == who->uid) return {};  // theirs already
  const mode_t mode = (info.st_mode & 07777) | S_ISVTX | S_IRGRP | S_IWGRP | S_IXGRP;
  if (chown(directory.c_str(), static_cast<uid_t>(-1), who->gid) != 0 ||
      chmod(directory.c_str(), mode) != 0) {
    return std::unexpected(sentence("cannot let " + user + " write " + directory, errno));
  }
  return {};
}

std::expected<void, std::string> adopt_files(std::span<const std::string> paths, const std::string& user) {
  if (geteuid() != 0 || user == "root") return {};
  const auto who = look_up(user);
  if (!who) return std::unexpected(who.error());
  for (const std::string& path : paths) {
    if (lchown(path.c_str(), who->uid, who->gid) != 0 && errno != ENOENT) {
      return std::unexpected(sentence("cannot give " + path + " to " + user, errno));
    }
  }
  return {};
}

std::expected<void, std::string> drop_root(const std::string& user) {
  if (geteuid() != 0 || user == "root") return {};
  const auto who = look_up(user);
  if (!who) return std::unexpected(who.error());
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
    return std::unexpected(sentence("cannot keep capabilities", errno));
  // glibc changes the ids of every thread; the other threads, without KEEPCAPS, lose all capabilities by it.
  if (setgroups(0, nullptr) != 0 || setresgid(who->gid, who->gid, who->gid) != 0 ||
      setresuid(who->uid, who->uid, who->uid) != 0) {
    return std::unexpected(sentence("cannot become " + user, errno));
  }
  if (!set_capabilities(true, false)) return std::unexpected(sentence("cannot drop capabilities", errno));
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return std::unexpected(sentence("cannot give up gaining privileges", errno));
  }
  return {};
}

NetAdmin::NetAdmin() : raised_(geteuid() != 0 && net_admin_kept()) {
  if (raised_) (void)set_capabilities(true, true);
}

NetAdmin::~NetAdmin() {
  if (raised_) (void)set_capabilities(true, false);
}

void on_plain_thread(std::span<const unsigned> cpus, const std::function<void()>& work) {
  std::async(std::launch::async, [&] {
    (void)sync::set_affinity(cpus);  // refused: the threads run wherever this process may
    if (geteuid() != 0) (void)set_capabilities(false, false);
    work();
  }).get();
}

}  // namespace swarmdns::app
