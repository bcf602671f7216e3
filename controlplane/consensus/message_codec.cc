#include "controlplane/consensus/message_codec.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "controlplane/consensus/entry_frame.h"
#include "controlplane/consensus/raft_members.h"

namespace swarmdns::controlplane {

namespace {

// Terms and numbers above are not reached in the life of a swarm, and sums of two cannot overflow.
constexpr std::uint64_t kMaxNumber = std::uint64_t{1} << 62;
constexpr std::size_t kMaxEntries = 4096;
constexpr std::size_t kMaxMembersBytes = kMaxLogMembers * (kMaxMemberAddressBytes + 10) + 16;
// What C-raft itself writes in the messages of 0.22.1.
constexpr unsigned char kVersion = 0;
constexpr unsigned char kVersionWithCapacity = 2;

std::span<const std::byte> octets_of(const std::string& data) {
  return std::as_bytes(std::span(data));
}

bool numbers_in_range(std::initializer_list<std::uint64_t> numbers) {
  return std::ranges::all_of(numbers, [](std::uint64_t number) { return number < kMaxNumber; });
}

struct raft_message blank(NodeId from, enum raft_message_type type) {
  struct raft_message message {};
  message.type = type;
  message.server_id = from;
  message.server_address = "-";  // messages are sent by number
  return message;
}

std::string problem_of_entry(const v1::LogEntry& entry, std::uint64_t index, const MessageLimits& limits) {
  const auto data = octets_of(entry.data());
  if (data.size() % 8 != 0 || data.empty()) return "its length is not a multiple of 8";
  switch (entry.type()) {
    case RAFT_COMMAND:
      if (data.size() > framed_entry_size(limits.max_entry_bytes)) return "it is too long";
      if (!unframe_entry(index, data)) return "its frame is wrong";
      return "";
    case RAFT_BARRIER:
      return data.size() == 8 ? "" : "a barrier has 8 bytes";
    case RAFT_CHANGE:
      if (data.size() > kMaxMembersBytes || !encoded_members_are_sound(data)) return "its members are wrong";
      return "";
    default:
      return "its type is unknown";
  }
}

std::string problem_of_append(const v1::AppendEntries& append, const MessageLimits& limits) {
  if (!numbers_in_range({append.prev_log_index(), append.prev_log_term(), append.leader_commit()}))
    return "a number is out of range";
  if ((append.prev_log_index() == 0) != (append.prev_log_term() == 0))
    return "previous number and term do not fit each other";
  if (append.prev_log_term() > append.term()) return "a term is that of a later leader";
  if (append.entries_size() > static_cast<int>(kMaxEntries)) return "too many entries";
  std::uint64_t term = append.prev_log_term();
  std::size_t total = 0;
  for (int i = 0; i < append.entries_size(); ++i) {
    const v1::LogEntry& entry = append.entries(i);
    const std::uint64_t index = append.prev_log_index() + 1 + static_cast<std::uint64_t>(i);
    if (entry.term() == 0 || entry.term() < term || entry.term() > append.term())
      return "entry " + std::to_string(index) + ": its term is out of order";
    term = entry.term();
    total += entry.data().size();
    if (std::string problem = problem_of_entry(entry, index, limits); !problem.empty())
      return "entry " + std::to_string(index) + ": " + problem;
  }
  if (append.entries_size() > 1 && total > 2 * limits.max_message_bytes) return "too many bytes of entries";
  return "";
}

// Entries first..last-1 as one message, in one piece of memory.
DecodedMessage append_part(NodeId from, const v1::AppendEntries& append, int first, int last) {
  struct raft_message message = blank(from, RAFT_APPEND_ENTRIES);
  struct raft_append_entries& part = message.append_entries;
  part.version = kVersion;
  part.term = append.term();
  part.prev_log_index = append.prev_log_index() + static_cast<std::uint64_t>(first);
  part.prev_log_term = first == 0 ? append.prev_log_term() : append.entries(first - 1).term();
  part.leader_commit = append.leader_commit();
  part.n_entries = static_cast<unsigned>(last - first);
  if (first == last) return DecodedMessage(message);

  std::size_t total = 0;
  for (int i = first; i < last; ++i) total += append.entries(i).data().size();
  auto* batch = static_cast<std::byte*>(raft_malloc(total));
  part.entries = static_cast<struct raft_entry*>(raft_calloc(part.n_entries, sizeof(struct raft_entry)));
  std::size_t at = 0;
  for (int i = first; i < last; ++i) {
    const v1::LogEntry& entry = append.entries(i);
    std::memcpy(batch + at, entry.data().data(), entry.data().size());
    part.entries[i - first] = {.term = entry.term(),
                               .type = static_cast<enum raft_entry_type>(entry.type()),
                               .buf = {.base = batch + at, .len = entry.data().size()},
                               .batch = batch};
    at += entry.data().size();
  }
  return DecodedMessage(message);
}

std::vector<DecodedMessage> append_parts(NodeId from, const v1::AppendEntries& append) {
  std::vector<DecodedMessage> parts;
  int first = 0;
  for (int i = 1; i < append.entries_size(); ++i) {
    if (append.entries(i).type() != RAFT_CHANGE) continue;
    parts.push_back(append_part(from, append, first, i));
    first = i;
  }
  parts.push_back(append_part(from, append, first, append.entries_size()));
  return parts;
}

std::expected<DecodedMessage, std::string> decode_install(NodeId from, const v1::InstallSnapshot& install) {
  if (!numbers_in_range({install.last_index(), install.last_term(), install.members_index()}))
    return std::unexpected("a number is out of range");
  if (install.last_index() == 0 || install.last_term() == 0) return std::unexpected("it stands for nothing");
  if (install.last_term() > install.term()) return std::unexpected("its term is that of a later leader");
  if (install.members_index() == 0 || install.members_index() > install.last_index())
    return std::unexpected("the number of its members is out of range");
  const std::string& manifest = install.manifest();
  if (const auto sound = unframe_manifest(manifest); !sound)
    return std::unexpected("manifest: " + sound.error());
  const auto members = from_wire(install.members());
  if (!members) return std::unexpected(members.error());
  const auto configuration = to_configuration(*members);
  if (!configuration) return std::unexpected(configuration.error());

  struct raft_message message = blank(from, RAFT_INSTALL_SNAPSHOT);
  message.install_snapshot = {.version = kVersion,
                              .term = install.term(),
                              .last_index = install.last_index(),
                              .last_term = install.last_term(),
                              .conf = *configuration,
                              .conf_index = install.members_index(),
                              .data = {.base = raft_malloc(manifest.size()), .len = manifest.size()}};
  std::memcpy(message.install_snapshot.data.base, manifest.data(), manifest.size());
  return DecodedMessage(message);
}

void fill_append(const struct raft_append_entries& append, unsigned first, unsigned last,
                 v1::AppendEntries* wire) {
  wire->set_term(append.term);
  wire->set_prev_log_index(append.prev_log_index + first);
  wire->set_prev_log_term(first == 0 ? append.prev_log_term : append.entries[first - 1].term);
  wire->set_leader_commit(append.leader_commit);
  for (unsigned i = first; i < last; ++i) {
    const struct raft_entry& entry = append.entries[i];
    v1::LogEntry* into = wire->add_entries();
    into->set_term(entry.term);
    into->set_type(static_cast<std::uint32_t>(entry.type));
    into->set_data(entry.buf.base, entry.buf.len);
  }
}

std::vector<v1::RaftMessage> encode_append(const struct raft_append_entries& append, std::size_t max_bytes) {
  std::vector<v1::RaftMessage> parts;
  unsigned first = 0;
  do {
    unsigned last = first;
    for (std::size_t bytes = 0; last < append.n_entries; ++last) {
      bytes += append.entries[last].buf.len;
      if (last > first && (bytes > max_bytes || last - first == kMaxEntries)) break;
    }
    fill_append(append, first, last, parts.emplace_back().mutable_append_entries());
    first = last;
  } while (first < append.n_entries);
  return parts;
}

}  // namespace

void DecodedMessage::release() {
  switch (message_.type) {
    case RAFT_APPEND_ENTRIES:
      if (message_.append_entries.n_entries > 0) raft_free(message_.append_entries.entries[0].batch);
      raft_free(message_.append_entries.entries);
      break;
    case RAFT_INSTALL_SNAPSHOT:
      raft_configuration_close(&message_.install_snapshot.conf);
      raft_free(message_.install_snapshot.data.base);
      break;
    default:
      break;
  }
  message_ = {};
}

std::vector<v1::RaftMessage> encode_message(const struct raft_message& message, const MessageLimits& limits) {
  if (message.type == RAFT_APPEND_ENTRIES)
    return encode_append(message.append_entries, limits.max_message_bytes);

  std::vector<v1::RaftMessage> parts(1);
  v1::RaftMessage& wire = parts[0];
  switch (message.type) {
    case RAFT_REQUEST_VOTE: {
      v1::RequestVote* vote = wire.mutable_request_vote();
      vote->set_term(message.request_vote.term);
      vote->set_candidate(message.request_vote.candidate_id);
      vote->set_last_log_index(message.request_vote.last_log_index);
      vote->set_last_log_term(message.request_vote.last_log_term);
      vote->set_disrupt_leader(message.request_vote.disrupt_leader);
      vote->set_pre_vote(message.request_vote.pre_vote);
      break;
    }
    case RAFT_REQUEST_VOTE_RESULT: {
      v1::RequestVoteResult* result = wire.mutable_request_vote_result();
      result->set_term(message.request_vote_result.term);
      result->set_granted(message.request_vote_result.vote_granted);
      result->set_pre_vote(message.request_vote_result.pre_vote);
      result->set_features(message.request_vote_result.features);
      result->set_capacity(message.request_vote_result.capacity);
      break;
    }
    case RAFT_APPEND_ENTRIES_RESULT: {
      v1::AppendEntriesResult* result = wire.mutable_append_entries_result();
      result->set_term(message.append_entries_result.term);
      result->set_rejected(message.append_entries_result.rejected);
      result->set_last_log_index(message.append_entries_result.last_log_index);
      result->set_features(message.append_entries_result.features);
      result->set_capacity(message.append_entries_result.capacity);
      break;
    }
    case RAFT_INSTALL_SNAPSHOT: {
      const struct raft_install_snapshot& snapshot = message.install_snapshot;
      v1::InstallSnapshot* install = wire.mutable_install_snapshot();
      install->set_term(snapshot.term);
      install->set_last_index(snapshot.last_index);
      install->set_last_term(snapshot.last_term);
      install->set_members_index(snapshot.conf_index);
      to_wire(snapshot.conf, install->mutable_members());
      install->set_manifest(snapshot.data.base, snapshot.data.len);
      break;
    }
    case RAFT_TIMEOUT_NOW: {
      v1::TimeoutNow* now = wire.mutable_timeout_now();
      now->set_term(message.timeout_now.term);
      now->set_last_log_index(message.timeout_now.last_log_index);
      now->set_last_log_term(message.timeout_now.last_log_term);
      break;
    }
    default:
      parts.clear();  // a kind of a later C-raft: not sent, as its own transport does
      break;
  }
  return parts;
}

std::expected<std::vector<DecodedMessage>, std::string> decode_message(NodeId from,
                                                                       const v1::RaftMessage& wire,
                                                                       const MessageLimits& limits) {
  std::vector<DecodedMessage> parts;
  const auto checked_term = [](std::uint64_t term) { return term > 0 && term < kMaxNumber; };
  switch (wire.body_case()) {
    case v1::RaftMessage::kRequestVote: {
      const v1::RequestVote& vote = wire.request_vote();
      if (!checked_term(vote.term()) || !numbers_in_range({vote.last_log_index(), vote.last_log_term()}))
        return std::unexpected("request for a vote: a number is out of range");
      if (vote.candidate() != from) return std::unexpected("request for a vote: for somebody else");
      struct raft_message message = blank(from, RAFT_REQUEST_VOTE);
      message.request_vote = {.version = kVersionWithCapacity,
                              .term = vote.term(),
                              .candidate_id = vote.candidate(),
                              .last_log_index = vote.last_log_index(),
                              .last_log_term = vote.last_log_term(),
                              .disrupt_leader = vote.disrupt_leader(),
                              .pre_vote = vote.pre_vote()};
      parts.emplace_back(message);
      return parts;
    }
    case v1::RaftMessage::kRequestVoteResult: {
      const v1::RequestVoteResult& result = wire.request_vote_result();
      // A node without any log answers with term 0.
      if (!numbers_in_range({result.term()}) || result.features() > UINT16_MAX ||
          result.capacity() > UINT16_MAX)
        return std::unexpected("result of a vote: a number is out of range");
      struct raft_message message = blank(from, RAFT_REQUEST_VOTE_RESULT);
      message.request_vote_result = {.version = kVersionWithCapacity,
                                     .term = result.term(),
                                     .vote_granted = result.granted(),
                                     .pre_vote = result.pre_vote(),
                                     .features = static_cast<unsigned short>(result.features()),
                                     .capacity = static_cast<unsigned short>(result.capacity())};
      parts.emplace_back(message);
      return parts;
    }
    case v1::RaftMessage::kAppendEntries: {
      if (!checked_term(wire.append_entries().term()))
        return std::unexpected("entries: the term is out of range");
      if (std::string problem = problem_of_append(wire.append_entries(), limits); !problem.empty())
        return std::unexpected("entries: " + problem);
      return append_parts(from, wire.append_entries());
    }
    case v1::RaftMessage::kAppendEntriesResult: {
      const v1::AppendEntriesResult& result = wire.append_entries_result();
      if (!numbers_in_range({result.term(), result.rejected(), result.last_log_index()}) ||
          result.features() > UINT16_MAX || result.capacity() > UINT16_MAX)
        return std::unexpected("result of entries: a number is out of range");
      struct raft_message message = blank(from, RAFT_APPEND_ENTRIES_RESULT);
      message.append_entries_result = {.version = kVersionWithCapacity,
                                       .term = result.term(),
                                       .rejected = result.rejected(),
                                       .last_log_index = result.last_log_index(),
                                       .features = static_cast<unsigned short>(result.features()),
                                       .capacity = static_cast<unsigned short>(result.capacity())};
      parts.emplace_back(message);
      return parts;
    }
    case v1::RaftMessage::kInstallSnapshot: {
      if (!checked_term(wire.install_snapshot().term()))
        return std::unexpected("snapshot: the term is out of range");
      auto install = decode_install(from, wire.install_snapshot());
      if (!install) return std::unexpected("snapshot: " + install.error());
      parts.push_back(std::move(*install));
      return parts;
    }
    case v1::RaftMessage::kTimeoutNow: {
      const v1::TimeoutNow& now = wire.timeout_now();
      if (!checked_term(now.term()) || !numbers_in_range({now.last_log_index(), now.last_log_term()}))
        return std::unexpected("transfer: a number is out of range");
      struct raft_message message = blank(from, RAFT_TIMEOUT_NOW);
      message.timeout_now = {.version = kVersion,
                             .term = now.term(),
                             .last_log_index = now.last_log_index(),
                             .last_log_term = now.last_log_term()};
      parts.emplace_back(message);
      return parts;
    }
    case v1::RaftMessage::BODY_NOT_SET:
      break;
  }
  return std::unexpected("a message of no known kind");
}

}  // namespace swarmdns::controlplane
