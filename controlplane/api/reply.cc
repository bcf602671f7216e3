#include "controlplane/api/reply.h"

namespace swarmdns::controlplane {

grpc::Status status_of(const Refusal& refusal) {
  grpc::StatusCode code = grpc::StatusCode::INTERNAL;
  switch (refusal.kind) {
    case Refusal::Kind::kInvalid:
      code = grpc::StatusCode::INVALID_ARGUMENT;
      break;
    case Refusal::Kind::kNotFound:
      code = grpc::StatusCode::NOT_FOUND;
      break;
    case Refusal::Kind::kPrecondition:
      code = grpc::StatusCode::FAILED_PRECONDITION;
      break;
    case Refusal::Kind::kForbidden:
      code = grpc::StatusCode::PERMISSION_DENIED;
      break;
    case Refusal::Kind::kUnsupported:
      code = grpc::StatusCode::UNIMPLEMENTED;
      break;
    case Refusal::Kind::kUnavailable:
    case Refusal::Kind::kUnreachable:
      code = grpc::StatusCode::UNAVAILABLE;
      break;
    case Refusal::Kind::kFailed:
      break;
  }
  return grpc::Status(code, refusal.text, kOwnAnswer);
}

}  // namespace swarmdns::controlplane
