// Exit statuses of swarmctl; docs/swarmctl.md lists them for operators.
#pragma once

#include "controlplane/api/node_control.h"

namespace swarmdns::controlplane {

enum ExitCode : int {
  kExitOk = 0,
  kExitFailed = 1,       // the operation was tried and failed
  kExitUsage = 2,        // the command line makes no sense
  kExitUnreachable = 3,  // the control plane, or the data plane behind it, does not answer
  kExitRefused = 4,      // refused as things stand, or the configuration or file is not accepted
  kExitNotFound = 5,     // no such name, port, process, node, block or file
  kExitForbidden = 6,    // this user may not
  kExitUnsupported = 7,  // this version cannot
  kExitPartly = 8,       // done, but some nodes have not followed or answered yet
};

inline ExitCode exit_code_of(Refusal::Kind kind) {
  switch (kind) {
    case Refusal::Kind::kInvalid:
    case Refusal::Kind::kPrecondition:
      return kExitRefused;
    case Refusal::Kind::kNotFound:
      return kExitNotFound;
    case Refusal::Kind::kUnavailable:
    case Refusal::Kind::kUnreachable:
      return kExitUnreachable;
    case Refusal::Kind::kForbidden:
      return kExitForbidden;
    case Refusal::Kind::kUnsupported:
      return kExitUnsupported;
    case Refusal::Kind::kFailed:
      break;
  }
  return kExitFailed;
}

}  // namespace swarmdns::controlplane
