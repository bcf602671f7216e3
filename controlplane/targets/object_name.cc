#include "controlplane/targets/target.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::size_t kMostCharacters = 200;

bool allowed(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

}  // namespace

bool valid_object_name(std::string_view name) {
  if (name.empty() || name.size() > kMostCharacters) return false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= name.size(); ++i) {
    if (i < name.size() && name[i] != '/') {
      if (!allowed(name[i])) return false;
      continue;
    }
    const std::string_view component = name.substr(begin, i - begin);
    if (component.empty() || component == "." || component == "..") return false;
    begin = i + 1;
  }
  return true;
}

}  // namespace swarmdns::controlplane
