// The swarm's configuration document, and how each node fared with it.
#include "controlplane/state/handlers.h"

namespace swarmdns::controlplane::handlers {
namespace {

constexpr std::size_t kDocumentMost = std::size_t{1} << 20;
constexpr std::size_t kProblemMost = 4096;

}  // namespace

Applied config_changed(StateView& state, const BlockPlace& place, const v1::Transaction& transaction) {
  const v1::ConfigChanged& body = transaction.config_changed();
  if (body.document().size() > kDocumentMost) return refused("document: more than 1 MiB");
  if (body.restores_height() >= place.height)
    return refused("restores_height: " + std::to_string(body.restores_height()) + " is not in the past");
  const auto newest = read<v1::ConfigRecord>(state, keys::kConfig);
  if (const std::uint64_t height = newest ? newest->height() : 0; body.follows() != height) {
    return refused("follows: the configuration was changed meanwhile, in block " + std::to_string(height) +
                   "; look at that one (swarmctl config history) and say it again");
  }
  v1::ConfigRecord record;
  record.set_height(place.height);
  record.set_time_ms(place.time_ms);
  record.set_document(body.document());
  record.set_restores_height(body.restores_height());
  record.set_principal(transaction.principal());
  record.set_reason(transaction.reason());
  record.set_follows(body.follows());
  write(state, std::string(keys::kConfig), record);
  return {};
}

Applied config_outcome(StateView& state, const BlockPlace& place, const v1::ConfigOutcome& body) {
  // Of an earlier incarnation it may be, whose blocks had other heights.
  const auto newest = read<v1::ConfigRecord>(state, keys::kConfig);
  if (!newest || body.height() > newest->height())
    return refused("height: there is no such configuration yet");
  if (body.problem().size() > kProblemMost) return refused("problem: longer than 4096 octets");
  write(state, keys::of(keys::kOutcomes, place.signer), body);
  return {};
}

}  // namespace swarmdns::controlplane::handlers
