// What a failed system call means to a target, as a sentence with the mend.
#pragma once

#include <string>

#include "controlplane/targets/target.h"

namespace swarmdns::controlplane {

// `error` is -errno; `place` names the target, `doing` what was tried ("write packs/ab/cd").
TargetError file_error(int error, const std::string& place, const std::string& doing);

}  // namespace swarmdns::controlplane
