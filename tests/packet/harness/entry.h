// Cache entries made from an upstream's response, by the same renderer that the miss path uses.
#pragma once

#include <cstdlib>

#include "dataplane/cache/image.h"
#include "dataplane/dns/render.h"
#include "proto/dns/fold.h"
#include "tests/packet/harness/bytes.h"

namespace swarmdns::test {

struct EntryOptions {
  std::uint8_t key_flags = 0;
  cache::Seconds born = 1U << 20;
  dns::RenderRules rules{};
};

// Aborts when the response is malformed: such tests are about the renderer, and call it.
inline cache::EntryImage entry_from_response(const Octets& response, const EntryOptions& options = {}) {
  const auto message = dns::Message::parse(response);
  if (!message) std::abort();
  dns::Renderer renderer;
  const auto answer = renderer.render(*message, options.rules);
  if (!answer) std::abort();
  Octets name(message->question()->name.wire().begin(), message->question()->name.wire().end());
  dns::fold_copy(name.data(), name.data(), name.size());

  cache::EntryContent content;
  content.key = {name.data(), static_cast<std::uint8_t>(name.size()), options.key_flags, 0,
                 dns::to_u16(message->question()->type)};
  content.rcode = answer->rcode;
  if (answer->authenticated) content.flags |= cache::Entry::kAuthenticated;
  if (answer->kind == dns::AnswerKind::NoData || answer->kind == dns::AnswerKind::NxDomain) {
    content.flags |= cache::Entry::kNegative;
  }
  if (answer->kind == dns::AnswerKind::Failure) content.flags |= cache::Entry::kFailure;
  content.answers = answer->answers;
  content.authorities = answer->authorities;
  content.additionals = answer->additionals;
  content.ede = answer->ede;
  content.born = options.born;
  content.expires = options.born + answer->ttl_s;
  content.sections = answer->sections;
  auto image = cache::EntryImage::build_rendered(content, answer->ttl_offsets, answer->sections_sum);
  if (!image) std::abort();
  return *image;
}

}  // namespace swarmdns::test
