#include "controlplane/cli/completion.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "controlplane/cli/swarm_settings.h"

namespace swarmdns::controlplane {
namespace {

// "TEXT:{cache,config}": what an option or argument may be, when that is a list of words.
void add_values(const CLI::Option& option, std::vector<std::string>& words) {
  const std::string type = option.get_type_name();
  const size_t open = type.find('{');
  const size_t close = type.find('}', open);
  if (open == std::string::npos || close == std::string::npos) return;
  for (size_t at = open + 1; at < close;) {
    const size_t end = std::min(type.find(',', at), close);
    words.push_back(type.substr(at, end - at));
    at = end + 1;
  }
}

void walk(const CLI::App& app, const std::string& path, std::vector<CompletionLevel>& levels) {
  CompletionLevel level;
  level.path = path;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    level.words.push_back(command->get_name());
  }
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_name(true) == "FILE" || option->get_type_name() == "FILE") level.files = true;
    for (const std::string& name : option->get_lnames()) level.words.push_back("--" + name);
    add_values(*option, level.words);
  }
  if (path == "swarm settings") {
    for (const SettingHelp& setting : settings_help()) level.words.push_back(std::string(setting.key) + "=");
  }
  levels.push_back(level);
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    walk(*command, path.empty() ? command->get_name() : path + " " + command->get_name(), levels);
  }
}

std::string words_of(const CompletionLevel& level) {
  std::string text;
  for (const std::string& word : level.words) text += (text.empty() ? "" : " ") + word;
  return text;
}

// A shell function body that sets `words` and `files` from the commands typed so far in `path`.
std::string cases(const std::vector<CompletionLevel>& levels) {
  std::string text;
  for (const CompletionLevel& level : levels) {
    text += "    '" + level.path + "') words='" + words_of(level) + "'; files=" + (level.files ? "1" : "0") +
            " ;;\n";
  }
  return text;
}

// The commands among the words typed: what leads to another level. Options and their values do not.
std::string path_loop(const std::string& path) {
  return "    [ -n \"$(_swarmctl_words \"${" + path + ":+$" + path + " }$word\")\" ] && " + path + "=\"${" +
         path + ":+$" + path + " }$word\"\n";
}

std::string lookup_function(const std::vector<CompletionLevel>& levels) {
  return "_swarmctl_words() {\n  local words files\n  case \"$1\" in\n" + cases(levels) +
         "  esac\n  echo \"$words\"\n}\n"
         "_swarmctl_files() {\n  local words files=0\n  case \"$1\" in\n" +
         cases(levels) + "  esac\n  [ \"$files\" = 1 ]\n}\n";
}

}  // namespace

std::vector<CompletionLevel> completion_levels(const CLI::App& app) {
  std::vector<CompletionLevel> levels;
  walk(app, "", levels);
  return levels;
}

std::string bash_completion(const std::vector<CompletionLevel>& levels) {
  return "# swarmctl completion for bash: source <(swarmctl completion bash)\n" + lookup_function(levels) +
         "_swarmctl() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} path='' word i\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    word=${COMP_WORDS[i]}\n" +
         path_loop("path") +
         "  done\n"
         "  COMPREPLY=($(compgen -W \"$(_swarmctl_words \"$path\")\" -- \"$current\"))\n"
         "  if _swarmctl_files \"$path\"; then COMPREPLY+=($(compgen -f -- \"$current\")); fi\n"
         "}\n"
         "complete -F _swarmctl swarmctl\n";
}

std::string zsh_completion(const std::vector<CompletionLevel>& levels) {
  return "#compdef swarmctl\n# swarmctl completion for zsh: swarmctl completion zsh > "
         "\"${fpath[1]}/_swarmctl\"\n" +
         lookup_function(levels) +
         "_swarmctl() {\n"
         "  local typed_path='' word i\n"
         "  for ((i = 2; i < CURRENT; i++)); do\n"
         "    word=${words[i]}\n" +
         path_loop("typed_path") +
         "  done\n"
         "  compadd -- ${=$(_swarmctl_words \"$typed_path\")}\n"
         "  if _swarmctl_files \"$typed_path\"; then _files; fi\n"
         "}\n"
         "compdef _swarmctl swarmctl\n";
}

std::string fish_completion(const std::vector<CompletionLevel>& levels) {
  std::string text =
      "# swarmctl completion for fish: swarmctl completion fish > ~/.config/fish/completions/swarmctl.fish\n";
  text +=
      "function __swarmctl_at\n"
      "  set -l typed (string match -v -- '-*' (commandline -opc)[2..-1])\n"
      "  test (count $typed) -ge (count $argv); or return 1\n"
      "  test (count $argv) -eq 0; and test (count $typed) -eq 0; and return 0\n"
      "  test (count $argv) -gt 0; and test \"$typed[1..\"(count $argv)\"]\" = \"$argv\"\n"
      "end\n";
  for (const CompletionLevel& level : levels) {
    const std::string condition = "__swarmctl_at " + level.path;
    for (const std::string& word : level.words) {
      const bool option = word.starts_with("--");
      text += "complete -c swarmctl " + std::string(level.files ? "" : "-f ") + "-n '" + condition + "' " +
              (option ? "-l " + word.substr(2) : "-a " + word) + "\n";
    }
  }
  return text;
}

}  // namespace swarmdns::controlplane
