#include "controlplane/cli/ask.h"

#include <sys/random.h>

#include <algorithm>

namespace swarmdns::controlplane {

v1::Caller caller_of(const Context& context, const std::string& reason) {
  v1::Caller caller;
  caller.set_principal(context.sudo_user);
  caller.set_reason(reason);
  std::string id(16, '\0');
  // Never fails for so few bytes (getrandom(2)); zeros would only be a number like another.
  [[maybe_unused]] const ssize_t n = getrandom(id.data(), id.size(), 0);
  caller.set_request_id(id);
  return caller;
}

std::string answer_to(Context& context, const std::string& question) {
  context.err << question << std::flush;
  std::string line;
  std::getline(context.in, line);
  const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  line.erase(line.begin(), std::find_if_not(line.begin(), line.end(), is_blank));
  line.erase(std::find_if_not(line.rbegin(), line.rend(), is_blank).base(), line.end());
  return line;
}

bool agreed(Context& context, const std::string& question, bool yes, const std::string& yes_option,
            int& code) {
  if (yes) return true;
  if (!context.can_ask) {
    code = fail(context, kExitUsage,
                "there is nobody to ask; give " + yes_option + " where that is meant. Nothing was changed");
    return false;
  }
  const std::string answer = answer_to(context, question + " [y/N] ");
  if (answer == "y" || answer == "Y" || answer == "yes") return true;
  code = fail(context, kExitRefused, "nothing was changed");
  return false;
}

}  // namespace swarmdns::controlplane
