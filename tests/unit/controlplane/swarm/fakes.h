// A small world for the swarm's parts: one clock, nodes with caches that remember origins, a network that
// loses.
#pragma once

#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "controlplane/core/peer_link.h"
#include "controlplane/core/reactor.h"
#include "controlplane/swarm/cache_port.h"
#include "controlplane/swarm/segment.h"
#include "controlplane/swarm/segment_store.h"

namespace swarmdns::controlplane::test {

// All nodes' handlers in one queue.
class World {
 public:
  std::uint64_t now_ms = 1'000'000;
  std::mt19937_64 random{7};

  std::uint64_t at(std::uint64_t time, std::function<void()> task) {
    queue_.emplace(std::pair(time, ++next_), std::move(task));
    times_[next_] = time;
    return next_;
  }
  void cancel(std::uint64_t id) {
    const auto time = times_.find(id);
    if (time != times_.end()) queue_.erase({time->second, id});
  }
  void run_for(std::uint64_t ms) {
    const std::uint64_t end = now_ms + ms;
    while (!queue_.empty() && queue_.begin()->first.first <= end) {
      const auto first = queue_.begin();
      now_ms = std::max(now_ms, first->first.first);
      const auto task = std::move(first->second);
      times_.erase(first->first.second);
      queue_.erase(first);
      task();
    }
    now_ms = end;
  }

 private:
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::function<void()>> queue_;
  std::map<std::uint64_t, std::uint64_t> times_;
  std::uint64_t next_ = 0;
};

class FakeReactor final : public Reactor {
 public:
  explicit FakeReactor(World& world) : world_(world) {}
  std::int64_t wall_offset_ms = 1'700'000'000'000;

  void post(std::function<void()> task) override { world_.at(world_.now_ms, std::move(task)); }
  std::uint64_t now_ms() const override { return world_.now_ms; }
  std::uint64_t wall_ms() const override {
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(world_.now_ms) + wall_offset_ms);
  }
  TimerId after(std::uint64_t delay_ms, std::function<void()> task) override {
    return world_.at(world_.now_ms + delay_ms, std::move(task));
  }
  void cancel(TimerId timer) override { world_.cancel(timer); }
  void offload(std::function<void()> work, std::function<void()> done) override {
    world_.at(world_.now_ms, [this, work = std::move(work), done = std::move(done)] {
      work();
      world_.at(world_.now_ms + 1, done);
    });
  }
  void random(std::span<std::byte> into) override {
    for (std::byte& octet : into) octet = static_cast<std::byte>(world_.random());
  }

 private:
  World& world_;
};

class FakeLink;

class FakeNet {
 public:
  explicit FakeNet(World& shared) : world(shared) {}
  World& world;
  std::uint64_t delay_ms = 2;
  // Whether a message gets through; all do without it.
  std::function<bool(NodeId from, NodeId to, const v1::PeerMessage&)> passes;
  std::map<NodeId, FakeLink*> links;
};

class FakeLink final : public PeerLink {
 public:
  FakeLink(FakeNet& net, NodeId self) : net_(net), self_(self) { net.links[self] = this; }
  ~FakeLink() override { net_.links.erase(self_); }
  std::map<NodeId, std::size_t> queued;  // what queued_bytes() says

  void on_message(Handler handler) override { handler_ = std::move(handler); }
  void set_peers(std::vector<PeerAddress>) override {}
  bool send(NodeId to, Channel channel, v1::PeerMessage message) override {
    if (!net_.links.contains(to)) return false;
    if (net_.passes && !net_.passes(self_, to, message)) return true;
    const auto bytes = std::make_shared<std::string>(message.SerializeAsString());
    net_.world.at(net_.world.now_ms + net_.delay_ms, [this, &net = net_, self = self_, to, channel, bytes] {
      const auto link = net.links.find(to);
      if (link == net.links.end() || !link->second->handler_) return;
      v1::PeerMessage arrived;
      ASSERT_TRUE(arrived.ParseFromString(*bytes));
      link->second->handler_(self, channel, std::move(arrived));
    });
    return true;
  }
  std::size_t queued_bytes(NodeId to, Channel) const override {
    const auto bytes = queued.find(to);
    return bytes == queued.end() ? 0 : bytes->second;
  }
  bool connected(NodeId to) const override { return net_.links.contains(to); }

