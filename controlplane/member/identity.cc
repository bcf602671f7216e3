#include "controlplane/member/identity.h"

#include <google/protobuf/util/json_util.h>
#include <sys/stat.h>

#include <filesystem>

#include "controlplane/certs/private_file.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::uint32_t kFormat = 1;

}  // namespace

std::expected<std::optional<Identity>, std::string> IdentityFiles::load() const {
  auto text = read_private_file(file());
  if (!text) return std::unexpected(text.error());
  if (!*text) return std::nullopt;
  Identity identity;
  const std::string json((*text)->view());
  if (!google::protobuf::util::JsonStringToMessage(json, &identity.record).ok())
    return std::unexpected(file() + " cannot be read; restore it from a copy, or join the swarm anew");
  const v1::NodeIdentity& record = identity.record;
  if (record.format() != kFormat) {
    return std::unexpected(file() + " has format " + std::to_string(record.format()) +
                           "; this program knows format 1: install the one that wrote it, or a newer one");
  }
  if (record.swarm_id().size() != 16 || record.incarnation() == 0 || record.node() == 0 ||
      record.name_key().size() != 32)
    return std::unexpected(file() + " lacks parts; restore it from a copy, or join the swarm anew");
  auto keys = load_node_keys(directory_);
  if (!keys) return std::unexpected(keys.error());
  if (!*keys) {
    return std::unexpected("the keys of this node are not in " + directory_ +
                           "; restore them from a copy, or join the swarm anew");
  }
  identity.keys = std::move(**keys);
  return identity;
}

std::expected<void, std::string> IdentityFiles::prepare() const {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::create_directories(directory_, error);
  if (error) return std::unexpected("cannot make " + directory_ + ": " + error.message());
  if (chmod(directory_.c_str(), 0700) != 0) return std::unexpected("cannot set the mode of " + directory_);
  for (const auto& entry : fs::directory_iterator(directory_, error)) {
    if (entry.path().filename() == "lost+found") continue;
    return std::unexpected(directory_ + " holds " + entry.path().filename().string() +
                           " of another membership; move it away first");
  }
  if (error) return std::unexpected("cannot read " + directory_ + ": " + error.message());
  return {};
}

std::expected<void, std::string> IdentityFiles::keep(const v1::NodeIdentity& record) const {
  v1::NodeIdentity kept = record;
  kept.set_format(kFormat);
  std::string json;
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  if (!google::protobuf::util::MessageToJsonString(kept, &json, options).ok())
    return std::unexpected("the identity cannot be written as JSON");
  return write_private_file(file(), Secret::taken_from(json));
}

// The identity last: it is what makes a membership.
std::expected<void, std::string> IdentityFiles::keep(const Identity& identity) const {
  if (auto kept = keep_node_keys(directory_, identity.keys); !kept) return kept;
  return keep(identity.record);
}

std::expected<void, std::string> IdentityFiles::forget() const {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::remove(file(), error);
  if (error) return std::unexpected("cannot remove " + file() + ": " + error.message());
  for (const auto& entry : fs::directory_iterator(directory_, error)) {
    if (entry.path().filename() == "lost+found") continue;
    std::error_code failed;
    fs::remove_all(entry.path(), failed);
    if (failed) return std::unexpected("cannot remove " + entry.path().string() + ": " + failed.message());
  }
  return {};
}

}  // namespace swarmdns::controlplane
