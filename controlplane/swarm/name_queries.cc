#include "controlplane/swarm/name_queries.h"

#include <algorithm>
#include <utility>

namespace swarmdns::controlplane {
namespace {

constexpr std::uint32_t kMostMutations = 10'000;
constexpr std::size_t kMostBytes = 1 << 20;  // of an answer
constexpr unsigned kServedAtOnce = 4;        // of one peer's questions

}  // namespace

std::expected<v1::NameAnswer, std::string> answer_name(const SegmentStore& store,
                                                       const v1::NameQuery& query) {
  const std::size_t limit = std::clamp<std::uint32_t>(query.limit(), 1, kMostMutations);
  const std::uint64_t until = query.until_ms() == 0 ? UINT64_MAX : query.until_ms();
  auto answer = store.history(as_octets(query.name()), query.qtype(), limit, until);
  if (!answer || !query.flushes()) return answer;
  std::string_view above = query.name();
  while (!above.empty() && above[0] != 0) {
    above.remove_prefix(std::min<std::size_t>(static_cast<unsigned char>(above[0]) + 1U, above.size()));
    const auto zone = store.history(as_octets(above), 0, limit, until);
    if (!zone) return zone;
    for (const v1::NameMutation& mutation : zone->mutations()) {
      v1::Mutation read;
      if (read.ParseFromString(mutation.mutation()) &&
          (read.kind() == v1::MUTATION_FLUSH_ZONE || read.kind() == v1::MUTATION_FLUSH_ALL))
        *answer->add_mutations() = mutation;
    }
    if (zone->more()) answer->set_more(true);
  }
  return answer;
}

NameQueries::NameQueries(Reactor& reactor, PeerLink& link, const SegmentStore& store,
                         std::shared_ptr<const PrivateZones> zones)
    : reactor_(reactor), link_(link), store_(store), zones_(std::move(zones)) {}

void NameQueries::ask(const v1::NameQuery& query, const std::vector<NodeId>& whom, std::uint64_t patience_ms,
                      std::function<void(Answers)> done) {
  const std::uint64_t request = next_request_++;
  const auto asked = asked_.emplace(request, std::make_unique<Asked>(reactor_)).first;
  asked->second->done = std::move(done);
  for (const NodeId id : whom) {
    v1::PeerMessage message;
    message.set_request(request);
    *message.mutable_name_query() = query;
    if (link_.connected(id) && link_.send(id, Channel::kBulk, std::move(message)))
      asked->second->missing.push_back(id);
  }
  const std::uint64_t patience = asked->second->missing.empty() ? 0 : patience_ms;
  asked->second->patience.start(patience, [this, request] { finish(request); });
}

void NameQueries::finish(std::uint64_t request) {
  const auto asked = asked_.find(request);
  if (asked == asked_.end()) return;
  // The timer may be the one that runs.
  const std::unique_ptr<Asked> one = std::move(asked->second);
  asked_.erase(asked);
  one->done(std::move(one->answers));
}

void NameQueries::receive(NodeId from, std::uint64_t request, v1::NameAnswer answer) {
  const auto asked = asked_.find(request);
  if (asked == asked_.end() || std::erase(asked->second->missing, from) == 0) return;
  asked->second->answers[from] = std::move(answer);
  if (asked->second->missing.empty()) finish(request);
}

void NameQueries::receive(NodeId from, std::uint64_t request, const v1::NameQuery& query) {
  unsigned& serving = serving_[from];
  if (serving >= kServedAtOnce) return;  // it names this node as silent
  ++serving;
  const auto answer = std::make_shared<std::expected<v1::NameAnswer, std::string>>();
  reactor_.offload(
      [&store = store_, zones = zones_, query, answer] {
        if (zones->holds(query.name())) return;
        *answer = answer_name(store, query);
        if (!*answer) return;
        std::size_t bytes = 0;
        int fit = 0;
        for (const v1::NameMutation& mutation : (*answer)->mutations()) {
          bytes += mutation.ByteSizeLong() + 8;
          if (bytes > kMostBytes) break;
          ++fit;
        }
        if (fit == (*answer)->mutations_size()) return;
        (*answer)->mutable_mutations()->DeleteSubrange(fit, (*answer)->mutations_size() - fit);
        (*answer)->set_more(true);
      },
      [this, from, request, answer, alive = std::weak_ptr(alive_)] {
        if (alive.expired()) return;
        --serving_[from];
        if (!*answer) return;  // a store that cannot be read says nothing
        v1::PeerMessage message;
        message.set_request(request);
        *message.mutable_name_answer() = std::move(**answer);
        link_.send(from, Channel::kBulk, std::move(message));
      });
}

}  // namespace swarmdns::controlplane