 private:
  FakeNet& net_;
  const NodeId self_;
  Handler handler_;
};

// A data plane: entries by name, a journal, fences. `up` = false: every call fails.
class FakeCache final : public CachePort {
 public:
  FakeCache(FakeReactor& reactor, NodeId node) : reactor_(reactor), node_(node) {}

  bool up = true;
  std::map<std::string, v1::CacheEntry> entries;
  std::vector<v1::Mutation> journal;
  std::uint64_t journal_id = 77;
  std::uint64_t next_number = 1;
  std::vector<std::string> calls;  // "fence", "insert 3", "warming", "warm"
  std::vector<std::uint64_t> transits;
  std::uint64_t delay_ms = 1;
  bool resolver = true;

  // This node resolved a name.
  std::uint64_t resolve(const std::string& name, std::int64_t ttl_ms = 300'000, bool negative = false) {
    v1::Mutation mutation;
    mutation.set_sequence(next_number++);
    mutation.set_kind(v1::MUTATION_INSERT);
    mutation.set_wall_ms(reactor_.wall_ms());
    v1::CacheEntry& entry = *mutation.mutable_entry();
    entry.mutable_key()->set_qname(wire(name));
    entry.mutable_key()->set_qtype(1);
    entry.set_remaining_ms(ttl_ms);
    entry.set_negative(negative);
    entry.set_rcode(negative ? 3 : 0);
    entry.set_authenticated(true);
    entry.mutable_origin()->set_node(static_cast<std::uint32_t>(node_));
    entry.mutable_origin()->set_sequence(mutation.sequence());
    entries[wire(name)] = entry;
    journal.push_back(std::move(mutation));
    feed();
    return next_number - 1;
  }
  void lose(std::uint64_t count) { next_number += count; }
  // Another process: nothing is left, numbers go on from a higher one; or from `number`.
  void restart(std::uint64_t number = 0) {
    entries.clear();
    journal.clear();
    next_number = number == 0 ? next_number + 1000 : number;
    from_ = std::min(from_, next_number);
    ++journal_id;
    v1::JournalBatch news;
    news.set_journal_id(journal_id);
    if (take_) reactor_.post([this, news] { take_(news); });
  }
  bool has(const std::string& name) const { return entries.contains(wire(name)); }
  static std::string wire(const std::string& text) {
    std::string out;
    std::size_t begun = 0;
    while (begun < text.size()) {
      const std::size_t dot = std::min(text.find('.', begun), text.size());
      out += static_cast<char>(dot - begun);
      out += text.substr(begun, dot - begun);
      begun = dot + 1;
    }
    return out + '\0';
  }

