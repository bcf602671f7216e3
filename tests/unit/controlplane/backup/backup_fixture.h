// A node with an open epoch, two operators, and two targets in memory. Packs are small, so that a snapshot
// has many.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "controlplane/backup/snapshot_reader.h"
#include "controlplane/backup/snapshot_writer.h"
#include "controlplane/certs/private_file.h"
#include "tests/unit/controlplane/backup/samples.h"
#include "tests/unit/controlplane/support/memory_target.h"
#include "tests/unit/controlplane/support/temp_dir.h"

namespace swarmdns::controlplane {

using Octets = std::vector<std::byte>;

class BackupTest : public testing::Test {
 protected:
  static constexpr const char* kDay = "2026-11-22";

  struct Content {
    std::string kind;
    std::string day;
    Octets octets;
  };
  using Contents = std::map<std::string, Content>;

  static Contents contents() {
    return {{"cache", {"cache", kDay, samples::lines(std::size_t{1} << 20)}},
            {"config", {"configuration", "", samples::lines(5000, 2)}},
            {"empty", {"nothing", "", {}}},
            {"ledger", {"ledger", "", samples::noise(std::size_t{2} << 20, 3)}}};
  }

  // They read of `of`.
  static std::vector<PartSource> sources(Contents&& of) = delete;
  static std::vector<PartSource> sources(const Contents& of) {
    std::vector<PartSource> parts;
    for (const auto& [name, content] : of) {
      auto at = std::make_shared<std::size_t>(0);
      parts.push_back(
          {name, content.kind, content.day,
           [&octets = content.octets,
            at](std::span<std::byte> into) -> std::expected<std::size_t, std::string> {
             // In uneven pieces.
             const std::size_t size = std::min({into.size(), octets.size() - *at, std::size_t{77'777}});
             if (size > 0) std::memcpy(into.data(), octets.data() + *at, size);
             *at += size;
             return size;
           }});
    }
    return parts;
  }

  static SnapshotFacts facts() {
    return {.swarm = *array_from<16>(samples::filled(16, 0xa0)),
            .incarnation = 1,
            .node = 3,
            .created_ms = 1'795'391'885'123,
            .ledger = {.height = 7, .block = {}, .state = {}}};
  }

  WriterOptions options() const {
    WriterOptions options;
    options.pack_bytes = 256 << 10;
    return options;
  }

  BackupResult<SnapshotResult> write(const Contents& of, WriterOptions with, std::vector<Target*> to) {
    auto parts = sources(of);
    SnapshotWriter writer(epoch_, recipients_, node_, to, std::move(with));
    return writer.write(facts(), parts);
  }
  SnapshotResult written(const Contents& of) { return written(of, options()); }
  SnapshotResult written(const Contents& of, WriterOptions with) {
    auto result = write(of, std::move(with), {&one_, &two_});
    EXPECT_TRUE(result) << result.error().what;
    if (!result) return {};
    for (const TargetOutcome& target : result->targets) EXPECT_TRUE(target.complete) << target.error;
    return std::move(*result);
  }

  SnapshotReader reader(const std::string& name, std::vector<Target*> from, ReaderOptions with = {}) {
    auto opened = SnapshotReader::open(from, name, std::move(with));
    EXPECT_TRUE(opened) << opened.error().what;
    auto unlocked = opened->unlock(operator_);
    EXPECT_TRUE(unlocked) << unlocked.error().what;
    return std::move(*opened);
  }

  // All parts; holes stay zero.
  static std::map<std::string, Octets> restored(SnapshotReader& reader, Restored* how = nullptr) {
    std::map<std::string, Octets> all;
    auto done = reader.restore_all([&](const SnapshotPart& part) -> PartSink {
      Octets& octets = all[part.name];
      octets.resize(part.bytes);
      return [&octets](std::uint64_t offset, Bytes some) -> std::expected<void, std::string> {
        if (offset + some.size() > octets.size()) return std::unexpected("beyond the end");
        std::ranges::copy(some, octets.begin() + static_cast<std::ptrdiff_t>(offset));
        return {};
      };
    });
    EXPECT_TRUE(done) << done.error().what;
    if (done && how != nullptr) *how = std::move(*done);
    return all;
  }

  static void expect_same(const std::map<std::string, Octets>& got, const Contents& wanted) {
    EXPECT_EQ(got.size(), wanted.size());
    for (const auto& [name, content] : wanted)
      EXPECT_TRUE(got.contains(name) && got.at(name) == content.octets) << name;
  }

  // Flips a bit of the object.
  static void alter(MemoryTarget& target, const std::string& name, std::size_t at) {
    target.objects.at(name).at(at) ^= std::byte{1};
  }

  // With keys that are the same in each run: chunks are, too.
  OpenEpoch open_epoch() {
    const auto keep = [&](const std::string& name, const std::string& text) {
      EXPECT_TRUE(write_private_file(directory_ / name, Secret(text)));
    };
    keep("epoch.key", "swarmdns epoch key v1\ncreated 1000\nrecipients " + to_hex(operator_.recipient.id()) +
                          " " + to_hex(second_.recipient.id()) + "\nkey " +
                          to_hex(as_octets(samples::filled(32, 1))) + "\n");
    keep("day-" + std::string(kDay) + ".key", "swarmdns day key v1\nepoch " + samples::root_key(1).name() +
                                                  "\nkey " + to_hex(as_octets(samples::filled(32, 60))) +
                                                  "\n");
    return std::move(**OpenEpoch::load(directory_.path()));
  }

  TempDir directory_;
  OperatorKey operator_ = samples::operator_key(10);
  OperatorKey second_ = samples::operator_key(20);
  std::vector<Recipient> recipients_ = {operator_.recipient, second_.recipient};
  OpenEpoch epoch_ = open_epoch();
  LedgerKey node_ = samples::node_key();
  MemoryTarget one_{"one"};
  MemoryTarget two_{"two"};
};

}  // namespace swarmdns::controlplane
