// Tells systemd (or whoever set NOTIFY_SOCKET) how the start is going: one datagram, no library.
// sd_notify(3).
#pragma once

#include <string_view>

namespace swarmdns::app {

// E.g. "READY=1" or "STOPPING=1". Without NOTIFY_SOCKET, and when nobody listens, nothing happens. Main
// thread.
void notify_supervisor(std::string_view state);

}  // namespace swarmdns::app
