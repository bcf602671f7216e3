// What is wrong with a configuration file, and where.
#pragma once

#include <string>
#include <vector>

namespace swarmdns::controlplane {

struct ConfigProblem {
  std::string file;
  int line = 0;      // from 1; 0: of the file as a whole
  std::string path;  // "dataplane.cache.memory_mib"; "" = of the file as a whole
  std::string text;  // what is wrong and what is allowed
};

// "node.yaml:12: dataplane.cache.memory_mib: 4 is out of range: ..."
std::string to_string(const ConfigProblem& problem);

// One line each.
std::string to_string(const std::vector<ConfigProblem>& problems);

}  // namespace swarmdns::controlplane
