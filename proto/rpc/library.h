// gRPC's library, kept alive.
#pragma once

namespace swarmdns::rpc {

// Before the first channel or server; any thread, any number of times. Without it gRPC 1.51 winds up its
// threads with the last channel or server, and now and then waits ten seconds for a poll of its own to time
// out: a process that ends, or a command that is done, would hang that long.
void keep_library();

}  // namespace swarmdns::rpc
