#include "controlplane/member/identity.h"

#include <google/protobuf/util/json_util.h>
#include <sys/stat.h>

#include <filesystem>

#include "controlplane/certs/private_file.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::uint32_t kFormat = 1;
// A genesis that carries a state over, and 65,535 members at 200 octets.
constexpr std::size_t kIdentityMost = std::size_t{32} << 20;

// A folder of this directory, and of no other.
bool is_place(const std::string& place) {
  return place.empty() || (place.starts_with("incarnation-") && place.find('/') == std::string::npos);
}

// Nothing: there is no such file. Error: what is there is no such record.
template <typename T>
std::expected<std::optional<T>, std::string> read_json(const std::string& path) {
  auto text = read_private_file(path, kIdentityMost);
  if (!text) return std::unexpected(text.error());
  if (!*text) return std::nullopt;
  T record;
  if (!google::protobuf::util::JsonStringToMessage(std::string((*text)->view()), &record).ok())
    return std::unexpected(path + " cannot be read; restore it from a copy, or join the swarm anew");
  return record;
}

template <typename T>
std::expected<void, std::string> write_json(const std::string& path, T record) {
  record.set_format(kFormat);
  std::string json;
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  if (!google::protobuf::util::MessageToJsonString(record, &json, options).ok())
    return std::unexpected(path + " cannot be written as JSON");
  return write_private_file(path, Secret::taken_from(json));
}

}  // namespace

bool IdentityFiles::present() const {
  std::error_code error;
  return std::filesystem::exists(file(), error) || error;
}

std::expected<std::optional<Identity>, std::string> IdentityFiles::load() const {
  auto read = read_json<v1::NodeIdentity>(file());
  if (!read) return std::unexpected(read.error());
  if (!*read) return std::nullopt;
  Identity identity;
  identity.record = std::move(**read);
  const v1::NodeIdentity& record = identity.record;
  if (record.format() != kFormat) {
    return std::unexpected(file() + " has format " + std::to_string(record.format()) +
                           "; this program knows format 1: install the one that wrote it, or a newer one");
  }
  if (record.swarm_id().size() != 16 || record.incarnation() == 0 || record.node() == 0 ||
      record.name_key().size() != 32 || !is_place(record.place()))
    return std::unexpected(file() + " lacks parts; restore it from a copy, or join the swarm anew");
  auto keys = load_node_keys(place_directory(record.place()));
  if (!keys) return std::unexpected(keys.error());
  if (!*keys) {
    return std::unexpected("the keys of this node are not in " + place_directory(record.place()) +
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
  return write_json(file(), record);
}

std::expected<void, std::string> IdentityFiles::keep_aside(const v1::NodeIdentity& record) const {
  return write_json(file(record.incarnation()), record);
}

std::expected<std::optional<v1::NodeIdentity>, std::string> IdentityFiles::kept_aside(
    std::uint32_t incarnation) const {
  return read_json<v1::NodeIdentity>(file(incarnation));
}

std::expected<void, std::string> IdentityFiles::keep_peers(const v1::NodeIdentity& record,
                                                           v1::KeptPeers peers) const {
  return write_json(peers_file(record), std::move(peers));
}

v1::KeptPeers IdentityFiles::kept_peers(const v1::NodeIdentity& record) const {
  if (auto kept = read_json<v1::KeptPeers>(peers_file(record)); kept && *kept && (*kept)->format() == kFormat)
    return std::move(**kept);
  v1::KeptPeers first;
  for (const v1::JoinMember& known : record.members()) {
    if (known.id() != record.node()) *first.add_members() = known;
  }
  return first;
}

// The identity last: it is what makes a membership.
std::expected<void, std::string> IdentityFiles::keep(const Identity& identity) const {
  if (auto kept = keep_node_keys(place_directory(identity.record.place()), identity.keys); !kept) return kept;
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
