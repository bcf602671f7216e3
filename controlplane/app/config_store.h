// Which configuration a control plane starts with: the file it was given, or what an operator applied since
// that file was last read. The latest wish counts.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "controlplane/config/yaml_reader.h"

namespace swarmdns::controlplane {

class ConfigStore {
 public:
  // `file`: what --config names.
  explicit ConfigStore(std::string file) : file_(std::move(file)) {}

  struct Start {
    LoadedConfig loaded;
    std::string yaml;
    bool from_applied = false;  // STATE_DIR/config.yaml, for the file has not changed since
    std::string note;           // what an operator should know about the choice; "" = nothing
  };
  // The problems are the file's: an applied configuration that became unreadable is passed over with a note.
  std::expected<Start, std::vector<ConfigProblem>> choose() const;

  // The file was read (at start, on SIGHUP) and is in force.
  std::expected<void, std::string> note_file(const std::string& state_dir, const std::string& yaml) const;
  // Another text was applied and is in force.
  std::expected<void, std::string> note_applied(const std::string& state_dir, const std::string& yaml) const;

  const std::string& file() const { return file_; }

 private:
  std::string file_;
};

}  // namespace swarmdns::controlplane