  void set_node(std::uint64_t node) override { node_ = node; }
  void follow_journal(std::uint64_t from, std::function<void(v1::JournalBatch)> take) override {
    take_ = std::move(take);
    from_ = from == 0 ? next_number : from;
    wanted_ = true;
    feed();
  }
  void journal_more() override {
    wanted_ = true;
    feed();
  }
  void insert(std::vector<v1::CacheEntry> given, std::uint64_t transit_ms, Done<Inserted> done) override {
    calls.push_back("insert " + std::to_string(given.size()));
    transits.push_back(transit_ms);
    later([this, given = std::move(given), transit_ms, done]() mutable {
      if (!up) return done(std::unexpected("the data plane is down"));
      Inserted inserted;
      for (v1::CacheEntry& entry : given) {
        EXPECT_NE(entry.origin().node(), 0U);
        EXPECT_FALSE(entry.authenticated());
        const auto mine = entries.find(entry.key().qname());
        if (mine != entries.end() && mine->second.origin().node() == node_) {
          ++inserted.kept_own;
          continue;
        }
        entry.set_remaining_ms(entry.remaining_ms() - static_cast<std::int64_t>(transit_ms));
        ++inserted.accepted;
        entries[entry.key().qname()] = std::move(entry);
      }
      done(inserted);
    });
  }
  void fence(const std::vector<DeadRange>& ranges, Done<Fenced> done) override {
    calls.emplace_back("fence");
    later([this, ranges, done] {
      if (!up) return done(std::unexpected("the data plane is down"));
      Fenced fenced;
      fenced.resolver_flushed = resolver;
      if (!resolver) fenced.resolver_note = "no resolver";
      fenced.removed = std::erase_if(entries, [&](const auto& at) {
        const v1::Origin& origin = at.second.origin();
        return std::ranges::any_of(ranges, [&](const DeadRange& range) {
          return range.node == origin.node() && origin.sequence() >= range.first &&
                 origin.sequence() <= range.last;
        });
      });
      done(fenced);
    });
  }
  void dump(std::function<void(std::expected<v1::DumpEntries, std::string>, std::function<void()> next)> take)
      override {
    auto left = std::make_shared<std::vector<v1::CacheEntry>>();
    for (const auto& [name, entry] : entries) left->push_back(entry);
    const auto piece = std::make_shared<std::function<void()>>();
    const std::weak_ptr<std::function<void()>> again = piece;
    *piece = [this, left, take, again] {
      later([this, left, take, again] {
        if (!up) return take(std::unexpected("the data plane is down"), [] {});
        v1::DumpEntries out;
        for (std::size_t i = 0; i < 10 && !left->empty(); ++i) {
          *out.add_entries() = std::move(left->back());
          left->pop_back();
        }
        const auto self = again.lock();
        take(std::move(out), [self] {
          if (self) (*self)();
        });
      });
    };
    dumps_.push_back(piece);
    (*piece)();
  }
  void restore(std::vector<std::string> private_zones, Done<std::uint64_t> done) override {
    calls.emplace_back("restore");
    restored_without = std::move(private_zones);
    later([this, done] {
      if (!up) return done(std::unexpected("the data plane is down"));
      done(snapshot);
    });
  }
  std::uint64_t snapshot = 0;  // entries that restore() brings back
  std::vector<std::string> restored_without;
  void warming(std::uint64_t, Done<void> done) override {
    calls.emplace_back("warming");
    later([done] { done({}); });
  }
  void warm(Done<void> done) override {
    calls.emplace_back("warm");
    later([this, done] {
      if (!up) return done(std::unexpected("the data plane is down"));
      done({});
    });
  }
  void status(Done<v1::DataplaneStatus> done) override {
    later([this, done] {
      if (!up) return done(std::unexpected("the data plane is down"));
      v1::DataplaneStatus status;
      status.mutable_cache()->set_journal_id(journal_id);
      status.mutable_cache()->set_journal_next(next_number);
      done(std::move(status));
    });
  }

 private:
  void later(std::function<void()> task) { reactor_.after(delay_ms, std::move(task)); }
  void feed() {
    if (!take_ || !wanted_) return;
    v1::JournalBatch batch;
    batch.set_journal_id(journal_id);
    for (const v1::Mutation& mutation : journal) {
      if (mutation.sequence() >= from_) *batch.add_mutations() = mutation;
    }
    if (batch.mutations().empty()) return;
    from_ = next_number;
    batch.set_next(from_);
    wanted_ = false;
    reactor_.post([this, batch = std::move(batch)] { take_(batch); });
  }

  FakeReactor& reactor_;
  NodeId node_;
  std::function<void(v1::JournalBatch)> take_;
  std::uint64_t from_ = 0;
  bool wanted_ = false;
  std::vector<std::shared_ptr<std::function<void()>>> dumps_;
};

// A RocksDB in memory, with the two column families.
class FakeDatabase {
 public:
  FakeDatabase() : env_(rocksdb::NewMemEnv(rocksdb::Env::Default())) { open(); }
  ~FakeDatabase() { close(); }
  SegmentStore::Columns columns() { return {db_.get(), handles_[1], handles_[2]}; }
  rocksdb::Env& env() { return *env_; }
  rocksdb::DB& db() { return *db_; }
  void reopen() {
    close();
    open();
  }

