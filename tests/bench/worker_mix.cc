#include "tests/bench/worker_mix.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string_view>

#include "dataplane/net/checksum.h"

namespace swarmdns::bench {
namespace {

constexpr std::array<std::string_view, 8> kTlds = {"com", "net", "org", "de", "io", "info", "co", "arpa"};

std::uint64_t scramble(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// Octets written one behind the other; big-endian numbers.
class Out {
 public:
  explicit Out(std::byte* at) : begin_(at), at_(at) {}
  void u8(unsigned v) { *at_++ = static_cast<std::byte>(v); }
  void u16(unsigned v) {
    u8(v >> 8 & 255);
    u8(v & 255);
  }
  void u32(std::uint32_t v) {
    u16(v >> 16);
    u16(v & 0xffff);
  }
  void raw(const void* data, std::size_t n) {
    std::memcpy(at_, data, n);
    at_ += n;
  }
  void label(std::string_view text) {
    u8(static_cast<unsigned>(text.size()));
    raw(text.data(), text.size());
  }
  void noise(std::uint64_t seed, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) u8(static_cast<unsigned>(scramble(seed + i) & 255));
  }
  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(at_ - begin_); }

 private:
  std::byte* begin_;
  std::byte* at_;
};

constexpr unsigned kA = 1, kCname = 5, kSoa = 6, kAaaa = 28, kRrsig = 46, kNsec = 47;

void record(Out& out, unsigned owner, unsigned type, unsigned ttl, unsigned rdlength) {
  out.u16(0xc000 | owner);
  out.u16(type);
  out.u16(1);
  out.u32(ttl);
  out.u16(rdlength);
}

// ECDSA P-256, signer: one label and the root, as most zones' apex would be compressed nowhere.
void signature(Out& out, unsigned owner, unsigned type, unsigned ttl, std::uint64_t seed) {
  record(out, owner, kRrsig, ttl, 18 + 9 + 64);
  out.u16(type);
  out.u8(13);
  out.u8(2);
  out.u32(ttl);
  out.u32(1'900'000'000);
  out.u32(1'700'000'000);
  out.u16(4711);
  out.label("example");
  out.u8(0);
  out.noise(seed, 64);
}

}  // namespace

std::uint64_t Mix::random(std::uint64_t index, std::uint64_t salt) const {
  return scramble(scramble(index ^ seed_) + salt * 0x632be59bd9b4e019);
}

Mix::Shape Mix::shape(std::uint64_t index) const {
  const std::uint64_t percent = random(index, 1) % 100;
  if (percent < 12) return Shape::NxDomain;
  if (percent < 27) return Shape::Alias;
  if (percent < 37) return Shape::Address6;
  return Shape::Address;
}

std::uint8_t Mix::key_flags(std::uint64_t index) const {
  return random(index, 2) % 100 < 30 ? cache::kKeyDnssecOk : 0;
}

std::uint16_t Mix::qtype(std::uint64_t index) const {
  return shape(index) == Shape::Address6 ? kAaaa : kA;
}

Mix::Name Mix::name(std::uint64_t index) const {
  Name name{};
  Out out(name.wire.data());
  if (random(index, 3) % 5 == 0) out.label("www");
  // The index in base 26 keeps names apart; letters in front of it give them the lengths that names have.
  char label[24];
  std::size_t length = 0;
  for (std::uint64_t pad = random(index, 4) % 11; pad > 0; --pad) {
    label[length++] = static_cast<char>('a' + random(index, 16 + pad) % 26);
  }
  label[length++] = '-';
  std::uint64_t rest = index;
  do {
    label[length++] = static_cast<char>('a' + rest % 26);
    rest /= 26;
  } while (rest != 0);
  out.label({label, length});
  out.label(kTlds[random(index, 5) % kTlds.size()]);
  out.u8(0);
  name.length = static_cast<std::uint8_t>(out.size());
  return name;
}

cache::EntryImage Mix::answer(std::uint64_t index, cache::Seconds now) const {
  const Name qname = name(index);
  const std::uint64_t dice = random(index, 6);
  const bool dnssec = key_flags(index) != 0;
  std::byte sections[1024];
  Out out(sections);
  cache::EntryContent content;
  content.key = {.qname = qname.wire.data(),
                 .qname_len = qname.length,
                 .flags = key_flags(index),
                 .view = 0,
                 .qtype = qtype(index)};
  content.born = now;
  content.expires = now + 86'400;
  const unsigned ttl = 86'400;
  const auto addresses = [&](unsigned owner, std::uint64_t count, unsigned type) {
    for (std::uint64_t i = 0; i < count; ++i, ++content.answers) {
      record(out, owner, type, ttl, type == kA ? 4 : 16);
      out.noise(dice + i, type == kA ? 4 : 16);
    }
    if (dnssec) {
      signature(out, owner, type, ttl, dice);
      ++content.answers;
    }
  };
  switch (shape(index)) {
    case Shape::Address:
      addresses(12, 1 + dice % 4, kA);
      break;
    case Shape::Address6:
      addresses(12, 1 + dice % 2, kAaaa);
      break;
    case Shape::Alias: {
      unsigned owner = 12;
      for (std::uint64_t links = 1 + dice % 2; links > 0; --links) {
        // Its target, "cdnN." and the TLD spelled out, stands behind the record's 12 octets of header.
        const unsigned target = 12U + qname.length + 4U + static_cast<unsigned>(out.size()) + 12U;
        record(out, owner, kCname, ttl, 1 + 7 + 1 + 3 + 1);
        char label[8];
        std::snprintf(label, sizeof label, "cdn%04u", static_cast<unsigned>((dice >> 8) % 10000));
        out.label({label, 7});
        out.label("net");
        out.u8(0);
        ++content.answers;
        if (dnssec) {
          signature(out, owner, kCname, ttl, dice + links);
          ++content.answers;
        }
        owner = target;
      }
      addresses(owner, 1 + (dice >> 4) % 2, kA);
      break;
    }
    case Shape::NxDomain: {
      content.rcode = 3;
      content.flags = cache::Entry::kNegative;
      record(out, 12, kSoa, ttl, 4 + 3 + 20);
      out.label("ns");
      out.u8(0);
      out.label("h");
      out.u8(0);
      for (const std::uint32_t number : {2026U, 7200U, 3600U, 86400U, 300U}) out.u32(number);
      ++content.authorities;
      if (dnssec) {
        signature(out, 12, kSoa, ttl, dice);
        record(out, 12, kNsec, ttl, 9 + 8);
        out.label("example");
        out.u8(0);
        out.u8(0);
        out.u8(6);
        out.noise(dice | 1, 5);
        out.u8(3);
        signature(out, 12, kNsec, ttl, dice + 1);
        content.authorities = static_cast<std::uint16_t>(content.authorities + 3);
      }
      break;
    }
  }
  content.sections = std::span<const std::byte>(sections, out.size());
  auto image = cache::EntryImage::build(content);
  if (!image) {
    std::fprintf(stderr, "worker mix: answer %llu: %s\n", static_cast<unsigned long long>(index),
                 cache::to_text(image.error()).c_str());
    std::abort();
  }
  return *image;
}

std::size_t Mix::query(std::uint64_t index, std::uint64_t variation, std::byte* frame) const {
  const std::uint64_t dice = scramble(variation ^ seed_);
  const bool dnssec = key_flags(index) != 0;
  const bool edns = dnssec || dice % 100 < 57;  // with all of DO's 30 %: 70 %
  const bool cookie = edns && (dice >> 8) % 100 < 5;
  const std::uint64_t client = (dice >> 16) & 8191;
  const bool v6 = (client & 1) != 0;
  const Name qname = name(index);

  const std::size_t message_length = 12U + qname.length + 4U + (edns ? 11U : 0U) + (cookie ? 12U : 0U);
  Out out(frame);
  out.raw(kServerMac.data(), 6);
  constexpr std::array<std::uint8_t, 6> kClientMac{0x02, 0, 0, 0, 0, 0xc1};
  out.raw(kClientMac.data(), 6);
  static const net::Address kServers[] = {*net::Address::parse(kServerV4), *net::Address::parse(kServerV6)};
  const net::Address& server = kServers[v6 ? 1 : 0];
  std::array<std::uint8_t, 16> from{};
  std::size_t addresses_at = 0;
  if (v6) {
    from = {0xfd,
            0x53,
            0,
            1,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            1,
            static_cast<std::uint8_t>(client >> 8),
            static_cast<std::uint8_t>(client)};
    out.u16(0x86dd);
    out.u32(0x60000000);
    out.u16(static_cast<unsigned>(8 + message_length));
    out.u8(17);
    out.u8(64);
    addresses_at = out.size();
    out.raw(from.data(), 16);
    out.raw(server.bytes.data(), 16);
  } else {
    from = {10, 99, static_cast<std::uint8_t>(client >> 8), static_cast<std::uint8_t>(client)};
    out.u16(0x0800);
    out.u16(0x4500);
    out.u16(static_cast<unsigned>(28 + message_length));
    out.u32(0x00004000);
    out.u8(64);
    out.u8(17);
    out.u16(0);
    addresses_at = out.size();
    out.raw(from.data(), 4);
    out.raw(server.bytes.data() + 12, 4);
    const auto sum = static_cast<std::uint16_t>(~net::sum_bytes(frame + 14, 20));
    std::memcpy(frame + 24, &sum, 2);
  }
  const std::size_t udp = out.size();
  out.u16(1024 + static_cast<unsigned>((dice >> 32) % 60000));
  out.u16(53);
  out.u16(static_cast<unsigned>(8 + message_length));
  out.u16(0);
  out.u16(static_cast<unsigned>(dice >> 48));
  out.u16(0x0100);
  for (const unsigned count : {1U, 0U, 0U, edns ? 1U : 0U}) out.u16(count);
  // Some resolvers mix the case of their questions (0x20).
  if ((dice >> 40) % 4 == 0) {
    for (std::size_t i = 0; i < qname.length; ++i) {
      const auto c = std::to_integer<unsigned>(qname.wire[i]);
      out.u8(c >= 'a' && c <= 'z' && (dice >> (i & 31) & 1) != 0 ? c - 32 : c);
    }
  } else {
    out.raw(qname.wire.data(), qname.length);
  }
  out.u16(qtype(index));
  out.u16(1);
  if (edns) {
    out.u8(0);
    out.u16(41);
    out.u16(1232);
    out.u32(dnssec ? 0x8000 : 0);
    out.u16(cookie ? 12 : 0);
    if (cookie) {
      out.u16(10);
      out.u16(8);
      out.noise(client, 8);
    }
  }
  // RFC 768, RFC 8200 8.1: the pseudo-header is the addresses, the protocol and the length.
  const std::size_t length = out.size() - udp;
  std::uint64_t sum = net::add_bytes(0, frame + addresses_at, v6 ? 32 : 8);
  sum += __builtin_bswap16(17);
  sum += __builtin_bswap16(static_cast<std::uint16_t>(length));
  auto checksum = static_cast<std::uint16_t>(~net::fold_sum(net::add_bytes(sum, frame + udp, length)));
  if (checksum == 0) checksum = 0xffff;  // 0 says that there is none
  std::memcpy(frame + udp + 6, &checksum, 2);
  return out.size();
}

}  // namespace swarmdns::bench
