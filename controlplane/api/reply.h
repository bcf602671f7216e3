// An outcome as gRPC carries it; for the services of this folder.
#pragma once

#include <grpcpp/support/status.h>

#include "controlplane/api/node_control.h"

namespace swarmdns::controlplane {

// The details of the status tell an answer of ours from gRPC's own words about a broken connection.
grpc::Status status_of(const Refusal& refusal);

inline grpc::Status invalid(const std::string& text) {
  return status_of({Refusal::Kind::kInvalid, text});
}

template <typename T>
grpc::Status reply(Outcome<T> outcome, T* response) {
  if (!outcome) return status_of(outcome.error());
  *response = std::move(*outcome);
  return grpc::Status::OK;
}

}  // namespace swarmdns::controlplane