 private:
  void open() {
    rocksdb::DBOptions options;
    options.env = env_.get();
    options.create_if_missing = true;
    options.create_missing_column_families = true;
    rocksdb::DB* db = nullptr;
    const auto status = rocksdb::DB::Open(options, "/store",
                                          {{rocksdb::kDefaultColumnFamilyName, {}},
                                           {"segments", SegmentStore::segments_options()},
                                           {"mutations", SegmentStore::mutations_options()}},
                                          &handles_, &db);
    ASSERT_TRUE(status.ok()) << status.ToString();
    db_.reset(db);
  }
  void close() {
    for (rocksdb::ColumnFamilyHandle* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
    handles_.clear();
    db_.reset();
  }
  std::unique_ptr<rocksdb::Env> env_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
};

inline KeyPair key_of(NodeId node) {
  KeySeed seed{};
  seed[0] = static_cast<std::byte>(node);
  return key_pair_from_seed(seed);
}

inline NameKey name_key() {
  NameKey key{};
  key[3] = std::byte{9};
  return key;
}

// A chain of segments, made by hand.
class Chain {
 public:
  // `signer`: whose key signs it; 0 = its own.
  explicit Chain(NodeId node, NodeId signer = 0) : node_(node), signer_(signer == 0 ? node : signer) {}

  static v1::Mutation mutation(std::uint64_t number, const std::string& name, std::uint64_t wall_ms) {
    v1::Mutation made;
    made.set_sequence(number);
    made.set_kind(v1::MUTATION_INSERT);
    made.set_wall_ms(wall_ms);
    made.mutable_entry()->mutable_key()->set_qname(FakeCache::wire(name));
    made.mutable_entry()->mutable_key()->set_qtype(1);
    made.mutable_entry()->set_remaining_ms(60'000);
    made.mutable_entry()->mutable_origin()->set_sequence(number);
    return made;
  }
  v1::SegmentBody add(const std::vector<std::string>& names, std::uint64_t wall_ms = 1'700'000'000'000,
                      std::uint64_t epoch = 0) {
    std::vector<std::string> mutations;
    v1::SegmentHeader header = begin(wall_ms, epoch);
    for (const std::string& name : names)
      mutations.push_back(mutation(next_++, name, wall_ms).SerializeAsString());
    header.set_last_mutation(next_ - 1);
    return sign(header, std::move(mutations));
  }
  v1::SegmentBody gap(std::uint64_t count, std::uint64_t wall_ms = 1'700'000'000'000) {
    v1::SegmentHeader header = begin(wall_ms, 0);
    next_ += count;
    header.set_last_mutation(next_ - 1);
    header.set_gap_reason("the journal of the data plane overflowed");
    return sign(header, {});
  }

 private:
  v1::SegmentHeader begin(std::uint64_t wall_ms, std::uint64_t epoch) {
    v1::SegmentHeader header;
    header.set_node(node_);
    header.set_number(++number_);
    header.set_previous(std::string(as_text(previous_)));
    header.set_journal_id(77);
    header.set_first_mutation(next_);
    header.set_first_ms(wall_ms);
    header.set_last_ms(wall_ms);
    header.set_fence_epoch(epoch);
    return header;
  }
  v1::SegmentBody sign(const v1::SegmentHeader& header, std::vector<std::string> mutations) {
    SaltSeed seed{};
    seed[1] = static_cast<std::byte>(number_);
    v1::SegmentBody body = build_segment(header, std::move(mutations), seed, key_of(signer_).secret_key);
    previous_ = segment_hash(as_octets(body.segment().header()));
    return body;
  }
  NodeId node_;
  NodeId signer_;
  std::uint64_t number_ = 0;
  std::uint64_t next_ = 1;
  Hash previous_{};
};

inline v1::SegmentHeader header_of(const v1::SegmentBody& body) {
  v1::SegmentHeader header;
  header.ParseFromString(body.segment().header());
  return header;
}

inline SegmentStore::Placed put_received(SegmentStore& store, const v1::SegmentBody& body) {
  const v1::SegmentHeader header = header_of(body);
  const auto mutations = read_mutations(body, header);
  EXPECT_TRUE(mutations) << mutations.error();
  const auto placed =
      store.put_received({&body, &header, &*mutations}, segment_hash(as_octets(body.segment().header())));
  EXPECT_TRUE(placed) << placed.error();
  return placed->placed;
}

}  // namespace swarmdns::controlplane::test
