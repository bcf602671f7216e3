#include "proto/rpc/library.h"

#include <grpc/grpc.h>

namespace swarmdns::rpc {

void keep_library() {
  // One reference more than all channels and servers hold; the end of the process takes it.
  [[maybe_unused]] static const bool kept = (grpc_init(), true);
}

}  // namespace swarmdns::rpc
