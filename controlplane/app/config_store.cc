#include "controlplane/app/config_store.h"

#include "proto/config/defaults.h"
#include "proto/config/store.h"

namespace swarmdns::controlplane {
namespace {

// In force; and the text of --config when it was last read, to tell whether it has changed since.
std::string applied_path(const std::string& state_dir) {
  return state_dir + "/config.yaml";
}
std::string seen_path(const std::string& state_dir) {
  return state_dir + "/config.file-seen";
}

}  // namespace

std::expected<ConfigStore::Start, std::vector<ConfigProblem>> ConfigStore::choose() const {
  const auto text = config::read_file(file_, 1u << 20);
  if (!text) return std::unexpected(std::vector<ConfigProblem>{{file_, 0, "", text.error()}});
  auto loaded = parse_config(*text, file_);
  if (!loaded) return std::unexpected(loaded.error());

  v1::Config filled = loaded->config;
  config::fill_defaults(filled);
  const std::string& state_dir = filled.node().state_dir();
  Start start{std::move(*loaded), *text, false, ""};
  const auto seen = config::read_file(seen_path(state_dir));
  const auto applied = config::read_file(applied_path(state_dir));
  if (!seen || !applied || *seen != *text || *applied == *text) return start;

  auto later = parse_config(*applied, applied_path(state_dir));
  if (!later) {
    start.note = "the configuration applied last, " + applied_path(state_dir) +
                 ", is not accepted any more; " + file_ + " is used: " + to_string(later.error().front());
    return start;
  }
  start.loaded = std::move(*later);
  start.yaml = *applied;
  start.from_applied = true;
  start.note = file_ + " has not changed since another configuration was applied by swarmctl; that one, " +
               applied_path(state_dir) + ", is used";
  return start;
}

std::expected<void, std::string> ConfigStore::note_file(const std::string& state_dir,
                                                        const std::string& yaml) const {
  if (auto done = config::write_file_atomically(applied_path(state_dir), yaml, 0600); !done) return done;
  return config::write_file_atomically(seen_path(state_dir), yaml, 0600);
}

std::expected<void, std::string> ConfigStore::note_applied(const std::string& state_dir,
                                                           const std::string& yaml) const {
  return config::write_file_atomically(applied_path(state_dir), yaml, 0600);
}

}  // namespace swarmdns::controlplane
