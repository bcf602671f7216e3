// What went wrong while the data plane was being set up, said so that an operator can act on it.
#pragma once

#include <string>

namespace swarmdns::eal {

struct Error {
  std::string field;    // of the configuration: "eal.memory_mib", "ports[0].device"
  std::string problem;  // what is the matter
  std::string mend;     // what to do about it

  [[nodiscard]] std::string text() const { return field + ": " + problem + "; " + mend; }
};

}  // namespace swarmdns::eal
