#include "controlplane/consensus/message_codec.h"

#include <gtest/gtest.h>

#include <functional>

#include "controlplane/consensus/entry_frame.h"
#include "controlplane/consensus/raft_members.h"

namespace swarmdns::controlplane {
namespace {

std::string framed(std::uint64_t index, std::string_view data) {
  std::string frame(framed_entry_size(data.size()), '\0');
  frame_entry(EntryKind::kCommand, index, std::as_bytes(std::span(data)),
              std::as_writable_bytes(std::span(frame)));
  return frame;
}

std::string encoded_members(const std::vector<LogMember>& members) {
  auto configuration = to_configuration(members);
  struct raft_buffer buffer {};
  raft_configuration_encode(&*configuration, &buffer);
  std::string encoded(static_cast<const char*>(buffer.base), buffer.len);
  raft_free(buffer.base);
  raft_configuration_close(&*configuration);
  return encoded;
}

const std::vector<LogMember> kMembers = {{1, "one:1", LogRole::kVoter},
                                         {2, "two:1", LogRole::kStandBy},
                                         {3, "three:1", LogRole::kSpare}};

// Entries 11, 12, ... of term 5 or as given.
v1::RaftMessage append(int count) {
  v1::RaftMessage message;
  v1::AppendEntries* entries = message.mutable_append_entries();
  entries->set_term(5);
  entries->set_prev_log_index(10);
  entries->set_prev_log_term(4);
  entries->set_leader_commit(9);
  for (int i = 0; i < count; ++i) {
    v1::LogEntry* entry = entries->add_entries();
    entry->set_term(5);
    entry->set_type(RAFT_COMMAND);
    entry->set_data(framed(11 + static_cast<std::uint64_t>(i), std::string(static_cast<std::size_t>(i), 'x')));
  }
  return message;
}

v1::RaftMessage install() {
  v1::RaftMessage message;
  v1::InstallSnapshot* snapshot = message.mutable_install_snapshot();
  snapshot->set_term(5);
  snapshot->set_last_index(100);
  snapshot->set_last_term(4);
  snapshot->set_members_index(50);
  for (const LogMember& member : kMembers) {
    v1::LogServer* server = snapshot->add_members();
    server->set_id(member.id);
    server->set_address(member.address);
    server->set_role(static_cast<std::uint32_t>(member.role));
  }
  snapshot->set_manifest(frame_manifest("manifest"));
  return message;
}

std::string round_trip(const v1::RaftMessage& message) {
  const auto parts = decode_message(7, message, {});
  if (!parts) return "refused: " + parts.error();
  std::string all;
  for (const DecodedMessage& part : *parts) {
    EXPECT_EQ(part->server_id, 7u);
    for (const v1::RaftMessage& again : encode_message(*part, {})) all += again.SerializeAsString();
  }
  return all;
}

TEST(MessageCodec, KeepsEveryField) {
  std::vector<v1::RaftMessage> messages(5);
  v1::RequestVote* vote = messages[0].mutable_request_vote();
  vote->set_term(5);
  vote->set_candidate(7);
  vote->set_last_log_index(10);
  vote->set_last_log_term(4);
  vote->set_disrupt_leader(true);
  vote->set_pre_vote(true);
  v1::RequestVoteResult* voted = messages[1].mutable_request_vote_result();
  voted->set_term(5);
  voted->set_granted(true);
  voted->set_pre_vote(true);
  voted->set_features(1);
  voted->set_capacity(65535);
  v1::AppendEntriesResult* result = messages[2].mutable_append_entries_result();
  result->set_term(5);
  result->set_rejected(11);
  result->set_last_log_index(10);
  result->set_features(1);
  result->set_capacity(8192);
  v1::TimeoutNow* now = messages[3].mutable_timeout_now();
  now->set_term(5);
  now->set_last_log_index(10);
  now->set_last_log_term(4);
  messages[4] = install();
  messages.push_back(append(0));
  messages.push_back(append(20));
  for (const v1::RaftMessage& message : messages) EXPECT_EQ(round_trip(message), message.SerializeAsString());
}

TEST(MessageCodec, LaysEntriesOnMultiplesOfEightInOnePiece) {
  auto parts = decode_message(7, append(9), {});
  ASSERT_TRUE(parts);
  ASSERT_EQ(parts->size(), 1u);
  const struct raft_append_entries& entries = (*parts)[0]->append_entries;
  for (unsigned i = 0; i < entries.n_entries; ++i) {
    EXPECT_EQ(entries.entries[i].batch, entries.entries[0].batch);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(entries.entries[i].buf.base) % 8, 0u);
  }
}

// A follower of 0.22.1 takes the number of the first new entry for that of the change.
TEST(MessageCodec, AChangeOfMembersIsTheFirstEntryOfItsMessage) {
  v1::RaftMessage message = append(6);
  for (const int i : {2, 3, 5}) {
    message.mutable_append_entries()->mutable_entries(i)->set_type(RAFT_CHANGE);
    message.mutable_append_entries()->mutable_entries(i)->set_data(encoded_members(kMembers));
  }
  message.mutable_append_entries()->mutable_entries(0)->set_term(4);
  const auto parts = decode_message(7, message, {});
  ASSERT_TRUE(parts);
  ASSERT_EQ(parts->size(), 4u);
  const std::vector<std::pair<std::uint64_t, unsigned>> expected = {{10, 2}, {12, 1}, {13, 2}, {15, 1}};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const struct raft_append_entries& part = (*parts)[i]->append_entries;
    EXPECT_EQ(part.prev_log_index, expected[i].first);
    EXPECT_EQ(part.prev_log_term, i == 0 ? 4u : 5u);
    EXPECT_EQ(part.n_entries, expected[i].second);
    EXPECT_EQ(part.entries[0].type, i == 0 ? RAFT_COMMAND : RAFT_CHANGE);
  }
}

