// What verifying the ledger costs one core: leaves hashed into the tree, signatures of bundles, proofs made
// and verified. Each beside its yardstick on the same octets in the same run: bare SHA-256 by OpenSSL and by
// libsodium, bare Ed25519 verification.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <sodium.h>

#include <chrono>
#include <cstdio>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "controlplane/ledger/block.h"
#include "controlplane/ledger/commitment.h"
#include "controlplane/ledger/tiles.h"
#include "tests/bench/report.h"

namespace swarmdns::bench {
namespace {

using namespace swarmdns::controlplane;

constexpr std::size_t kTransactions = 4096;
constexpr std::size_t kBundle = 16;  // transactions signed together

struct Input {
  std::vector<Salt> salts;
  std::vector<std::string> transactions;
  std::vector<Hash> commitments;
  KeyPair keys;
  std::vector<Signature> signatures;  // of bundles

  static BundleId id(std::size_t bundle) {
    return {.swarm = {}, .incarnation = 1, .node = 1, .number = bundle};
  }
  std::span<const Hash> bundle(std::size_t number) const {
    return std::span(commitments).subspan(number * kBundle, kBundle);
  }
};

// Transactions of 100 to 200 octets, as they are.
Input make_input() {
  Input input;
  input.keys = key_pair_from_seed({});
  for (std::size_t i = 0; i < kTransactions; ++i) {
    Salt salt{};
    salt[0] = static_cast<std::byte>(i);
    input.salts.push_back(salt);
    input.transactions.emplace_back(100 + i % 101, static_cast<char>(i));
    input.commitments.push_back(leaf_commitment(salt, as_octets(input.transactions.back())));
  }
  for (std::size_t i = 0; i < kTransactions / kBundle; ++i)
    input.signatures.push_back(sign_bundle(Input::id(i), input.bundle(i), input.keys.secret_key));
  return input;
}

volatile unsigned char keep;  // so that nothing is left out as unused

void use(const Hash& hash) {
  keep = std::to_integer<unsigned char>(hash[0]);
}

// `batch` does some and says how many.
double per_second(double seconds, const std::function<std::size_t()>& batch) {
  using Clock = std::chrono::steady_clock;
  batch();
  std::size_t done = 0;
  const auto begin = Clock::now();
  double elapsed = 0;
  do {
    done += batch();
    elapsed = std::chrono::duration<double>(Clock::now() - begin).count();
  } while (elapsed < seconds);
  return static_cast<double>(done) / elapsed;
}

struct Case {
  std::string name;
  std::string unit;
  std::function<std::size_t()> batch;
  std::vector<std::string> yardsticks;  // names of earlier cases
};

class Tiles : public TileReader {
 public:
  std::map<TileId, Tile> all;
  std::expected<Tile, std::string> tile(TileId id) const override { return all.at(id); }
};

int run(int argc, char** argv) {
  Runs runs{.json = {}, .repeat = 5, .seconds = 0.5};
  CLI::App app("What making and verifying the ledger costs one core.");
  runs.add_to(app);
  CLI11_PARSE(app, argc, argv);

  const Input input = make_input();
  TileWriter writer;
  Tiles tiles;
  for (std::size_t round = 0; round < 64; ++round) {
    for (const Hash& commitment : input.commitments) writer.append(merkle_leaf_hash(commitment));
    for (auto& [id, tile] : writer.take_changed()) tiles.all[id] = std::move(tile);
  }
  const Hash root = writer.root();
  std::uint64_t next = 0;
  const auto index = [&] { return next = (next + 104'729) % writer.size(); };
  std::vector<std::pair<std::uint64_t, MerklePath>> paths;
  for (int i = 0; i < 1024; ++i) {
    const std::uint64_t leaf = index();
    paths.emplace_back(leaf, *inclusion_path(TiledTree(tiles, writer.size()), leaf, writer.size()));
  }

  const std::vector<Case> cases = {
      // What one leaf has to hash: its commitment, its leaf hash, and one node.
      {"sha256-openssl",
       "leaves/s",
       [&] {
         Hash out;
         for (const std::string& body : input.transactions) {
           for (const std::size_t length : {17 + 16 + body.size(), std::size_t{33}, std::size_t{65}}) {
             static const std::string octets(256, 'x');
             SHA256_CTX context;
             SHA256_Init(&context);
             SHA256_Update(&context, octets.data(), length);
             SHA256_Final(reinterpret_cast<unsigned char*>(out.data()), &context);
             use(out);
           }
         }
         return kTransactions;
       },
       {}},
      {"sha256-libsodium",
       "leaves/s",
       [&] {
         Hash out;
         for (const std::string& body : input.transactions) {
           for (const std::size_t length : {17 + 16 + body.size(), std::size_t{33}, std::size_t{65}}) {
             static const std::string octets(256, 'x');
             crypto_hash_sha256(reinterpret_cast<unsigned char*>(out.data()),
                                reinterpret_cast<const unsigned char*>(octets.data()), length);
             use(out);
           }
         }
         return kTransactions;
       },
       {}},
      {"leaves",
       "leaves/s",
       [&] {
         TileWriter tree;
         for (std::size_t i = 0; i < kTransactions; ++i) {
           tree.append(merkle_leaf_hash(leaf_commitment(input.salts[i], as_octets(input.transactions[i]))));
         }
         use(tree.root());
         return kTransactions;
       },
       {"sha256-openssl", "sha256-libsodium"}},
      {"ed25519-libsodium",
       "signatures/s",
       [&] {
         const std::string octets(94, 'x');
         const Signature signature = sign(as_octets(octets), input.keys.secret_key);
         for (int i = 0; i < 256; ++i) {
           keep = static_cast<unsigned char>(crypto_sign_verify_detached(
               reinterpret_cast<const unsigned char*>(signature.data()),
               reinterpret_cast<const unsigned char*>(octets.data()), octets.size(),
               reinterpret_cast<const unsigned char*>(input.keys.public_key.data())));
         }
         return std::size_t{256};
       },
       {}},
      {"bundles",
       "signatures/s",
       [&] {
         for (std::size_t i = 0; i < input.signatures.size(); ++i) {
           if (!verify_bundle(Input::id(i), input.bundle(i), input.signatures[i], input.keys.public_key)) {
             std::fprintf(stderr, "bench-ledger: a good signature does not verify\n");
             std::exit(1);
           }
         }
         return input.signatures.size();
       },
       {"ed25519-libsodium"}},
      {"proofs-made",
       "proofs/s",
       [&] {
         for (int i = 0; i < 256; ++i)
           use(inclusion_path(TiledTree(tiles, writer.size()), index(), writer.size())->front());
         return std::size_t{256};
       },
       {}},
      {"proofs-verified",
       "proofs/s",
       [&] {
         for (const auto& [leaf, path] : paths) {
           if (!verify_inclusion(merkle_leaf_hash(input.commitments[leaf % kTransactions]), leaf,
                                 writer.size(), path, root)) {
             std::fprintf(stderr, "bench-ledger: a good proof does not verify\n");
             std::exit(1);
           }
         }
         return paths.size();
       },
       {}},
  };

  std::printf("transactions of 100-200 octets, bundles of %zu, a tree of %llu leaves\n", kBundle,
              static_cast<unsigned long long>(writer.size()));
  // The cases of a round one after the other, so that a yardstick has the same minute.
  std::map<std::string, std::vector<double>> samples;
  for (unsigned i = 0; i < runs.repeat; ++i) {
    for (const Case& one : cases) samples[one.name].push_back(per_second(runs.seconds, one.batch));
  }
  Report report("ledger");
  for (const Case& one : cases) {
    Figure figure = Figure::of(one.name, samples[one.name], one.unit);
    for (const std::string& yardstick : one.yardsticks)
      figure.ratio_to.emplace_back(yardstick, figure.value / median(samples[yardstick]));
    report.add(std::move(figure));
  }
  report.write_json(runs.json);
  return 0;
}

}  // namespace
}  // namespace swarmdns::bench

int main(int argc, char** argv) {
  return swarmdns::bench::run(argc, argv);
}
