#include "controlplane/app/config_layers.h"

#include <google/protobuf/util/json_util.h>

#include <filesystem>

#include "controlplane/config/environment.h"
#include "controlplane/config/swarm_document.h"
#include "proto/config/check.h"
#include "proto/config/defaults.h"
#include "proto/config/store.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::size_t kFileMost = std::size_t{8} << 20;  // a document of 1 MiB with every octet escaped

std::string layer_path(const std::string& state_dir) {
  return state_dir + "/swarm/config.json";
}

}  // namespace

std::expected<v1::Config, std::vector<ConfigProblem>> with_layer(const v1::Config& own,
                                                                 const v1::KeptConfig& layer,
                                                                 const std::string& file) {
  if (layer.document().empty()) return own;
  const auto document = parse_swarm_document(layer.document(), file);
  if (!document) return std::unexpected(document.error());
  v1::Config config = effective_config(own, *document, layer.region(), layer.name());
  std::vector<ConfigProblem> problems;
  for (const config::Problem& problem : config::check(config))
    problems.push_back({file, 0, problem.path, problem.text});
  if (!problems.empty()) return std::unexpected(std::move(problems));
  return config;
}

std::string layer_name(const v1::KeptConfig& layer) {
  return "the swarm's configuration of block " + std::to_string(layer.height());
}

std::expected<v1::KeptConfig, std::string> load_layer(const std::string& state_dir) {
  const std::string path = layer_path(state_dir);
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return v1::KeptConfig();
  const auto text = config::read_file(path, kFileMost);
  if (!text) return std::unexpected(text.error());
  v1::KeptConfig layer;
  if (!google::protobuf::util::JsonStringToMessage(*text, &layer).ok())
    return std::unexpected(path + " cannot be read; it is written anew when the ledger is there");
  return layer;
}

std::expected<void, std::string> keep_layer(const std::string& state_dir, const v1::KeptConfig& layer) {
  const std::string path = layer_path(state_dir);
  if (layer.height() == 0) {
    std::error_code error;
    std::filesystem::remove(path, error);
    if (error) return std::unexpected("cannot remove " + path + ": " + error.message());
    return {};
  }
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(layer, &json).ok())
    return std::unexpected("the swarm's configuration cannot be written as JSON");
  return config::write_file_atomically(path, json, 0600);
}

LayeredStart layered_start(const ConfigStore::Start& start) {
  LayeredStart begun{start.loaded.config, {}, ""};
  v1::Config filled = begun.config;
  config::fill_defaults(filled);
  const auto kept = load_layer(filled.node().state_dir());
  if (!kept) {
    begun.problem = kept.error();
    return begun;
  }
  const auto layered = with_layer(begun.config, *kept, layer_name(*kept));
  if (!layered) {
    begun.problem = to_string(layered.error().front());
    return begun;
  }
  filled = *layered;
  config::fill_defaults(filled);
  if (const auto missing = environment_problems(filled); !missing.empty()) {
    begun.problem =
        to_string(ConfigProblem{layer_name(*kept), 0, missing.front().path, missing.front().text});
    return begun;
  }
  begun.config = *layered;
  begun.layer = *kept;
  return begun;
}

}  // namespace swarmdns::controlplane
