// What travels between the threads that face clients (workers, stream threads: here "askers") and the miss
// thread. An asker copies what a waiter needs into a Request slot of its own ring: never an mbuf, never a
// wait. The miss thread answers by a Reply on the same asker's reply ring; the asker builds the message from
// Reply::answer (an Entry, cached or not) with dns::build_from_entry over the question kept in the request,
// transmits it, and gives the Reply back by the done ring, for the asker neither allocates nor frees.
// channel.h bundles the rings.
//
// Not every request is replied to: over a quota or with a full table it is dropped and counted by the miss
// thread (over TCP it is given SERVFAIL where possible), and Prefetch never is.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "dataplane/cache/entry.h"
#include "dataplane/dns/query.h"
#include "dataplane/net/frame.h"

namespace swarmdns::miss {

enum class Kind : std::uint8_t {
  Miss,      // a client waits
  Stale,     // a client waits and a stale entry exists: it is given at the client's deadline
  Prefetch,  // nobody waits
};

// Where the reply goes. Workers: the frame's headers up to the DNS message, to be turned around by
// net::finish_reply. Stream threads: `handle` names connection and generation.
struct Waiter {
  std::uint16_t port = 0;               // DPDK port of the worker
  std::uint8_t headers_len = 0;         // 0 for stream threads
  std::array<std::byte, 78> headers{};  // Ethernet, up to two VLAN tags, IPv4 or IPv6, UDP
  net::FrameInfo frame;
  std::uint64_t handle = 0;
  std::uint64_t asked_tsc = 0;  // for the latency histogram
};

struct Request {
  Kind kind = Kind::Miss;
  dns::Transport transport = dns::Transport::Udp;
  std::uint16_t id = 0;     // the client's, network order
  std::uint16_t flags = 0;  // the client's header flags, host order
  std::uint16_t qtype = 0;
  std::uint8_t qname_len = 0;
  std::uint16_t limit = 512;  // largest reply the client takes
  bool cookie_valid = false;  // exempts from rate limiting
  bool server_cookie_due = false;
  std::array<std::byte, 16> reply_cookie{};
  dns::EdnsState edns;
  net::Address source;
  std::uint64_t hash = 0;
  Waiter waiter;
  std::array<std::byte, 256> qname;  // with the client's case (RFC 9619 echo, 0x20)
};

struct Reply {
  Request request;
  const cache::Entry* answer = nullptr;  // owned by the miss thread; valid until the Reply is given back
  cache::Seconds now = 0;                // for build_from_entry
  bool stale = false;                    // for build_from_entry
  std::uint16_t rcode = 0;               // when answer is null: for build_status, with `ede`
  std::uint16_t ede = 0;                 // info code + 1; 0 = none
};

}  // namespace swarmdns::miss
