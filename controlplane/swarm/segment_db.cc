#include "controlplane/swarm/segment_db.h"

namespace swarmdns::controlplane {

std::expected<std::unique_ptr<SegmentDb>, std::string> SegmentDb::open(const std::string& path,
                                                                       rocksdb::Env* env) {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.max_background_jobs = 2;
  options.keep_log_file_num = 2;
  options.info_log_level = rocksdb::WARN_LEVEL;
  if (env != nullptr) options.env = env;
  const std::vector<rocksdb::ColumnFamilyDescriptor> families = {
      {rocksdb::kDefaultColumnFamilyName, {}},
      {"segments", SegmentStore::segments_options()},
      {"mutations", SegmentStore::mutations_options()},
  };
  std::unique_ptr<SegmentDb> opened(new SegmentDb);
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(options, path, families, &opened->handles_, &db);
  if (!status.ok()) {
    return std::unexpected("the store of segments " + path + " cannot be opened: " + status.ToString() +
                           "; it can be moved away: this node's chain then begins with a gap");
  }
  opened->db_.reset(db);
  return opened;
}

SegmentDb::~SegmentDb() {
  if (!db_) return;
  for (rocksdb::ColumnFamilyHandle* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
  db_->Close();
}

}  // namespace swarmdns::controlplane
