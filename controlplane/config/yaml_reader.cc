#include "controlplane/config/yaml_reader.h"

#include "controlplane/config/message_reader.h"
#include "proto/config/check.h"
#include "proto/config/store.h"

namespace swarmdns::controlplane {
namespace {

constexpr size_t kMaxFileBytes = 1u << 20;

}  // namespace

std::expected<LoadedConfig, std::vector<ConfigProblem>> parse_config(const std::string& yaml,
                                                                     const std::string& file) {
  const auto document = one_document(yaml, file);
  if (!document) return std::unexpected(document.error());
  LoadedConfig result;
  result.file = file;
  MessageReader reader(file);
  reader.read(*document, result.config, "");
  for (config::Problem& problem : config::check(result.config)) {
    reader.add_checked(problem.path, std::move(problem.text));
  }
  auto problems = reader.sorted_problems();
  if (!problems.empty()) return std::unexpected(std::move(problems));
  result.lines = reader.lines();
  return result;
}

std::expected<LoadedConfig, std::vector<ConfigProblem>> load_config(const std::string& file) {
  const auto text = config::read_file(file, kMaxFileBytes);
  if (!text) return std::unexpected(std::vector<ConfigProblem>{{file, 0, "", text.error()}});
  return parse_config(*text, file);
}

}  // namespace swarmdns::controlplane
