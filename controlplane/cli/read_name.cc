#include "controlplane/cli/read_name.h"

#include "controlplane/cli/entry_text.h"
#include "proto/dns/types.h"

namespace swarmdns::controlplane {

bool read_name(Context& context, const std::string& text, std::string& wire) {
  std::string error;
  wire = name_to_wire(text, error);
  if (!wire.empty()) return true;
  context.err << "swarmctl: \"" << text << "\" is not a domain name: " << error << "\n";
  return false;
}

bool read_type(Context& context, const std::string& text, uint32_t& type) {
  if (text.empty()) return true;
  if (const auto found = dns::type_from_text(text)) {
    type = dns::to_u16(*found);
    return true;
  }
  context.err << "swarmctl: \"" << text << "\" is not a type; A, AAAA, MX or TYPE65280 are\n";
  return false;
}

}  // namespace swarmdns::controlplane
