// Cache mutations on their way into segments and to a peer: made, hashed, signed and kept by one node;
// parsed, checked, decoded and kept by the other. All of it on one CPU, RocksDB's own threads and syncs to
// the disk included; by CPU time, the waiting for the disk and for other programs is left out.
//
// A mutation has an answer of 1 to 4 records behind one of a million names; a segment has 4,096. Yardsticks
// of the same run: SHA-256 over the same bytes once, and the same mutations put into RocksDB as one key each.

#include <rocksdb/db.h>
#include <sched.h>
#include <sodium.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "controlplane/ledger/hash.h"
#include "controlplane/swarm/segment.h"
#include "controlplane/swarm/segment_store.h"
#include "tests/bench/report.h"

namespace swarmdns::bench {
namespace {

using namespace controlplane;
using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "bench-segments: %s\n", why.c_str());
  std::exit(1);
}

// Of all threads of this process: RocksDB's own, too.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

double seconds_since(Clock::time_point begun) {
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

class Mutations {
 public:
  explicit Mutations(std::uint64_t seed) : random_(seed) {}

  // As they come from the data plane: messages, and not yet bytes.
  std::vector<v1::Mutation> batch(std::size_t count) {
    std::vector<v1::Mutation> mutations(count);
    for (v1::Mutation& mutation : mutations) {
      mutation.set_sequence(next_++);
      mutation.set_kind(v1::MUTATION_INSERT);
      mutation.set_wall_ms(1'700'000'000'000 + next_ / 300);
      v1::CacheEntry& entry = *mutation.mutable_entry();
      entry.mutable_key()->set_qname(name(random_() % 1'000'000));
      entry.mutable_key()->set_qtype(random_() % 3 == 0 ? 28 : 1);
      const std::size_t records = 1 + random_() % 4;
      std::string sections;
      for (std::size_t i = 0; i < records; ++i) {
        sections += std::string("\xc0\x0c\x00\x01\x00\x01\x00\x00\x01\x2c\x00\x04", 12);
        for (int octet = 0; octet < 4; ++octet) sections += static_cast<char>(random_());
      }
      entry.set_sections(sections);
      entry.set_answers(static_cast<std::uint32_t>(records));
      entry.set_remaining_ms(static_cast<std::int64_t>(random_() % 300'000));
      entry.set_age_s(1);
      entry.mutable_origin()->set_node(1);
      entry.mutable_origin()->set_sequence(mutation.sequence());
    }
    return mutations;
  }

 private:
  static std::string name(std::uint64_t number) {
    const std::string host = "host" + std::to_string(number);
    const std::string zone = "zone" + std::to_string(number % 5000);
    std::string wire;
    for (const std::string& label : {host, zone, std::string("example")}) {
      wire += static_cast<char>(label.size());
      wire += label;
    }
    return wire + '\0';
  }

  std::mt19937_64 random_;
  std::uint64_t next_ = 1;
};

// A database of its own, gone with it.
class Database {
 public:
  explicit Database(const std::string& parent) {
    std::string pattern = parent + "/bench-segments.XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) fail("no directory in " + parent);
    path_ = pattern;
    rocksdb::DBOptions options;
    options.create_if_missing = true;
    options.create_missing_column_families = true;
    const std::vector<rocksdb::ColumnFamilyDescriptor> columns = {
        {rocksdb::kDefaultColumnFamilyName, {}},
        {"segments", SegmentStore::segments_options()},
        {"mutations", SegmentStore::mutations_options()}};
    rocksdb::DB* db = nullptr;
    const auto status = rocksdb::DB::Open(options, path_, columns, &handles_, &db);
    if (!status.ok()) fail(status.ToString());
    db_.reset(db);
  }
  ~Database() {
    for (rocksdb::ColumnFamilyHandle* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
    db_.reset();
    std::filesystem::remove_all(path_);
  }
  rocksdb::DB& db() { return *db_; }
  SegmentStore::Columns columns() { return {db_.get(), handles_[1], handles_[2]}; }

 private:
  std::string path_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
};

struct Rates {
  std::vector<double> make, keep, check, decode, keep_received, all, all_cpu;
};

struct Options {
  Runs runs;
  int cpu = 0;
  std::string directory = "/var/tmp";
};

void one_run(const Options& options, std::uint64_t seed, Rates& rates) {
  Database here(options.directory);
  Database there(options.directory);
  SegmentStore own(here.columns(), NameKey{});
  SegmentStore received(there.columns(), NameKey{});
  KeySeed key_seed{};
  const KeyPair keys = key_pair_from_seed(key_seed);
  Mutations source(seed);
  double make = 0, keep = 0, check = 0, decode = 0, keep_received = 0, cpu = 0;
  std::uint64_t count = 0;
  Hash previous{};
  for (std::uint64_t number = 1; make + keep + check + decode + keep_received < options.runs.seconds;
       ++number) {
    const std::vector<v1::Mutation> mutations = source.batch(kSegmentMutations);
    const double cpu_begun = cpu_seconds();
    auto begun = Clock::now();
    std::vector<std::string> bytes(mutations.size());
    for (std::size_t i = 0; i < mutations.size(); ++i) mutations[i].SerializeToString(&bytes[i]);
    v1::SegmentHeader header;
    header.set_node(1);
    header.set_number(number);
    header.set_previous(std::string(as_text(previous)));
    header.set_first_mutation(mutations.front().sequence());
    header.set_last_mutation(mutations.back().sequence());
    header.set_first_ms(mutations.front().wall_ms());
    header.set_last_ms(mutations.back().wall_ms());
    SaltSeed salts;
    randombytes_buf(salts.data(), salts.size());
    const v1::SegmentBody body = build_segment(header, std::move(bytes), salts, keys.secret_key);
    make += seconds_since(begun);

    begun = Clock::now();
    header.ParseFromString(body.segment().header());
    const SegmentStore::Item item{&body, &header, &mutations};
    if (auto kept = own.put({&item, 1}, true); !kept) fail(kept.error());
    keep += seconds_since(begun);
    const std::string wire = body.SerializeAsString();

    begun = Clock::now();
    v1::SegmentBody arrived;
    if (!arrived.ParseFromString(wire)) fail("a segment cannot be read");
    const auto checked = check_segment(arrived, keys.public_key);
    if (!checked) fail(checked.error());
    check += seconds_since(begun);

    begun = Clock::now();
    const auto decoded = read_mutations(arrived, checked->header);
    if (!decoded) fail(decoded.error());
    decode += seconds_since(begun);

    begun = Clock::now();
    const SegmentStore::Item from_peer{&arrived, &checked->header, &*decoded};
    const auto placed = received.put_received(from_peer, checked->hash);
    if (!placed || placed->placed != SegmentStore::Placed::kNew) fail("a segment was not kept");
    keep_received += seconds_since(begun);
    cpu += cpu_seconds() - cpu_begun;
    previous = checked->hash;
    count += mutations.size();
  }
  const auto rate = [&](double seconds) { return static_cast<double>(count) / seconds / 1000; };
  rates.make.push_back(rate(make));
  rates.keep.push_back(rate(keep));
  rates.check.push_back(rate(check));
  rates.decode.push_back(rate(decode));
  rates.keep_received.push_back(rate(keep_received));
  rates.all.push_back(rate(make + keep + check + decode + keep_received));
  rates.all_cpu.push_back(rate(cpu));
}

// Thousands of mutations a second.
double hash_yardstick(double seconds) {
  Mutations source(1);
  std::vector<std::string> bytes;
  for (const v1::Mutation& mutation : source.batch(kSegmentMutations))
    bytes.push_back(mutation.SerializeAsString());
  std::uint64_t count = 0;
  const auto begun = Clock::now();
  unsigned char sum = 0;
  while (seconds_since(begun) < seconds) {
    for (const std::string& mutation : bytes)
      sum ^= std::to_integer<unsigned char>(sha256({as_octets(mutation)})[0]);
    count += bytes.size();
  }
  if (sum == 0) std::fputc(' ', stderr);
  return static_cast<double>(count) / seconds_since(begun) / 1000;
}

double key_each_yardstick(const Options& options) {
  Database database(options.directory);
  Mutations source(2);
  double spent = 0;
  std::uint64_t count = 0;
  while (spent < options.runs.seconds) {
    const std::vector<v1::Mutation> mutations = source.batch(kSegmentMutations);
    const auto begun = Clock::now();
    rocksdb::WriteBatch batch;
    for (const v1::Mutation& mutation : mutations) {
      std::string key = mutation.entry().key().qname();
      append_be64(key, mutation.sequence());
      batch.Put(key, mutation.SerializeAsString());
    }
    rocksdb::WriteOptions durable;
    durable.sync = true;
    if (!database.db().Write(durable, &batch).ok()) fail("the yardstick's database cannot be written");
    spent += seconds_since(begun);
    count += mutations.size();
  }
  return static_cast<double>(count) / spent / 1000;
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app("Cache mutations into segments, and out of them at a peer.");
  options.runs.add_to(app);
  app.add_option("--cpu", options.cpu, "CPU for all of it")->capture_default_str();
  app.add_option("--directory", options.directory, "where the databases are made")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  if (sodium_init() < 0) fail("libsodium");
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(options.cpu, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) fail("no such CPU");

  Rates rates;
  for (unsigned i = 0; i < options.runs.repeat; ++i) one_run(options, i, rates);
  const double hash = hash_yardstick(options.runs.seconds);
  const double key_each = key_each_yardstick(options);
  Report report("segments");
  const char* unit = "k mutations/s";
  report.add(Figure::of("make", rates.make, unit));
  report.add(Figure::of("keep-own", rates.keep, unit));
  report.add(Figure::of("check", rates.check, unit));
  report.add(Figure::of("decode", rates.decode, unit));
  report.add(Figure::of("keep-received", rates.keep_received, unit));
  Figure all = Figure::of("all", rates.all, unit);
  all.ratio_to = {{"sha256-once", all.value / hash}, {"rocksdb-key-each", all.value / key_each}};
  report.add(std::move(all));
  report.add(Figure::of("all-by-cpu-time", rates.all_cpu, unit));
  report.write_json(options.runs.json);
  return 0;
}

}  // namespace
}  // namespace swarmdns::bench

int main(int argc, char** argv) {
  return swarmdns::bench::run(argc, argv);
}
