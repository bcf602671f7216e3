// gRPC calls whose callbacks have not come yet: whoever they speak of waits for them before it goes. Any
// thread.
#pragma once

#include <grpcpp/client_context.h>

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <set>

namespace swarmdns::controlplane {

class CallsUnderWay {
 public:
  // nullptr: one that is cancelled by others.
  void begin(grpc::ClientContext* context) {
    const std::lock_guard lock(mutex_);
    ++count_;
    if (context != nullptr) contexts_.insert(context);
  }
  void end(grpc::ClientContext* context) {
    const std::lock_guard lock(mutex_);
    contexts_.erase(context);
    if (--count_ == 0) none_.notify_all();
  }
  void cancel_and_wait() {
    std::unique_lock lock(mutex_);
    for (grpc::ClientContext* context : contexts_) context->TryCancel();
    none_.wait(lock, [this] { return count_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable none_;
  std::set<grpc::ClientContext*> contexts_;
  std::size_t count_ = 0;
};

}  // namespace swarmdns::controlplane
