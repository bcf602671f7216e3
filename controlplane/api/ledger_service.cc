// The ledger's part of SwarmService. What tells names is for root and node.ledger_readers alone.
#include "controlplane/api/swarm_ask.h"
#include "controlplane/api/withhold.h"
#include "proto/dns/name.h"

namespace swarmdns::controlplane {
namespace {

constexpr uint32_t kMaxBlocks = 1000;
constexpr uint32_t kMaxMutations = 10000;
constexpr uint32_t kMaxType = 65535;

// "" = good.
std::string name_problem(const std::string& wire) {
  const auto name = dns::NameView::parse(std::as_bytes(std::span(wire.data(), wire.size())));
  if (!name || name->wire().size() != wire.size()) return "name: must be a name in wire format";
  return "";
}

std::string problem_of(const std::string& name, uint32_t qtype) {
  if (qtype > kMaxType) return "qtype: must be at most 65535";
  return name_problem(name);
}

}  // namespace

grpc::Status SwarmService::ListBlocks(grpc::ServerContext* context, const v1::ListBlocksRequest* request,
                                      v1::ListBlocksResponse* response) {
  if (request->limit() > kMaxBlocks) return invalid("limit: must be at most 1000");
  auto blocks = swarm_.blocks(*request);
  if (blocks && !callers_.may_read_names(context->peer())) {
    for (v1::BlockView& block : *blocks->mutable_blocks()) withhold_names(block);
  }
  return reply(std::move(blocks), response);
}

grpc::Status SwarmService::ShowBlock(grpc::ServerContext* context, const v1::ShowBlockRequest* request,
                                     v1::BlockView* response) {
  if (request->height() == 0) return invalid("height: must be at least 1");
  auto block = swarm_.block(*request);
  if (block && !callers_.may_read_names(context->peer())) withhold_names(*block);
  return reply(std::move(block), response);
}

grpc::Status SwarmService::GetHistory(grpc::ServerContext* context, const v1::GetHistoryRequest* request,
                                      v1::GetHistoryResponse* response) {
  if (const auto may = callers_.may_read_names(context->peer()); !may) return status_of(may.error());
  if (const auto problem = problem_of(request->name(), request->qtype()); !problem.empty()) {
    return invalid(problem);
  }
  if (request->limit() > kMaxMutations) return invalid("limit: must be at most 10000");
  return ask(*context, *request, response, &SwarmControl::history);
}

grpc::Status SwarmService::GetAt(grpc::ServerContext* context, const v1::GetAtRequest* request,
                                 v1::GetAtResponse* response) {
  if (const auto may = callers_.may_read_names(context->peer()); !may) return status_of(may.error());
  if (const auto problem = problem_of(request->name(), request->qtype()); !problem.empty()) {
    return invalid(problem);
  }
  if (request->time_ms() == 0) return invalid("time_ms: is required");
  return ask(*context, *request, response, &SwarmControl::at);
}

grpc::Status SwarmService::DiffHeights(grpc::ServerContext* context, const v1::DiffHeightsRequest* request,
                                       v1::DiffHeightsResponse* response) {
  if (const auto may = callers_.may_read_names(context->peer()); !may) return status_of(may.error());
  if (request->from() > request->to()) return invalid("from: must not be above to");
  return ask(*context, *request, response, &SwarmControl::diff);
}

grpc::Status SwarmService::Prove(grpc::ServerContext* context, const v1::ProveRequest* request,
                                 v1::ProveResponse* response) {
  switch (request->what_case()) {
    case v1::ProveRequest::WHAT_NOT_SET:
      return invalid("what: leaf, from_size or mutation is required");
    case v1::ProveRequest::kMutation:
    case v1::ProveRequest::kLeaf:
      // The proof holds the body itself.
      if (const auto may = callers_.may_read_names(context->peer()); !may) return status_of(may.error());
      break;
    default:
      break;
  }
  return ask(*context, *request, response, &SwarmControl::prove);
}

grpc::Status SwarmService::GetCheckpoint(grpc::ServerContext*, const v1::GetCheckpointRequest* request,
                                         v1::GetCheckpointResponse* response) {
  return reply(swarm_.checkpoint(*request), response);
}

grpc::Status SwarmService::VerifyStore(grpc::ServerContext* context, const v1::VerifyStoreRequest* request,
                                       grpc::ServerWriter<v1::VerifyProgress>* writer) {
  const auto outcome = swarm_.verify_store(*request, [&](const v1::VerifyProgress& progress) {
    return !context->IsCancelled() && writer->Write(progress);
  });
  return outcome ? grpc::Status::OK : status_of(outcome.error());
}

grpc::Status SwarmService::RollbackCache(grpc::ServerContext* context,
                                         const v1::RollbackCacheRequest* request,
                                         grpc::ServerWriter<v1::RollbackProgress>* writer) {
  if ((request->to_height() == 0) == (request->to_ms() == 0)) {
    return invalid("to_height, to_ms: exactly one of them is required");
  }
  return stream(*context, *request, writer, &SwarmControl::rollback_cache);
}

grpc::Status SwarmService::EraseName(grpc::ServerContext* context, const v1::EraseNameRequest* request,
                                     v1::EraseNameResponse* response) {
  if (const auto problem = name_problem(request->name()); !problem.empty()) return invalid(problem);
  return ask(*context, *request, response, &SwarmControl::erase_name);
}

grpc::Status SwarmService::ExportLedger(grpc::ServerContext* context, const v1::ExportLedgerRequest* request,
                                        grpc::ServerWriter<v1::ExportPiece>* writer) {
  if (request->bodies()) {
    if (const auto may = callers_.may_read_names(context->peer()); !may) return status_of(may.error());
  }
  if (request->from() == 0 || request->from() > request->to()) {
    return invalid("from, to: heights from 1 on are required, from not above to");
  }
  return stream(*context, *request, writer, &SwarmControl::export_ledger);
}

}  // namespace swarmdns::controlplane
