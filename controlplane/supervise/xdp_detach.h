// Takes an XDP program off a network interface. A data plane that was killed leaves its program attached, and
// every frame of the interface goes to a socket nobody reads.
#pragma once

#include <expected>
#include <string>

namespace swarmdns::controlplane {

// true: a program was there and is gone; false: there was none. Needs CAP_NET_ADMIN. The error is a sentence.
std::expected<bool, std::string> detach_xdp(const std::string& interface);

// The interface of an AF_XDP vdev ("net_af_xdp0,iface=eth1,..." -> "eth1"); "" for any other device.
std::string xdp_interface_of(const std::string& device);

}  // namespace swarmdns::controlplane
