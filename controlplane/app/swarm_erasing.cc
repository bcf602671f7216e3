// Destroying what all nodes have written down of a name, and giving the ledger out as a file.
#include <chrono>
#include <map>
#include <thread>

#include "controlplane/app/swarm_host.h"
#include "controlplane/ledger/export.h"
#include "controlplane/membership/directory.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::uint32_t kPlacesMost = 10'000;
// Reports go round once a second.
constexpr auto kConfirmPatience = std::chrono::seconds(10);
constexpr auto kConfirmLook = std::chrono::milliseconds(50);
constexpr std::size_t kPieceBytes = 256 << 10;
constexpr std::uint64_t kHeightsAtOnce = 200;

std::unexpected<Refusal> refused(Refusal::Kind kind, std::string why) {
  return std::unexpected(Refusal{kind, std::move(why)});
}

}  // namespace

Outcome<v1::EraseNameResponse> SwarmHost::erase_name(const v1::EraseNameRequest& request) {
  const Held held(membership_);
  if (auto is = require_member(); !is) return std::unexpected(is.error());
  // The places are for the record, that history can go on telling of them; nodes find theirs by the tag.
  v1::NameQuery query;
  query.set_name(request.name());
  query.set_limit(kPlacesMost);
  const auto known = ask_all(query);
  if (!known) return std::unexpected(known.error());
  v1::Transaction transaction;
  v1::Erasure& erasure = *transaction.mutable_erasure();
  erasure.set_name_tag(as_string(member_->segments().tag(as_octets(request.name()))));
  std::map<std::pair<NodeId, std::uint64_t>, v1::MutationPlace*> places;
  for (const v1::NameMutation& mutation : known->mutations) {
    v1::MutationPlace*& place = places[{mutation.node(), mutation.segment()}];
    if (place == nullptr) {
      place = erasure.add_places();
      place->set_node(mutation.node());
      place->set_segment(mutation.segment());
    }
    place->add_positions(mutation.position());
  }
  const auto committed = commit(std::move(transaction), request.caller());
  if (!committed) return std::unexpected(committed.error());
  v1::EraseNameResponse response;
  *response.mutable_committed() = *committed;
  response.set_mutations(known->mutations.size());

  const auto deadline = std::chrono::steady_clock::now() + kConfirmPatience;
  for (;;) {
    response.clear_silent();
    member_->run([&] {
      const NodeId self = member_->core().self();
      for (const v1::MemberRecord& record : live_members(member_->core().chain().state())) {
        std::uint64_t done = 0;
        if (record.id() == self) {
          v1::NodeReport own;
          member_->caches().describe(own);
          done = own.erased_height();
        } else if (const auto heard = member_->core().roster().heard(record.id())) {
          done = heard->report.erased_height();
        }
        if (done < committed->height()) response.add_silent(record.name());
      }
    });
    if (response.silent().empty() || std::chrono::steady_clock::now() >= deadline) return response;
    std::this_thread::sleep_for(kConfirmLook);
  }
}

Outcome<void> SwarmHost::export_ledger(const v1::ExportLedgerRequest& request,
                                       const Take<v1::ExportPiece>& take) {
  const Held held(membership_);
  if (auto is = require_member(); !is) return is;
  std::expected<ExportPlan, std::string> plan;
  std::expected<std::string, std::string> octets;
  member_->run([&] {
    plan = plan_export(member_->store(), request.from(), request.to(), request.bodies());
    if (plan) octets = export_beginning(member_->store(), *plan);
  });
  if (!plan) return refused(Refusal::Kind::kPrecondition, plan.error());
  if (!octets) return refused(Refusal::Kind::kFailed, octets.error());
  v1::ExportPiece piece;
  const auto send = [&] {
    const bool taken = take(piece);
    piece.clear_data();
    return taken;
  };
  piece.set_data(*octets);
  for (std::uint64_t height = plan->from; height <= plan->anchor;) {
    member_->run([&] {
      for (std::uint64_t i = 0;
           i < kHeightsAtOnce && height <= plan->anchor && octets && piece.data().size() < kPieceBytes;
           ++i, ++height) {
        octets = export_height(member_->store(), *plan, height);
        if (octets) piece.mutable_data()->append(*octets);
      }
    });
    if (!octets) return refused(Refusal::Kind::kFailed, octets.error());
    if (piece.data().size() >= kPieceBytes && !send()) return {};
  }
  piece.mutable_data()->append(export_end(*plan));
  send();
  return {};
}

}  // namespace swarmdns::controlplane