TEST(MessageCodec, SendsManyBytesInParts) {
  v1::RaftMessage message;
  message.mutable_append_entries()->set_term(5);
  for (std::uint64_t i = 1; i <= 10; ++i) {
    v1::LogEntry* entry = message.mutable_append_entries()->add_entries();
    entry->set_term(i < 5 ? 4 : 5);
    entry->set_type(RAFT_COMMAND);
    entry->set_data(framed(i, std::string(i == 7 ? 5000 : 300, 'x')));
  }
  const auto parts = decode_message(7, message, {});
  ASSERT_TRUE(parts);
  const MessageLimits limits{.max_entry_bytes = 5000, .max_message_bytes = 1000};
  const auto sent = encode_message(*parts->front(), limits);
  ASSERT_EQ(sent.size(), 4u);
  std::uint64_t next = 1;
  for (const v1::RaftMessage& part : sent) {
    EXPECT_EQ(part.append_entries().prev_log_index(), next - 1);
    EXPECT_EQ(part.append_entries().prev_log_term(), next == 1 ? 0u : next - 1 < 5 ? 4u : 5u);
    ASSERT_TRUE(decode_message(7, part, limits)) << decode_message(7, part, limits).error();
    next += static_cast<std::uint64_t>(part.append_entries().entries_size());
  }
  EXPECT_EQ(next, 11u);
}

struct Wrong {
  const char* what;
  std::function<void(v1::RaftMessage&)> alter;
};

TEST(MessageCodec, RefusesEntriesThatAreWrong) {
  const auto entries = [](v1::RaftMessage& message) { return message.mutable_append_entries(); };
  const std::vector<Wrong> wrongs = {
      {"term 0", [&](auto& m) { entries(m)->set_term(0); }},
      {"term out of range", [&](auto& m) { entries(m)->set_term(UINT64_MAX); }},
      {"number out of range", [&](auto& m) { entries(m)->set_prev_log_index(UINT64_MAX); }},
      {"number without a term", [&](auto& m) { entries(m)->set_prev_log_term(0); }},
      {"previous term of the future", [&](auto& m) { entries(m)->set_prev_log_term(6); }},
      {"terms fall", [&](auto& m) { entries(m)->mutable_entries(1)->set_term(4); }},
      {"term of the future", [&](auto& m) { entries(m)->mutable_entries(2)->set_term(6); }},
      {"no term", [&](auto& m) { entries(m)->mutable_entries(0)->set_term(0); }},
      {"unknown type", [&](auto& m) { entries(m)->mutable_entries(0)->set_type(4); }},
      {"length", [&](auto& m) { entries(m)->mutable_entries(0)->mutable_data()->push_back('x'); }},
      {"empty", [&](auto& m) { entries(m)->mutable_entries(0)->clear_data(); }},
      {"of another number", [&](auto& m) { entries(m)->mutable_entries(0)->set_data(framed(12, "")); }},
      {"too long", [&](auto& m) { entries(m)->mutable_entries(0)->set_data(framed(11, std::string(1000, 'x'))); }},
      {"a long barrier", [&](auto& m) {
         entries(m)->mutable_entries(0)->set_type(RAFT_BARRIER);
         entries(m)->mutable_entries(0)->set_data(std::string(16, '\0'));
       }},
      {"members that are none", [&](auto& m) { entries(m)->mutable_entries(0)->set_type(RAFT_CHANGE); }},
      {"members cut off", [&](auto& m) {
         entries(m)->mutable_entries(0)->set_type(RAFT_CHANGE);
         entries(m)->mutable_entries(0)->set_data(encoded_members(kMembers).substr(0, 40));
       }},
      {"members twice", [&](auto& m) {
         std::string members = encoded_members({{1, "one:1", LogRole::kVoter}, {2, "two:1", LogRole::kVoter}});
         members[9 + 8 + 6 + 1] = 1;
         entries(m)->mutable_entries(0)->set_type(RAFT_CHANGE);
         entries(m)->mutable_entries(0)->set_data(members);
       }},
      {"more than a message holds", [&](auto& m) {
         for (std::uint64_t i = 0; i < 30; ++i) {
           v1::LogEntry* entry = entries(m)->add_entries();
           entry->set_term(5);
           entry->set_type(RAFT_COMMAND);
           entry->set_data(framed(15 + i, std::string(100, 'x')));
         }
       }},
      {"more entries than a message holds", [&](auto& m) {
         for (std::uint64_t i = 0; i < 5000; ++i) entries(m)->add_entries();
       }},
  };
  const MessageLimits limits{.max_entry_bytes = 500, .max_message_bytes = 1000};
  ASSERT_TRUE(decode_message(7, append(4), limits));
  for (const Wrong& wrong : wrongs) {
    v1::RaftMessage message = append(4);
    wrong.alter(message);
    EXPECT_FALSE(decode_message(7, message, limits)) << wrong.what;
  }
}

