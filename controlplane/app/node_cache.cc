// The cache and its counters: passed on to the data plane.
#include <set>

#include "controlplane/app/node.h"
#include "controlplane/app/resolver_flush.h"
#include "controlplane/resolver/unbound_control.h"

namespace swarmdns::controlplane {

Refusal Node::refusal_of(const LinkError& error) const {
  switch (error.kind) {
    case LinkError::Kind::kUnreachable: {
      std::string text = "the data plane is down: " + error.text;
      if (dataplane_) {
        const ChildStatus child = dataplane_->status();
        text += std::string("; its process is ") + to_string(child.state);
        if (!child.last_end.empty()) text += ", and ended last with: " + child.last_end;
        text +=
            ". `swarmctl status` says more, its log is " + filled().node().state_dir() + "/log/dataplane.log";
      } else {
        text += "; node.supervision is external: start it (systemctl start swarmdns-dataplane)";
      }
      return {Refusal::Kind::kUnavailable, text};
    }
    case LinkError::Kind::kRefused:
      return {Refusal::Kind::kPrecondition, error.text};
    default:
      return {Refusal::Kind::kFailed, error.text};
  }
}

Outcome<v1::LookupResponse> Node::lookup(const v1::LookupRequest& request) {
  auto answer = link_->lookup(request);
  if (!answer) return std::unexpected(refusal_of(answer.error()));
  return std::move(*answer);
}

Outcome<v1::FlushCacheResponse> Node::flush(const v1::FlushRequest& request) {
  v1::FlushCacheResponse response;
  const v1::Config config = filled();
  std::set<uint16_t> types;
  if (request.scope_case() == v1::FlushRequest::kName && request.qtype() == 0) {
    v1::LookupRequest lookup;
    lookup.set_qname(request.name());
    if (const auto found = link_->lookup(lookup)) {
      for (const v1::CacheEntry& entry : found->entries())
        types.insert(static_cast<uint16_t>(entry.key().qtype()));
    }
  }
  // The resolver first: a miss between the two would bring the old data back.
  if (config.resolver().mode() == v1::UNBOUND) {
    response.set_resolver_flushed(true);
    for (const std::string& command : resolver_flush_commands(request, {types.begin(), types.end()})) {
      const auto done = unbound_command(resolver_paths_.control_socket, command);
      if (done) {
        if (response.resolver_note().empty()) response.set_resolver_note(*done);
        continue;
      }
      response.set_resolver_flushed(false);
      response.set_resolver_note(done.error());
      break;
    }
  } else {
    response.set_resolver_note("resolver.mode is none: the upstream servers keep their own caches");
  }
  const auto flushed = link_->flush(request);
  if (!flushed) return std::unexpected(refusal_of(flushed.error()));
  response.set_removed(flushed->removed());
  return response;
}

Outcome<void> Node::dump(const std::function<bool(const v1::CacheSlice&)>& take) {
  const auto done = link_->dump(take);
  if (!done) return std::unexpected(refusal_of(done.error()));
  return {};
}

Outcome<v1::LoadResponse> Node::load(const std::function<bool(v1::CacheSlice&)>& next) {
  auto answer = link_->load(next);
  if (!answer) return std::unexpected(refusal_of(answer.error()));
  // What it holds may be dead by the swarm's fences.
  if (cache_loaded_) cache_loaded_();
  return std::move(*answer);
}

Outcome<v1::StatsSnapshot> Node::stats() {
  auto answer = link_->stats();
  if (!answer) return std::unexpected(refusal_of(answer.error()));
  return std::move(*answer);
}

}  // namespace swarmdns::controlplane
