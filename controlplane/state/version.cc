// Alone in its file: a program that brings a kVersion of its own takes its place when it is linked
// (tests/upgrade/next_version.cc).
#include "controlplane/state/apply.h"

namespace swarmdns::controlplane {

const std::uint32_t kVersion = 1;

}  // namespace swarmdns::controlplane