TEST(MessageCodec, RefusesASnapshotThatIsWrong) {
  const auto snapshot = [](v1::RaftMessage& message) { return message.mutable_install_snapshot(); };
  const std::vector<Wrong> wrongs = {
      {"stands for nothing", [&](auto& m) { snapshot(m)->set_last_index(0); }},
      {"no term", [&](auto& m) { snapshot(m)->set_last_term(0); }},
      {"term of the future", [&](auto& m) { snapshot(m)->set_last_term(6); }},
      {"members later than it", [&](auto& m) { snapshot(m)->set_members_index(101); }},
      {"no members' number", [&](auto& m) { snapshot(m)->set_members_index(0); }},
      {"no members", [&](auto& m) { snapshot(m)->clear_members(); }},
      {"unknown role", [&](auto& m) { snapshot(m)->mutable_members(0)->set_role(3); }},
      {"number 0", [&](auto& m) { snapshot(m)->mutable_members(0)->set_id(0); }},
      {"one number twice", [&](auto& m) { snapshot(m)->mutable_members(0)->set_id(2); }},
      {"one address twice", [&](auto& m) { snapshot(m)->mutable_members(0)->set_address("two:1"); }},
      {"address with a zero", [&](auto& m) { snapshot(m)->mutable_members(0)->set_address(std::string("a\0b", 3)); }},
      {"no manifest", [&](auto& m) { snapshot(m)->clear_manifest(); }},
      {"manifest altered", [&](auto& m) { snapshot(m)->mutable_manifest()->back() ^= 1; }},
      {"too many members", [&](auto& m) {
         for (std::uint64_t i = 10; i < 90; ++i) {
           v1::LogServer* server = snapshot(m)->add_members();
           server->set_id(i);
           server->set_address(std::to_string(i));
         }
       }},
  };
  ASSERT_TRUE(decode_message(7, install(), {}));
  for (const Wrong& wrong : wrongs) {
    v1::RaftMessage message = install();
    wrong.alter(message);
    EXPECT_FALSE(decode_message(7, message, {})) << wrong.what;
  }
}

TEST(MessageCodec, RefusesOtherMessagesThatAreWrong) {
  EXPECT_FALSE(decode_message(7, {}, {}));
  v1::RaftMessage message;
  message.mutable_request_vote()->set_term(5);
  message.mutable_request_vote()->set_candidate(8);
  EXPECT_FALSE(decode_message(7, message, {})) << "for somebody else";
  message.mutable_request_vote_result()->set_capacity(65536);
  EXPECT_FALSE(decode_message(7, message, {}));
  message.mutable_append_entries_result()->set_features(65536);
  EXPECT_FALSE(decode_message(7, message, {}));
  message.mutable_append_entries_result()->clear_features();
  message.mutable_append_entries_result()->set_last_log_index(UINT64_MAX);
  EXPECT_FALSE(decode_message(7, message, {}));
  message.mutable_timeout_now()->set_last_log_index(3);
  EXPECT_FALSE(decode_message(7, message, {})) << "no term";
}

}  // namespace
}  // namespace swarmdns::controlplane
