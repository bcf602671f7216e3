// Under which name a reply is counted, by its extended rcode (RFC 6895 2.3). Any thread; no state.
#pragma once

#include "dataplane/stats/counters.h"

namespace swarmdns::stats {

constexpr Counter rcode_counter(unsigned rcode) noexcept {
  switch (rcode) {
    case 0:
      return Counter::RcodeNoError;
    case 1:
      return Counter::RcodeFormErr;
    case 2:
      return Counter::RcodeServFail;
    case 3:
      return Counter::RcodeNxDomain;
    case 4:
      return Counter::RcodeNotImp;
    case 5:
      return Counter::RcodeRefused;
    case 16:
      return Counter::RcodeBadVers;
    case 23:
      return Counter::RcodeBadCookie;
    default:
      return Counter::RcodeOther;
  }
}

}  // namespace swarmdns::stats
