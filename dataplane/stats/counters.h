// Names of everything a data plane thread counts. Each thread owns one block of counters and is its only
// writer; readers add the blocks up. A frame that is not answered is counted under exactly one `Drop*` or
// `To*` name.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace swarmdns::stats {

enum class Counter : std::uint16_t {
  // Frames
  RxFrames,
  TxFrames,
  Queries,  // well-formed enough to be answered in some way
  Replies,  // DNS replies handed to the port (or the TCP connection)
  // What was answered from
  CacheHits,
  CacheHitsNegative,
  CacheMisses,  // questions put on the miss ring
  StaleServed,
  PrefetchAsked,  // put on the miss ring for an entry near its expiry
  LocalAnswers,   // CHAOS, ANY (RFC 8482), errors: answered without the cache
  MissReplies,    // replies that came back by the miss path
  // Reply codes
  RcodeNoError,
  RcodeFormErr,
  RcodeServFail,
  RcodeNxDomain,
  RcodeNotImp,
  RcodeRefused,
  RcodeBadVers,
  RcodeBadCookie,
  RcodeOther,
  Truncated,  // replies with TC
  // Frames handed to the kernel
  ToKernelArp,
  ToKernelIcmp,
  ToKernelTcp,
  ToKernelFragment,
  ToKernelOptions,  // IPv4 options, IPv6 extension headers
  ToKernelOther,
  FromKernel,
  // Drops: link and network
  DropRunt,      // shorter than its headers say
  DropOversize,  // longer than the MTU of its port
  DropForeignMac,
  DropVlanDepth,  // more than two tags
  DropEtherType,
  DropIpVersion,
  DropIpHeader,        // header length, total length, checksum
  DropForeignAddress,  // not a service address
  DropMartianSource,   // own, loopback, multicast, broadcast, unspecified
  DropUdpLength,
  DropUdpChecksum,
  DropUdpPort,  // not port 53
  DropSourcePortZero,
  DropKernelRingFull,
  DropKernelPoliced,
  DropKernelRefused,  // the TAP did not take it
  // Drops: DNS
  DropShortMessage,  // under 12 bytes
  DropResponse,      // QR = 1
  DropAcl,
  DropRateLimited,
  DropNoQuestionEcho,  // a malformed query that cannot even be given FORMERR
  // Drops: miss path
  DropMissRingFull,
  DropMissTableFull,
  DropWaitersFull,
  DropPrefixQuota,
  DropZoneQuota,
  DropReplyRingFull,
  // Drops: transmit
  DropNoMbuf,
  DropTxFull,
  // Guards, informational
  RateLimitSlipped,
  CookieValid,
  CookieInvalid,
  CookieOnlyClient,
  // TCP and kernel UDP
  StreamAccepted,
  StreamRefused,  // connection limits
  StreamIdleClosed,
  StreamQueries,
  StreamReplies,
  StreamBadFrame,
  // Upstream
  UpstreamQueries,
  UpstreamReplies,
  UpstreamTimeouts,
  UpstreamTcp,
  UpstreamMismatched,  // wrong source, ID or question
  UpstreamMalformed,
  MissCoalesced,
  PrefetchRetried,
  // Cache writer
  CacheInserts,
  CacheReplaces,
  CacheEvictions,
  CacheExpiries,
  CacheFlushed,
  CacheFenced,         // of an origin that a fence declared dead
  CacheInsertDropped,  // no slab headroom, or the command queue was full
  CacheTooLarge,
  CacheRemoteAccepted,  // of other nodes
  CacheRemoteKept,      // what is there is this node's own and fresh, or lives as long
  CacheRemoteRefused,   // malformed, outdated, expired, no room
  SlabPagesMoved,
  JournalGaps,
  // Restart snapshot
  SnapshotWritten,
  SnapshotFailed,    // the former one stays
  SnapshotRestored,  // entries that it brought back
  SnapshotExpired,
  SnapshotRefused,  // malformed, or no room
  Count_,
};

inline constexpr std::size_t kCounters = static_cast<std::size_t>(Counter::Count_);

// "drop.udp_checksum", "cache.hits": stable names for operators.
[[nodiscard]] std::string_view name(Counter counter) noexcept;
// A frame or query that was given up: its name begins with "drop.".
[[nodiscard]] bool is_drop(Counter counter) noexcept;

// One thread's counters. The owner adds; anybody reads, without order between counters.
struct alignas(64) Block {
  std::array<std::atomic<std::uint64_t>, kCounters> values{};

  void add(Counter counter, std::uint64_t n = 1) noexcept {
    auto& value = values[static_cast<std::size_t>(counter)];
    value.store(value.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t get(Counter counter) const noexcept {
    return values[static_cast<std::size_t>(counter)].load(std::memory_order_relaxed);
  }
};

}  // namespace swarmdns::stats
