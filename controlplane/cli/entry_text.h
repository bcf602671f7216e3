// Cache entries in presentation form.
#pragma once

#include <string>
#include <vector>

#include "swarmdns/v1/dataplane.pb.h"

namespace swarmdns::controlplane {

struct EntryRecord {
  std::string section;  // "answer", "authority", "additional"
  std::string name;
  uint32_t ttl = 0;  // of now; 0 when stale
  std::string type;
  std::string rdata;
};

struct EntryText {
  std::string name;
  std::string type;
  std::string rcode;
  std::vector<EntryRecord> records;
  std::string error;  // why the sections cannot be read; "" = they can
};

EntryText entry_text(const v1::CacheEntry& entry);

// Uncompressed wire form, lower case, of a name in presentation form; "" = not a name. `error` says why.
std::string name_to_wire(const std::string& text, std::string& error);

}  // namespace swarmdns::controlplane
