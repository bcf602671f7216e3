// "Did you mean ...?"
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace swarmdns::controlplane {

// The candidate nearest to `word`, when it is near enough to be a slip of the hand; else "".
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace swarmdns::controlplane
