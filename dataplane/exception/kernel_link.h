// The rings between one port's workers and its TAP.
#pragma once

#include <memory>
#include <vector>

#include "dataplane/exception/frame_ring.h"

namespace swarmdns::exception {

struct KernelLink {
  // `workers`: a ring to the kernel for each; frames from the kernel go out by worker 0's transmit queue.
  explicit KernelLink(unsigned workers, std::size_t ring_bytes = std::size_t{256} << 10)
      : from_kernel(ring_bytes) {
    for (unsigned i = 0; i < workers; ++i) to_kernel.push_back(std::make_unique<FrameRing>(ring_bytes));
  }

  std::vector<std::unique_ptr<FrameRing>> to_kernel;  // producer: worker i; consumer: the exception thread
  FrameRing from_kernel;                              // producer: the exception thread; consumer: worker 0
};

}  // namespace swarmdns::exception
