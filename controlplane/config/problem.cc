#include "controlplane/config/problem.h"

namespace swarmdns::controlplane {

std::string to_string(const ConfigProblem& problem) {
  std::string text = problem.file;
  if (problem.line > 0) text += ":" + std::to_string(problem.line);
  text += ": ";
  if (!problem.path.empty()) text += problem.path + ": ";
  return text + problem.text;
}

std::string to_string(const std::vector<ConfigProblem>& problems) {
  std::string text;
  for (const ConfigProblem& problem : problems) text += to_string(problem) + "\n";
  return text;
}

}  // namespace swarmdns::controlplane
