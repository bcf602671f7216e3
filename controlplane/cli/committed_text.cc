#include "controlplane/cli/committed_text.h"

#include "controlplane/cli/human.h"
#include "controlplane/cli/json.h"
#include "controlplane/cli/time_text.h"

namespace swarmdns::controlplane {

std::string committed_text(const v1::Committed& committed) {
  return "block " + with_commas(committed.height()) + ", " + time_text(committed.time_ms());
}

int print_committed(Context& context, const std::string& what, const v1::Committed& committed) {
  if (context.json) {
    context.out << to_json(committed);
    return kExitOk;
  }
  context.out << what << ": " << committed_text(committed) << "\n";
  if (!committed.note().empty()) context.out << context.style.warn("Note: ") << committed.note() << "\n";
  return kExitOk;
}

}  // namespace swarmdns::controlplane
