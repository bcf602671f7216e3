// A mutation of a cache, as history shows it. Pure.
#pragma once

#include <string>
#include <vector>

#include "controlplane/cli/entry_text.h"
#include "swarmdns/v1/swarm.pb.h"

namespace swarmdns::controlplane {

struct MutationText {
  bool erased = false;      // nothing of it is left but its place
  bool unreadable = false;  // not a mutation of this version
  uint64_t wall_ms = 0;
  uint64_t sequence = 0;
  std::string did;  // "learned", "replaced", "removed", "flushed everything", ...
  std::string name;
  std::string type;
  std::string rcode;     // "" where there is no answer
  std::string answer;    // "192.0.2.1, 192.0.2.2"; "no data"; the problem with the sections
  std::string upstream;  // "192.0.2.53@53"; "" = none, or not known
  uint32_t ttl_s = 0;
  std::vector<EntryRecord> records;
};
MutationText mutation_text(const v1::MutationView& view);

// Everything as one object, on lines indented by `indent` blanks.
std::string mutation_json(const v1::MutationView& view, int indent);

}  // namespace swarmdns::controlplane
