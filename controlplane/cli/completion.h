// Completion scripts for shells, made from the commands themselves.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace swarmdns::controlplane {

// One level of commands: "cache" and the words that may follow it.
struct CompletionLevel {
  std::string path;                // "" = swarmctl itself, "cache", "cache flush"
  std::vector<std::string> words;  // commands and options
  bool files = false;              // takes a file
};
std::vector<CompletionLevel> completion_levels(const CLI::App& app);

std::string bash_completion(const std::vector<CompletionLevel>& levels);
std::string zsh_completion(const std::vector<CompletionLevel>& levels);
std::string fish_completion(const std::vector<CompletionLevel>& levels);

}  // namespace swarmdns::controlplane
