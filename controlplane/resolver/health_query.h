// Asks a DNS server one question over UDP and waits for its answer. Blocking; any thread.
#pragma once

#include <cstdint>
#include <string>

namespace swarmdns::controlplane {

// true: an answer with our ID and rcode NOERROR came within `timeout_ms`. `name` in presentation form without
// escapes.
bool dns_answers(const std::string& address, uint16_t port, const std::string& name, int timeout_ms);

}  // namespace swarmdns::controlplane
