// A server's stream, read one message at a time when it is asked for. gRPC's callback API: no thread waits.
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <functional>
#include <memory>
#include <mutex>
#include <utility>

namespace swarmdns::controlplane {

// Lives until its stream is over, whoever else holds it. read() and cancel() from any thread; `on_message`
// and `on_end` are called on gRPC's, and on_end is the last.
template <typename Request, typename Response>
class StreamPull final : public grpc::ClientReadReactor<Response>,
                         public std::enable_shared_from_this<StreamPull<Request, Response>> {
 public:
  using Start = std::function<void(grpc::ClientContext*, const Request*, grpc::ClientReadReactor<Response>*)>;

  StreamPull(Request request, std::function<void(Response)> on_message,
             std::function<void(grpc::Status)> on_end)
      : request_(std::move(request)), on_message_(std::move(on_message)), on_end_(std::move(on_end)) {}

  void start(const Start& start) {
    self_ = this->shared_from_this();
    start(&context_, &request_, this);
    this->AddHold();  // reads are begun from outside
    this->StartCall();
  }
  // The next message; not before the last one came.
  void read() {
    {
      const std::lock_guard lock(mutex_);
      if (!held_) return;
      reading_ = true;
    }
    this->StartRead(&response_);
  }
  void cancel() {
    context_.TryCancel();
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    if (!reading_) let_go();
  }

 private:
  void OnReadDone(bool ok) override {
    {
      const std::lock_guard lock(mutex_);
      reading_ = false;
      // A message that came with the cancellation is the last: nobody asks for another.
      if (!ok || cancelled_) let_go();
    }
    if (ok) on_message_(std::move(response_));
  }
  void OnDone(const grpc::Status& status) override {
    const auto self = std::move(self_);
    on_end_(status);
  }
  void let_go() {
    if (std::exchange(held_, false)) this->RemoveHold();
  }

  grpc::ClientContext context_;
  const Request request_;
  Response response_;
  const std::function<void(Response)> on_message_;
  const std::function<void(grpc::Status)> on_end_;
  std::mutex mutex_;
  bool reading_ = false;
  bool cancelled_ = false;
  bool held_ = true;
  std::shared_ptr<StreamPull> self_;
};

}  // namespace swarmdns::controlplane
