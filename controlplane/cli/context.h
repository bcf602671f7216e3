// What every command of swarmctl works with.
#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <ostream>
#include <string>

#include "controlplane/api/node_control.h"
#include "controlplane/api/swarm_control.h"
#include "controlplane/cli/exit_codes.h"
#include "controlplane/cli/table.h"

namespace swarmdns::controlplane {

struct Context {
  NodeControl& node;
  SwarmControl* swarm = nullptr;  // nullptr: no control plane runs, the command acts on the machine itself
  std::ostream& out;
  std::ostream& err;
  bool json = false;
  bool terminal = false;  // out is one: screens may be redrawn, progress shown
  Style style;
  // Sleeps; false: the user wants to end.
  std::function<bool(int ms)> pause;
  std::istream& in;
  bool can_ask = false;   // there is a person at `in`
  std::string sudo_user;  // whom sudo says it acts for; "" = nobody
  uint64_t now_ms = 0;    // Unix time
};

inline int fail(Context& context, const Refusal& refusal) {
  context.err << "swarmctl: " << refusal.text << "\n";
  return exit_code_of(refusal.kind);
}

inline int fail(Context& context, ExitCode code, const std::string& text) {
  context.err << "swarmctl: " << text << "\n";
  return code;
}

}  // namespace swarmdns::controlplane
