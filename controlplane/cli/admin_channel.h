// The connection below the clients of the admin socket: deadlines, and what a status means. One thread.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <string>

#include "controlplane/api/node_control.h"

namespace swarmdns::controlplane {

class AdminChannel {
 public:
  static constexpr int kCallMs = 15000;
  static constexpr int kSlowCallMs = 90000;
  static constexpr int kStreamMs = 3600 * 1000;

  // `fd`: connected to `path`, non-blocking; taken over.
  AdminChannel(const std::string& path, int fd);

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  template <typename Stub, typename Response, typename Request>
  Outcome<Response> call(Stub& stub,
                         grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                         const Request& request, int timeout_ms = kCallMs) {
    grpc::ClientContext context;
    set_deadline(context, timeout_ms);
    Response response;
    const grpc::Status status = (stub.*method)(&context, request, &response);
    if (!status.ok()) return std::unexpected(refusal_of(status));
    answered_ = true;
    return response;
  }

  // `open`: begins the call; `take` returns false to end it.
  template <typename Piece, typename Open, typename TakePiece>
  Outcome<void> read(const Open& open, const TakePiece& take) {
    grpc::ClientContext context;
    set_deadline(context, kStreamMs);
    auto reader = open(&context);
    Piece piece;
    while (reader->Read(&piece)) {
      if (take(piece)) continue;
      context.TryCancel();
      break;
    }
    const grpc::Status status = reader->Finish();
    if (!status.ok()) return std::unexpected(refusal_of(status));
    answered_ = true;
    return {};
  }

  static void set_deadline(grpc::ClientContext& context, int timeout_ms) {
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(timeout_ms));
  }
  Refusal refusal_of(const grpc::Status& status) const;

 private:
  std::string path_;
  std::shared_ptr<grpc::Channel> channel_;
  bool answered_ = false;
};

}  // namespace swarmdns::controlplane
