// Unbound's control channel on its Unix socket: the protocol of unbound-control without TLS. Blocking; any
// thread.
#pragma once

#include <expected>
#include <string>

namespace swarmdns::controlplane {

// One command ("flush_zone example.org."), its output. An answer that starts with "error" is the error.
// `timeout_ms` covers each read and write.
std::expected<std::string, std::string> unbound_command(const std::string& socket_path,
                                                        const std::string& command, int timeout_ms = 5000);

}  // namespace swarmdns::controlplane
