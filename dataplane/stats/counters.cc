#include "dataplane/stats/counters.h"

namespace swarmdns::stats {
namespace {

struct Named {
  Counter counter;
  std::string_view name;
};

// In the order of the enumeration; the assertions below make a missing, doubled or misplaced line a compile
// error.
constexpr Named kNames[] = {
    {Counter::RxFrames, "frames.rx"},
    {Counter::TxFrames, "frames.tx"},
    {Counter::Queries, "dns.queries"},
    {Counter::Replies, "dns.replies"},
    {Counter::CacheHits, "cache.hits"},
    {Counter::CacheHitsNegative, "cache.hits_negative"},
    {Counter::CacheMisses, "cache.misses"},
    {Counter::StaleServed, "cache.stale_served"},
    {Counter::PrefetchAsked, "cache.prefetch_asked"},
    {Counter::LocalAnswers, "dns.local_answers"},
    {Counter::MissReplies, "miss.replies"},
    {Counter::RcodeNoError, "rcode.noerror"},
    {Counter::RcodeFormErr, "rcode.formerr"},
    {Counter::RcodeServFail, "rcode.servfail"},
    {Counter::RcodeNxDomain, "rcode.nxdomain"},
    {Counter::RcodeNotImp, "rcode.notimp"},
    {Counter::RcodeRefused, "rcode.refused"},
    {Counter::RcodeBadVers, "rcode.badvers"},
    {Counter::RcodeBadCookie, "rcode.badcookie"},
    {Counter::RcodeOther, "rcode.other"},
    {Counter::Truncated, "dns.truncated"},
    {Counter::ToKernelArp, "kernel.to_arp"},
    {Counter::ToKernelIcmp, "kernel.to_icmp"},
    {Counter::ToKernelTcp, "kernel.to_tcp"},
    {Counter::ToKernelFragment, "kernel.to_fragment"},
    {Counter::ToKernelOptions, "kernel.to_options"},
    {Counter::ToKernelOther, "kernel.to_other"},
    {Counter::FromKernel, "kernel.from"},
    {Counter::DropRunt, "drop.runt"},
    {Counter::DropOversize, "drop.oversize"},
    {Counter::DropForeignMac, "drop.foreign_mac"},
    {Counter::DropVlanDepth, "drop.vlan_depth"},
    {Counter::DropEtherType, "drop.ether_type"},
    {Counter::DropIpVersion, "drop.ip_version"},
    {Counter::DropIpHeader, "drop.ip_header"},
    {Counter::DropForeignAddress, "drop.foreign_address"},
    {Counter::DropMartianSource, "drop.martian_source"},
    {Counter::DropUdpLength, "drop.udp_length"},
    {Counter::DropUdpChecksum, "drop.udp_checksum"},
    {Counter::DropUdpPort, "drop.udp_port"},
    {Counter::DropSourcePortZero, "drop.source_port_zero"},
    {Counter::DropKernelRingFull, "drop.kernel_ring_full"},
    {Counter::DropKernelPoliced, "drop.kernel_policed"},
    {Counter::DropKernelRefused, "drop.kernel_refused"},
    {Counter::DropShortMessage, "drop.short_message"},
    {Counter::DropResponse, "drop.response"},
    {Counter::DropAcl, "drop.acl"},
    {Counter::DropRateLimited, "drop.rate_limited"},
    {Counter::DropNoQuestionEcho, "drop.no_question_echo"},
    {Counter::DropMissRingFull, "drop.miss_ring_full"},
    {Counter::DropMissTableFull, "drop.miss_table_full"},
    {Counter::DropWaitersFull, "drop.waiters_full"},
    {Counter::DropPrefixQuota, "drop.prefix_quota"},
    {Counter::DropZoneQuota, "drop.zone_quota"},
    {Counter::DropReplyRingFull, "drop.reply_ring_full"},
    {Counter::DropNoMbuf, "drop.no_mbuf"},
    {Counter::DropTxFull, "drop.tx_full"},
    {Counter::RateLimitSlipped, "guard.rate_limit_slipped"},
    {Counter::CookieValid, "guard.cookie_valid"},
    {Counter::CookieInvalid, "guard.cookie_invalid"},
    {Counter::CookieOnlyClient, "guard.cookie_only_client"},
    {Counter::StreamAccepted, "stream.accepted"},
    {Counter::StreamRefused, "stream.refused"},
    {Counter::StreamIdleClosed, "stream.idle_closed"},
    {Counter::StreamQueries, "stream.queries"},
    {Counter::StreamReplies, "stream.replies"},
    {Counter::StreamBadFrame, "stream.bad_frame"},
    {Counter::UpstreamQueries, "upstream.queries"},
    {Counter::UpstreamReplies, "upstream.replies"},
    {Counter::UpstreamTimeouts, "upstream.timeouts"},
    {Counter::UpstreamTcp, "upstream.tcp"},
    {Counter::UpstreamMismatched, "upstream.mismatched"},
    {Counter::UpstreamMalformed, "upstream.malformed"},
    {Counter::MissCoalesced, "miss.coalesced"},
    {Counter::PrefetchRetried, "miss.prefetch_retried"},
    {Counter::CacheInserts, "cache.inserts"},
    {Counter::CacheReplaces, "cache.replaces"},
    {Counter::CacheEvictions, "cache.evictions"},
    {Counter::CacheExpiries, "cache.expiries"},
    {Counter::CacheFlushed, "cache.flushed"},
    {Counter::CacheFenced, "cache.fenced"},
    {Counter::CacheInsertDropped, "cache.insert_dropped"},
    {Counter::CacheTooLarge, "cache.too_large"},
    {Counter::CacheRemoteAccepted, "cache.remote_accepted"},
    {Counter::CacheRemoteKept, "cache.remote_kept_local"},
    {Counter::CacheRemoteRefused, "cache.remote_refused"},
    {Counter::SlabPagesMoved, "cache.slab_pages_moved"},
    {Counter::JournalGaps, "cache.journal_gaps"},
    {Counter::SnapshotWritten, "snapshot.written"},
    {Counter::SnapshotFailed, "snapshot.failed"},
    {Counter::SnapshotRestored, "snapshot.restored"},
    {Counter::SnapshotExpired, "snapshot.expired"},
    {Counter::SnapshotRefused, "snapshot.refused"},
};

static_assert(std::size(kNames) == kCounters, "each counter needs exactly one name");

consteval bool in_order_and_distinct() {
  for (std::size_t i = 0; i < std::size(kNames); ++i) {
    if (static_cast<std::size_t>(kNames[i].counter) != i) return false;
    for (std::size_t j = 0; j < i; ++j) {
      if (kNames[i].name == kNames[j].name) return false;
    }
  }
  return true;
}
static_assert(in_order_and_distinct(), "names stand in the order of the enumeration, each once");

}  // namespace

std::string_view name(Counter counter) noexcept {
  const auto index = static_cast<std::size_t>(counter);
  return index < kCounters ? kNames[index].name : std::string_view("unknown");
}

bool is_drop(Counter counter) noexcept {
  return name(counter).starts_with("drop.");
}

}  // namespace swarmdns::stats
