// What a snapshot costs one core (a second of CPU time) before the network: cutting, identifying,
// compressing, encrypting, each by itself and all together, beside bare zstd, XChaCha20-Poly1305 and BLAKE2b
// on the same octets; then whole snapshots into a target that forgets them. `lines` are cache entries as
// text, `noise` compresses to nothing, `mixed` is half of each.
#include <sodium.h>
#include <stdlib.h>
#include <time.h>
#include <zstd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "controlplane/backup/chunk.h"
#include "controlplane/backup/chunker.h"
#include "controlplane/backup/pack.h"
#include "controlplane/backup/snapshot_writer.h"
#include "tests/bench/report.h"

namespace swarmdns::bench {
namespace {

using namespace swarmdns::controlplane;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kInput = 128u << 20;
constexpr double kMegabyte = 1e6;

// Of all threads, so that what else the machine does is not counted.
double cpu_seconds() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}
double wall_seconds() {
  return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

// 1e6 octets a second of `clock`; `work` is done on all of the input until the time is over.
double rate(double seconds, double (*clock)(), const std::function<void()>& work) {
  std::size_t rounds = 0;
  const double begin = clock();
  double elapsed = 0;
  do {
    work();
    ++rounds;
    elapsed = clock() - begin;
  } while (elapsed < seconds);
  return static_cast<double>(rounds * kInput) / elapsed / kMegabyte;
}

std::vector<std::byte> make_input(const std::string& kind) {
  std::vector<std::byte> octets(kInput);
  std::mt19937_64 random(1);
  for (std::size_t at = 0; at < kInput;) {
    const bool noise = kind == "noise" || (kind == "mixed" && (at >> 20) % 2 == 0);
    if (noise) {
      const std::uint64_t word = random();
      const std::size_t size = std::min(sizeof word, kInput - at);
      std::memcpy(octets.data() + at, &word, size);
      at += size;
      continue;
    }
    char line[128];
    const auto number = random();
    const int length =
        std::snprintf(line, sizeof line, "host%llu.zone%llu.example.org. %llu IN A 192.0.%llu.%llu\n",
                      static_cast<unsigned long long>(number % 1'000'003),
                      static_cast<unsigned long long>((number >> 20) % 5'003),
                      static_cast<unsigned long long>((number >> 34) % 86'400),
                      static_cast<unsigned long long>((number >> 50) % 256),
                      static_cast<unsigned long long>((number >> 56) % 256));
    const std::size_t size = std::min(static_cast<std::size_t>(length), kInput - at);
    std::memcpy(octets.data() + at, line, size);
    at += size;
  }
  return octets;
}

std::vector<Bytes> cut_all(const Chunker& chunker, Bytes data) {
  std::vector<Bytes> chunks;
  while (!data.empty()) {
    chunks.push_back(data.first(chunker.cut(data)));
    data = data.subspan(chunks.back().size());
  }
  return chunks;
}

// Everything on one thread: what one core does.
void pack_all(const RootKey& root, const Chunker& chunker, const ChunkKeys& keys, Bytes data) {
  static ChunkCodec codec;
  PackWriter pack(root, 26u << 20);
  for (const Bytes chunk : cut_all(chunker, data)) {
    const Digest id = chunk_id(keys, chunk);
    pack.add(id, root.id(), codec.seal(keys, id, chunk, pack.octets()), chunk.size());
    if (pack.bytes() >= (24u << 20)) pack.finish();
  }
  if (!pack.empty()) pack.finish();
}

// Says yes to everything.
class Nowhere : public Target {
 public:
  const std::string& description() const override { return description_; }
  TargetResult<void> put(const std::string&, std::span<const std::byte>, const PutOptions&) override {
    return {};
  }
  TargetResult<std::vector<std::byte>> get(const std::string& name, std::uint64_t, std::uint64_t) override {
    return std::unexpected(TargetError{TargetError::Kind::kNotFound, name});
  }
  TargetResult<ObjectInfo> head(const std::string& name) override {
    return std::unexpected(TargetError{TargetError::Kind::kNotFound, name});
  }
  TargetResult<void> list(const std::string&, const std::function<bool(const ObjectInfo&)>&) override {
    return {};
  }
  TargetResult<void> remove(const std::string&) override { return {}; }
  TargetResult<std::uint64_t> sweep(std::int64_t) override { return 0; }

 private:
  std::string description_ = "nowhere";
};

bool snapshot(OpenEpoch& epoch, const Recipient& recipient, const LedgerKey& node, Bytes data,
              unsigned encoders) {
  Nowhere nowhere;
  Target* targets[] = {&nowhere};
  std::size_t at = 0;
  std::vector<PartSource> parts;
  parts.push_back(
      {"data", "bench", "", [&](std::span<std::byte> into) -> std::expected<std::size_t, std::string> {
         const std::size_t size = std::min(into.size(), data.size() - at);
         if (size > 0) std::memcpy(into.data(), data.data() + at, size);
         at += size;
         return size;
       }});
  WriterOptions options;
  options.encoders = encoders;
  SnapshotWriter writer(epoch, std::span(&recipient, 1), node, targets, options);
  SnapshotFacts facts;
  facts.created_ms = 1;
  return writer.write(facts, parts).has_value();
}

int run(int argc, char** argv) {
  Runs runs{.json = {}, .repeat = 5, .seconds = 0.5};
  CLI::App app(
      "What a snapshot costs one core before the network, in 1e6 octets of input a second of CPU time.");
  runs.add_to(app);
  CLI11_PARSE(app, argc, argv);
  if (sodium_init() < 0) return 1;

  const RootKey root = RootKey::make();
  const Chunker chunker(root);
  const ChunkKeys keys(root);
  char directory[] = "/tmp/bench-backup-XXXXXX";
  if (mkdtemp(directory) == nullptr) return 1;
  const Recipient recipient = make_operator_key().recipient;
  auto epoch = OpenEpoch::begin(directory, 0, std::span(&recipient, 1));
  const LedgerKey node = make_ledger_key();
  if (!epoch) return 1;

  Report report("backup");
  for (const std::string kind : {"lines", "noise", "mixed"}) {
    const auto input = make_input(kind);
    const auto chunks = cut_all(chunker, input);
    std::vector<std::byte> out(ZSTD_compressBound(kMostChunk) + 64);
    ZSTD_CCtx* context = ZSTD_createCCtx();
    auto* raw = reinterpret_cast<unsigned char*>(out.data());
    ChunkCodec codec;
    std::map<std::string, double> medians;
    const auto measure_by = [&](double (*clock)(), const std::string& name,
                                const std::vector<std::string>& yardsticks,
                                const std::function<void()>& work) {
      std::vector<double> samples;
      for (unsigned i = 0; i < runs.repeat; ++i) samples.push_back(rate(runs.seconds, clock, work));
      Figure figure = Figure::of(kind + "-" + name, samples, clock == wall_seconds ? "MB/s" : "MB/CPU s");
      medians[name] = figure.value;
      for (const std::string& yardstick : yardsticks)
        figure.ratio_to.emplace_back(yardstick, figure.value / medians[yardstick]);
      report.add(std::move(figure));
    };
    const auto measure = [&](const std::string& name, const std::vector<std::string>& yardsticks,
                             const std::function<void()>& work) {
      measure_by(cpu_seconds, name, yardsticks, work);
    };
    measure("zstd-1", {}, [&] {
      for (const Bytes chunk : chunks)
        ZSTD_compressCCtx(context, out.data(), out.size(), chunk.data(), chunk.size(), 1);
    });
    measure("xchacha20poly1305", {}, [&] {
      const unsigned char key[64] = {};
      for (const Bytes chunk : chunks)
        crypto_aead_xchacha20poly1305_ietf_encrypt(raw, nullptr,
                                                   reinterpret_cast<const unsigned char*>(chunk.data()),
                                                   chunk.size(), nullptr, 0, nullptr, key, key + 32);
    });
    measure("blake2b", {}, [&] {
      for (const Bytes chunk : chunks) plain_blake(chunk);
    });
    measure("chunker", {}, [&] { cut_all(chunker, input); });
    measure("chunk-id", {"blake2b"}, [&] {
      for (const Bytes chunk : chunks) chunk_id(keys, chunk);
    });
    measure("seal", {"zstd-1", "xchacha20poly1305"}, [&] {
      std::vector<std::byte> sealed;
      for (const Bytes chunk : chunks) {
        sealed.clear();
        codec.seal(keys, Digest{}, chunk, sealed);
      }
    });
    measure("one-core", {"zstd-1"}, [&] { pack_all(root, chunker, keys, input); });
    for (const unsigned encoders : {1u, 2u}) {
      const auto take = [&] {
        if (!snapshot(*epoch, recipient, node, input, encoders)) std::exit(1);
      };
      const std::string name = "snapshot-" + std::to_string(encoders);
      measure(name + "-a-core", {"one-core"}, take);
      measure_by(wall_seconds, name, {"one-core"}, take);
    }
    ZSTD_freeCCtx(context);
  }
  std::filesystem::remove_all(directory);
  report.write_json(runs.json);
  return 0;
}

}  // namespace
}  // namespace swarmdns::bench

int main(int argc, char** argv) {
  return swarmdns::bench::run(argc, argv);
}
