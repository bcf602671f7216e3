// The Store that is the cache: a reader of the table and a line to the writer.
#pragma once

#include <memory>

#include "dataplane/cache/cache.h"
#include "dataplane/cache/reader.h"
#include "dataplane/cache/writer.h"
#include "dataplane/miss/store.h"

namespace swarmdns::miss {

class CacheStore final : public Store {
 public:
  explicit CacheStore(cache::Writer& writer) : writer_(writer) {}

  // The miss thread begins and ends with these: readers belong to their thread.
  void enter_thread() { reader_ = std::make_unique<cache::Reader>(writer_.cache().table()); }
  void leave_thread() noexcept { reader_.reset(); }

  [[nodiscard]] std::uint64_t hash(const cache::Key& key) const noexcept override {
    return reader_->hash(key);
  }
  [[nodiscard]] const cache::Entry* find(const cache::Key& key) const noexcept override {
    return reader_->find(key);
  }
  [[nodiscard]] cache::UpstreamId upstream_id(std::string_view name) override {
    return writer_.cache().journal().upstreams().id_of(name);
  }
  void submit(const cache::EntryImage& image, std::uint16_t asked_epoch,
              cache::UpstreamId upstream) override {
    cache::InsertOptions options;
    options.asked_epoch = asked_epoch;
    options.upstream = upstream;
    (void)writer_.insert(image, options);  // a full queue is counted there
  }
  [[nodiscard]] std::uint16_t epoch() const noexcept override { return writer_.epoch(); }
  void quiescent() noexcept override { reader_->quiescent(); }
  void offline() noexcept override { reader_->offline(); }
  void online() noexcept override { reader_->online(); }

 private:
  cache::Writer& writer_;
  std::unique_ptr<cache::Reader> reader_;
};

}  // namespace swarmdns::miss
