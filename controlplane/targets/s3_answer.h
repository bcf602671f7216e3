// What a store's answer, or none, means to a target: the kind of the error and a sentence with the mend.
#pragma once

#include <string>

#include "controlplane/targets/http_session.h"
#include "controlplane/targets/target.h"

namespace swarmdns::controlplane {

// Of an answer whose status is not 2xx. `place` names the target, `doing` what was tried ("put packs/ab/cd").
TargetError s3_error(const HttpAnswer& answer, const std::string& place, const std::string& doing);
TargetError s3_error(const HttpFailure& failure, const std::string& place, const std::string& doing);

// The store's clock, from the header `date`; our own where it says none. Unix time.
std::int64_t store_time_ms(const HttpAnswer& answer);

}  // namespace swarmdns::controlplane
