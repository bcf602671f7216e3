#include "controlplane/app/resolver_flush.h"

#include <set>

#include "proto/dns/name.h"
#include "proto/dns/name_text.h"
#include "proto/dns/types.h"

namespace swarmdns::controlplane {
namespace {

std::string name_of(const std::string& wire) {
  const auto view = dns::NameView::parse(std::as_bytes(std::span(wire.data(), wire.size())));
  return view ? dns::to_text(*view) : "";
}

std::string type_of(uint16_t type) {
  return std::string(dns::to_text(static_cast<dns::Type>(type)));
}

}  // namespace

std::vector<std::string> resolver_flush_commands(const v1::FlushRequest& request,
                                                 const std::vector<uint16_t>& types_seen) {
  using dns::Type;
  switch (request.scope_case()) {
    case v1::FlushRequest::kAll:
      return {"flush_zone ."};
    case v1::FlushRequest::kZone: {
      const std::string zone = name_of(request.zone());
      if (zone.empty()) return {};
      return {"flush_zone " + zone};
    }
    case v1::FlushRequest::kName:
      break;
    default:
      return {};
  }
  const std::string name = name_of(request.name());
  if (name.empty()) return {};
  if (request.qtype() != 0)
    return {"flush_type " + name + " " + type_of(static_cast<uint16_t>(request.qtype()))};
  // "flush" knows A, AAAA, NS, SOA, CNAME, DNAME, MX, PTR, SRV, NAPTR, SVCB and HTTPS; the rest by name.
  std::set<uint16_t> others(types_seen.begin(), types_seen.end());
  for (const Type type : {Type::TXT, Type::DS, Type::DNSKEY, Type::CAA, Type::TLSA, Type::SSHFP, Type::SPF,
                          Type::HINFO, Type::LOC, Type::CDS, Type::CDNSKEY, Type::URI}) {
    others.insert(dns::to_u16(type));
  }
  std::vector<std::string> commands = {"flush " + name};
  for (const uint16_t type : others) commands.push_back("flush_type " + name + " " + type_of(type));
  return commands;
}

}  // namespace swarmdns::controlplane
