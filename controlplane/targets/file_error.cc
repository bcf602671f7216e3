#include "controlplane/targets/file_error.h"

#include <string.h>
#include <unistd.h>

#include <cerrno>

namespace swarmdns::controlplane {
namespace {

using Kind = TargetError::Kind;

struct Meaning {
  Kind kind;
  std::string mend;
};

Meaning meaning_of(int error) {
  const std::string user = std::to_string(geteuid());
  switch (error) {
    case ENOENT:
      return {Kind::kNotFound, ""};
    case ENOSPC:
      return {Kind::kFull, "free space on its file system, or prune old snapshots"};
    case EDQUOT:
      return {Kind::kFull, "raise the quota of user " + user + " there, or prune old snapshots"};
    case EACCES:
    case EPERM:
      return {Kind::kRefused, "let user " + user + " read, write and search it (chown, chmod)"};
    case EROFS:
      return {Kind::kRefused, "mount it for writing; if an error made it read-only, dmesg says which"};
    case EIO:
      return {Kind::kUnavailable, "dmesg says what is wrong with the disk"};
    case ESTALE:
    case ETIMEDOUT:
    case ENOTCONN:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENODEV:
    case ENXIO:
      return {Kind::kUnavailable, "see that the file system is mounted and its server answers"};
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN:
    case EBUSY:
      return {Kind::kUnavailable, "the machine is short of this for the moment"};
    case ELOOP:
    case ENOTDIR:
      return {Kind::kBroken,
              "there is a symbolic link or another file in its way, which is not followed: remove it"};
    case EOPNOTSUPP:
      return {Kind::kUnsupported, "use a file system that has hard links, or renames that overwrite nothing"};
    case EISDIR:
    case ENOTEMPTY:
      return {Kind::kInvalid, "there is a folder of that name"};
    case ENAMETOOLONG:
      return {Kind::kInvalid, "use a file system that takes names of 200 characters"};
    case EFBIG:
      return {Kind::kInvalid, "use a file system (and a limit of file sizes) that takes files of 256 MiB"};
    default:
      return {Kind::kUnavailable, ""};
  }
}

}  // namespace

TargetError file_error(int error, const std::string& place, const std::string& doing) {
  const char* text = strerrordesc_np(-error);
  const Meaning meaning = meaning_of(-error);
  std::string what =
      place + ": cannot " + doing + ": " + (text == nullptr ? "error " + std::to_string(-error) : text);
  if (!meaning.mend.empty()) what += "; " + meaning.mend;
  return {meaning.kind, what};
}

}  // namespace swarmdns::controlplane
