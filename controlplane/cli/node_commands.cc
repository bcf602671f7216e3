#include "controlplane/cli/commands.h"
#include "controlplane/cli/human.h"
#include "controlplane/cli/json.h"

namespace swarmdns::controlplane {

int control_node(Context& context, v1::ControlProcessRequest::Action action, const std::string& process) {
  v1::ControlProcessRequest request;
  request.set_action(action);
  request.set_process(process);
  const auto answer = context.node.control_process(request);
  if (!answer) return fail(context, answer.error());
  if (context.json) {
    context.out << to_json(*answer);
    return kExitOk;
  }
  for (const v1::ProcessStatus& status : answer->processes()) {
    context.out << status.name() << ": " << status.state();
    if (status.pid() > 0) context.out << ", pid " << status.pid();
    context.out << "\n";
  }
  if (action == v1::ControlProcessRequest::STOP && process != "resolver") {
    context.out << "The node answers nothing now; swarmctl node start starts it again.\n";
  }
  return kExitOk;
}

}  // namespace swarmdns::controlplane
