#include "proto/config/store.h"

#include <fcntl.h>
#include <google/protobuf/util/json_util.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace swarmdns::config {
namespace {

std::unexpected<std::string> failure(const std::string& what, const std::string& path) {
  return std::unexpected(what + " " + path + ": " + std::strerror(errno));
}

bool write_all(int fd, const std::string& contents) {
  size_t done = 0;
  while (done < contents.size()) {
    const ssize_t n = write(fd, contents.data() + done, contents.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    done += static_cast<size_t>(n);
  }
  return true;
}

// The rename is durable only when the directory is.
void sync_directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  fsync(fd);
  close(fd);
}

}  // namespace

std::expected<std::string, std::string> read_file(const std::string& path, size_t limit) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failure("cannot open", path);
  std::string contents;
  char buffer[16384];
  for (;;) {
    const ssize_t n = read(fd, buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      auto result = failure("cannot read", path);
      close(fd);
      return result;
    }
    if (n == 0) break;
    contents.append(buffer, static_cast<size_t>(n));
    if (contents.size() > limit) {
      close(fd);
      return std::unexpected(path + " is larger than " + std::to_string(limit) + " bytes");
    }
  }
  close(fd);
  return contents;
}

std::expected<void, std::string> write_file_atomically(const std::string& path, const std::string& contents,
                                                       unsigned mode) {
  const std::string beside = path + ".new";
  unlink(beside.c_str());  // a left-over of a crash; O_EXCL below refuses to follow a planted link
  const int fd = open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return failure("cannot create", beside);
  if (fchmod(fd, mode) != 0 || !write_all(fd, contents) || fsync(fd) != 0) {
    auto result = failure("cannot write", beside);
    close(fd);
    unlink(beside.c_str());
    return result;
  }
  close(fd);
  if (rename(beside.c_str(), path.c_str()) != 0) {
    auto result = failure("cannot rename to", path);
    unlink(beside.c_str());
    return result;
  }
  sync_directory_of(path);
  return {};
}

std::expected<v1::DataplaneConfig, std::string> read_dataplane_config(const std::string& path) {
  const auto text = read_file(path);
  if (!text) return std::unexpected(text.error());
  v1::DataplaneConfig config;
  const auto status = google::protobuf::util::JsonStringToMessage(*text, &config);
  if (!status.ok()) {
    return std::unexpected(path + " is not a data plane configuration: " + std::string(status.message()));
  }
  return config;
}

std::expected<void, std::string> write_dataplane_config(const std::string& path,
                                                        const v1::DataplaneConfig& config) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  std::string text;
  const auto status = google::protobuf::util::MessageToJsonString(config, &text, options);
  if (!status.ok()) return std::unexpected("cannot render " + path + ": " + std::string(status.message()));
  return write_file_atomically(path, text, 0640);
}

}  // namespace swarmdns::config
