// gRPC's library, kept alive.
#pragma once

namespace swarmdns::rpc {

// Before the first channel or server; any thread, any number of times. Without it gRPC 1.51 winds up its
// threads with the last channel or server, and now and then waits ten seconds for a poll of its own to time
// out: a process that ends, or a command that is done, would hang that long.
void keep_library();

// The same, and before the first call by the callback API (`stub->async()`). gRPC 1.51 runs the callbacks on
// threads that it joins with the last channel that has had such a call; when a callback drops the last
// reference to that channel, the thread joins itself and frees its queue twice (seen with AddressSanitizer).
void keep_callbacks();

}  // namespace swarmdns::rpc
