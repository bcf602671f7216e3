// One YAML file -> swarmdns.v1.Config, guided by the schema alone: a new field needs no code here.
// Pure apart from reading the file; any thread.
#pragma once

#include <expected>
#include <map>
#include <string>
#include <vector>

#include "controlplane/config/problem.h"
#include "swarmdns/v1/config.pb.h"

namespace swarmdns::controlplane {

struct LoadedConfig {
  v1::Config config;                 // as written; defaults not filled in
  std::map<std::string, int> lines;  // path -> line, for problems found later
  std::string file;
};

// Everything that is wrong is reported at once, in the order of the lines. `file` is only a name for
// messages.
std::expected<LoadedConfig, std::vector<ConfigProblem>> parse_config(const std::string& yaml,
                                                                     const std::string& file);

// Reads and parses; at most 1 MiB.
std::expected<LoadedConfig, std::vector<ConfigProblem>> load_config(const std::string& file);

// The line of `path`, or of the nearest thing around it that stands in the file; 0: nothing does.
int line_of(const std::map<std::string, int>& lines, std::string path);

}  // namespace swarmdns::controlplane
