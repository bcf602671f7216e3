// SwarmService's two ways of passing a call on; for the files that implement it.
#pragma once

#include "controlplane/api/reply.h"
#include "controlplane/api/swarm_service.h"

namespace swarmdns::controlplane {

template <typename Request, typename Response>
grpc::Status SwarmService::ask(const grpc::ServerContext& context, const Request& request, Response* response,
                               Outcome<Response> (SwarmControl::*method)(const Request&)) const {
  auto known = caller(context, request.caller());
  if (!known) return status_of(known.error());
  Request copy = request;
  *copy.mutable_caller() = std::move(*known);
  return reply((swarm_.*method)(copy), response);
}

template <typename Request, typename Piece>
grpc::Status SwarmService::stream(grpc::ServerContext& context, const Request& request,
                                  grpc::ServerWriter<Piece>* writer,
                                  Outcome<void> (SwarmControl::*method)(const Request&,
                                                                        const Take<Piece>&)) const {
  auto known = caller(context, request.caller());
  if (!known) return status_of(known.error());
  Request copy = request;
  *copy.mutable_caller() = std::move(*known);
  const auto outcome = (swarm_.*method)(
      copy, [&](const Piece& piece) { return !context.IsCancelled() && writer->Write(piece); });
  return outcome ? grpc::Status::OK : status_of(outcome.error());
}

}  // namespace swarmdns::controlplane
