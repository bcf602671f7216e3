#include "controlplane/api/callers.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>

namespace swarmdns::controlplane {
namespace {

// Nothing that could be read as another part of a principal.
bool is_plain_name(const std::string& text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == '\\';
  });
}

}  // namespace

std::string user_name(uid_t uid) {
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> buffer(16384);
  if (getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
    return found->pw_name;
  }
  return "uid " + std::to_string(uid);
}

void Callers::set_access(AdminAccess access) {
  const std::lock_guard lock(mutex_);
  access_ = std::move(access);
}

Outcome<uid_t> Callers::uid_of(const std::string& peer) const {
  const auto credentials = peers_.of(peer);
  if (!credentials) {
    return std::unexpected(Refusal{Refusal::Kind::kForbidden,
                                   "nobody knows who is at the other end of this "
                                   "connection; use the admin socket"});
  }
  return credentials->uid;
}

Outcome<std::string> Callers::principal(const std::string& peer, const std::string& claim) const {
  const auto uid = uid_of(peer);
  if (!uid) return std::unexpected(uid.error());
  std::string text = user_name(*uid);
  if (is_plain_name(claim) && claim != text) text += " (sudo by " + claim + ")";
  const std::lock_guard lock(mutex_);
  return text + "@" + access_.node;
}

Outcome<void> Callers::may_read_names(const std::string& peer) const {
  const auto uid = uid_of(peer);
  if (!uid) return std::unexpected(uid.error());
  if (*uid == 0 || *uid == geteuid()) return {};
  const std::lock_guard lock(mutex_);
  const auto& readers = access_.ledger_readers;
  if (std::find(readers.begin(), readers.end(), *uid) != readers.end()) return {};
  return std::unexpected(Refusal{Refusal::Kind::kForbidden,
                                 user_name(*uid) +
                                     " may not read the names that the ledger holds; use sudo, or have "
                                     "root add the user to node.ledger_readers"});
}

}  // namespace swarmdns::controlplane
