// The database that segments lie in: a RocksDB of its own, apart from the ledger's, so that a ledger fetched
// from a peer does not take this node's own chain away.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include <rocksdb/db.h>

#include "controlplane/swarm/segment_store.h"

namespace swarmdns::controlplane {

class SegmentDb {
 public:
  // Made when it is not there. The error names the folder.
  static std::expected<std::unique_ptr<SegmentDb>, std::string> open(const std::string& path,
                                                                     rocksdb::Env* env = nullptr);
  ~SegmentDb();
  SegmentDb(const SegmentDb&) = delete;
  SegmentDb& operator=(const SegmentDb&) = delete;

  SegmentStore::Columns columns() const { return {db_.get(), handles_[1], handles_[2]}; }

 private:
  SegmentDb() = default;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
};

}  // namespace swarmdns::controlplane
