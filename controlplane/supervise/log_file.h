// The log file of a child: appended to, so that rotation by copy and truncate works; set aside as FILE.1 when
// it is large at a start.
#pragma once

#include <string>

namespace swarmdns::controlplane {

// A descriptor, or -1 with errno. Larger than `limit` bytes: the file is renamed to FILE.1 first.
int open_log(const std::string& path, long limit = 16L << 20);

// The last `lines` lines, for a message that says why a child ended; "" when there is nothing.
std::string log_tail(const std::string& path, int lines);

}  // namespace swarmdns::controlplane
