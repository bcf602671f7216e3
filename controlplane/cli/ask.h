// Questions to whoever types, and who that is.
#pragma once

#include <string>

#include "controlplane/cli/context.h"

namespace swarmdns::controlplane {

// For the ledger: whom sudo acts for, why, and a number of this command.
v1::Caller caller_of(const Context& context, const std::string& reason);

// One line that was typed, blanks at its ends cut; "" at the end of the input.
std::string answer_to(Context& context, const std::string& question);

// true: go on. Without somebody to ask it is refused, with the option that answers: `yes_option`. When false,
// what the user reads has been said, and the exit code is in `code`.
bool agreed(Context& context, const std::string& question, bool yes, const std::string& yes_option,
            int& code);

}  // namespace swarmdns::controlplane
