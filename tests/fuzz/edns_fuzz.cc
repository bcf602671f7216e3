// Any octets as the fixed part and the options of an OPT record, and as the contents of each option we know.
// What is accepted is written anew and must be the same.

#include <algorithm>
#include <vector>

#include "proto/dns/cookie.h"
#include "proto/dns/edns_write.h"
#include "proto/dns/text.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace swarmdns::dns;

void check_option_contents(Bytes data) {
  if (const auto cookie = parse_cookie(data)) {
    FUZZ_CHECK(cookie->client.size() + cookie->server.size() == data.size());
    if (const auto server = ServerCookie::parse(cookie->server)) {
      std::array<std::byte, kServerCookieSize> again;
      server->serialise(again);
      FUZZ_CHECK(std::ranges::equal(again, cookie->server));
      FUZZ_CHECK(cookie_hash_input(cookie->client, *server, Bytes(again).first(4))->size == 20);
    }
  }
  if (const auto subnet = parse_client_subnet(data)) {
    std::array<std::byte, 64> space;
    OptWriter writer(space, {});
    FUZZ_CHECK(writer.client_subnet(*subnet));
    FUZZ_CHECK(std::ranges::equal(writer.finish().subspan(kOptFixedSize + 4), data));
  }
  if (const auto error = parse_extended_error(data)) FUZZ_CHECK(error->text.size() + 2 <= data.size());
  if (const auto keepalive = parse_tcp_keepalive(data))
    FUZZ_CHECK(keepalive->timeout.has_value() == !data.empty());
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes octets = std::as_bytes(std::span(data, size));
  check_option_contents(octets);

  // As a whole record at the start of its span.
  const auto opt = Opt::parse(octets, 0);
  if (!opt) return 0;
  FUZZ_CHECK(!opt_to_text(*opt).empty());
  std::vector<std::byte> space(size);
  OptWriter writer(space, {.payload_size = opt->payload_size,
                           .rcode = opt->rcode(Flags()),
                           .version = opt->version,
                           .dnssec_ok = opt->dnssec_ok});
  for (const Option option : opt->options) {
    check_option_contents(option.data);
    FUZZ_CHECK(opt->find(option.code));
    FUZZ_CHECK(writer.option(option.code, option.data));
  }
  FUZZ_CHECK(std::ranges::equal(writer.finish().subspan(kOptFixedSize), opt->options.wire()));
  const auto again = Opt::parse(writer.finish(), 0);
  FUZZ_CHECK(again && again->version == opt->version && again->dnssec_ok == opt->dnssec_ok);
  FUZZ_CHECK(again->payload_size == opt->payload_size && again->extended_rcode == opt->extended_rcode);
  return 0;
}
