#include "controlplane/swarm/dataplane_port.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <optional>
#include <utility>

#include "controlplane/swarm/calls_under_way.h"
#include "controlplane/swarm/stream_pull.h"
#include "proto/rpc/library.h"
#include "swarmdns/v1/dataplane.grpc.pb.h"

namespace swarmdns::controlplane {
namespace {

constexpr int kCallMs = 10'000;
constexpr int kStatusMs = 2'000;
constexpr int kRestoreMs = 60'000;  // of a warm-up there is no more
constexpr std::uint64_t kAgainMs = 200;
constexpr int kMessageBytes = 64 << 20;
constexpr std::uint32_t kMostNode = 65'535;

using Journal = StreamPull<v1::JournalRequest, v1::JournalBatch>;
using Dump = StreamPull<v1::DumpRequest, v1::CacheSlice>;

}  // namespace

class DataplanePort::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(Reactor& reactor, Options options) : reactor_(reactor), options_(std::move(options)), again_(reactor) {
    rpc::keep_callbacks();
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 100);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
    arguments.SetMaxReceiveMessageSize(kMessageBytes);
    arguments.SetMaxSendMessageSize(kMessageBytes);
    stub_ = v1::Dataplane::NewStub(grpc::CreateCustomChannel("unix:" + options_.socket_path,
                                                             grpc::InsecureChannelCredentials(), arguments));
  }

  void close() {
    closed_ = true;
    again_.stop();
    if (journal_) journal_->cancel();
    for (const std::weak_ptr<Dump>& dump : dumps_) {
      if (const auto open = dump.lock()) open->cancel();
    }
    calls_.cancel_and_wait();
  }

  // One call; `done` on the reactor thread. `start(stub, context, request, response, callback)`.
  template <typename Request, typename Response, typename Start>
  void call(Request request, int timeout_ms, const Start& start, Done<Response> done) {
    struct State {
      grpc::ClientContext context;
      Request request;
      Response response;
    };
    const auto state = std::make_shared<State>();
    state->request = std::move(request);
    state->context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(timeout_ms));
    calls_.begin(&state->context);
    start(*stub_->async(), &state->context, &state->request, &state->response,
          [this, self = weak_from_this(), state, done = std::move(done)](const grpc::Status& status) {
            reactor_.post([self, state, status, done] {
              const auto core = self.lock();
              if (!core || core->closed_) return;
              if (status.ok()) return done(std::move(state->response));
              done(std::unexpected(core->text_of(status)));
            });
            calls_.end(&state->context);
          });
  }

  void status(Done<v1::DataplaneStatus> done) {
    call<v1::GetStatusRequest, v1::DataplaneStatus>(
        {}, kStatusMs,
        [](auto& stub, auto* context, auto* request, auto* response, auto callback) {
          stub.GetStatus(context, request, response, std::move(callback));
        },
        [this, done = std::move(done)](std::expected<v1::DataplaneStatus, std::string> status) {
          if (status) epoch_ = status->cache().epoch();
          done(std::move(status));
        });
  }

  void insert(std::vector<v1::CacheEntry> entries, std::uint64_t transit_ms, Done<Inserted> done) {
    if (!epoch_) {
      // Without it the data plane could not tell that a flush or a fence has come between.
      status([this, entries = std::move(entries), transit_ms, done = std::move(done),
              asked_ms =
                  reactor_.now_ms()](const std::expected<v1::DataplaneStatus, std::string>& status) mutable {
        if (!status) return done(std::unexpected(status.error()));
        insert(std::move(entries), transit_ms + reactor_.now_ms() - asked_ms, std::move(done));
      });
      return;
    }
    v1::InsertRequest request;
    request.set_transit_ms(transit_ms);
    request.set_epoch(*epoch_);
    request.mutable_entries()->Reserve(static_cast<int>(entries.size()));
    for (v1::CacheEntry& entry : entries) {
      if (entry.origin().node() == 0 || entry.origin().node() > kMostNode) continue;
      *request.add_entries() = std::move(entry);
    }
    call<v1::InsertRequest, v1::InsertResponse>(
        std::move(request), kCallMs,
        [](auto& stub, auto* context, auto* sent, auto* response, auto callback) {
          stub.Insert(context, sent, response, std::move(callback));
        },
        [this, done = std::move(done)](std::expected<v1::InsertResponse, std::string> response) {
          if (!response) {
            epoch_.reset();
            return done(std::unexpected(response.error()));
          }
          Inserted inserted;
          inserted.accepted = response->accepted();
          for (const v1::InsertRefusal& refusal : response->refusals()) {
            if (refusal.reason() == v1::INSERT_KEPT_LOCAL) {
              inserted.kept_own += refusal.count();
            } else {
              inserted.refused += refusal.count();
            }
            if (refusal.reason() == v1::INSERT_OUTDATED) epoch_.reset();
          }
          done(inserted);
        });
  }

  void fence(std::vector<DeadRange> ranges, Done<Fenced> done) {
    const auto fenced = std::make_shared<Fenced>();
    if (!options_.flush_resolver) {
      fenced->resolver_note =
          "there is no resolver of this node's own: the upstream servers keep their caches";
      return purge(ranges, fenced, std::move(done));
    }
    // The resolver first: a miss between the two would bring the old data back.
    reactor_.offload(
        [flush = options_.flush_resolver, fenced] {
          auto flushed = flush();
          fenced->resolver_flushed = flushed.has_value();
          fenced->resolver_note = flushed ? std::move(*flushed) : std::move(flushed.error());
        },
        [self = weak_from_this(), ranges = std::move(ranges), fenced, done = std::move(done)] {
          if (const auto core = self.lock(); core && !core->closed_) core->purge(ranges, fenced, done);
        });
  }

  void purge(const std::vector<DeadRange>& ranges, const std::shared_ptr<Fenced>& fenced, Done<Fenced> done) {
    v1::FenceRequest request;
    request.set_unknown_origin(true);
    const auto add = [&](std::uint64_t node, const DeadRange& range) {
      v1::DeadRange& dead = *request.add_dead();
      dead.set_node(static_cast<std::uint32_t>(node));
      dead.set_first(range.first);
      dead.set_last(range.last);
    };
    for (const DeadRange& range : ranges) {
      if (range.node == 0 || range.node > kMostNode) continue;
      add(range.node, range);
      if (range.node == node_) add(0, range);
    }
    call<v1::FenceRequest, v1::FenceResponse>(
        std::move(request), kCallMs,
        [](auto& stub, auto* context, auto* sent, auto* response, auto callback) {
          stub.Fence(context, sent, response, std::move(callback));
        },
        [this, fenced,
         done = std::move(done)](const std::expected<v1::FenceResponse, std::string>& response) {
          if (!response) return done(std::unexpected(response.error()));
          epoch_ = response->epoch();
          fenced->removed = response->removed();
          done(*fenced);
        });
  }

  void restore(std::vector<std::string> private_zones, Done<std::uint64_t> done) {
    v1::RestoreRequest request;
    for (std::string& zone : private_zones) request.add_private_zones(std::move(zone));
    call<v1::RestoreRequest, v1::RestoreResponse>(
        std::move(request), kRestoreMs,
        [](auto& stub, auto* context, auto* sent, auto* response, auto callback) {
          stub.Restore(context, sent, response, std::move(callback));
        },
        [done = std::move(done)](const std::expected<v1::RestoreResponse, std::string>& response) {
          if (!response) return done(std::unexpected(response.error()));
          done(response->loaded());
        });
  }

  void warming(std::uint64_t at_most_ms, Done<void> done) {
    v1::WarmUpRequest request;
    request.set_at_most_ms(static_cast<std::uint32_t>(at_most_ms));
    call<v1::WarmUpRequest, v1::Readiness>(
        std::move(request), kCallMs,
        [](auto& stub, auto* context, auto* sent, auto* response, auto callback) {
          stub.WarmUp(context, sent, response, std::move(callback));
        },
        ready(std::move(done)));
  }

  void warm(Done<void> done) {
    call<v1::WarmRequest, v1::Readiness>(
        {}, kCallMs,
        [](auto& stub, auto* context, auto* sent, auto* response, auto callback) {
          stub.Warm(context, sent, response, std::move(callback));
        },
        ready(std::move(done)));
  }

  // --- Journal ---

  void follow(std::uint64_t from, std::function<void(v1::JournalBatch)> take) {
    from_ = from;
    take_ = std::move(take);
    wanted_ = true;
    if (journal_) journal_->cancel();
    if (!journal_) open_journal();
  }

  void journal_more() {
    wanted_ = true;
    if (journal_ && !reading_) {
      reading_ = true;
      journal_->read();
    }
  }

  void open_journal() {
    status([this](const std::expected<v1::DataplaneStatus, std::string>& status) {
      if (!status) return open_later();
      const v1::CacheStatus& cache = status->cache();
      if (from_ == 0) from_ = cache.journal_next();
      v1::JournalRequest request;
      // Behind its end: a data plane whose numbers began anew; the writer of segments says so.
      request.set_from(std::min(from_, cache.journal_next()));
      request.set_journal_id(cache.journal_id());
      request.set_follow(true);
      if (journal_id_ != cache.journal_id()) {
        journal_id_ = cache.journal_id();
        v1::JournalBatch news;
        news.set_journal_id(journal_id_);
        news.set_next(request.from());
        take_(std::move(news));
      }
      start_journal(std::move(request));
    });
  }

  void start_journal(v1::JournalRequest request) {
    calls_.begin(nullptr);
    const auto self = weak_from_this();
    journal_ = std::make_shared<Journal>(
        std::move(request),
        [this, self](v1::JournalBatch batch) {
          reactor_.post([self, batch = std::make_shared<v1::JournalBatch>(std::move(batch))] {
            if (const auto core = self.lock(); core && !core->closed_) core->batch(std::move(*batch));
          });
        },
        [this, self](const grpc::Status&) {
          reactor_.post([self] {
            const auto core = self.lock();
            if (!core || core->closed_) return;
            core->journal_.reset();
            core->reading_ = false;
            core->open_later();
          });
          calls_.end(nullptr);
        });
    journal_->start(
        [this](auto* context, auto* sent, auto* reader) { stub_->async()->Journal(context, sent, reader); });
    // A stream that nobody reads from is not seen to end.
    if (wanted_) journal_more();
  }

  void batch(v1::JournalBatch batch) {
    reading_ = false;
    wanted_ = false;
    from_ = batch.next();
    for (v1::Mutation& mutation : *batch.mutable_mutations()) {
      if (mutation.kind() == v1::MUTATION_INSERT || mutation.kind() == v1::MUTATION_REPLACE)
        mutation.mutable_entry()->mutable_origin()->set_node(static_cast<std::uint32_t>(node_));
    }
    take_(std::move(batch));
  }

  void open_later() {
    again_.start(kAgainMs, [this] { open_journal(); });
  }

  // --- Dump ---

  using TakePiece =
      std::function<void(std::expected<v1::DumpEntries, std::string>, std::function<void()> next)>;

  // Cancels the stream when it is dropped before it was used.
  struct Next {
    explicit Next(std::shared_ptr<Dump> of) : dump(std::move(of)) {}
    ~Next() {
      if (dump) dump->cancel();
    }
    Next(const Next&) = delete;
    Next& operator=(const Next&) = delete;
    std::shared_ptr<Dump> dump;
  };

  void dump(TakePiece take) {
    calls_.begin(nullptr);
    const auto self = weak_from_this();
    const auto shared_take = std::make_shared<TakePiece>(std::move(take));
    const auto whole = std::make_shared<bool>(false);
    const auto weak = std::make_shared<std::weak_ptr<Dump>>();
    const auto pull = std::make_shared<Dump>(
        v1::DumpRequest(),
        [this, self, shared_take, whole, weak](v1::CacheSlice slice) {
          reactor_.post(
              [self, shared_take, whole, weak, slice = std::make_shared<v1::CacheSlice>(std::move(slice))] {
                const auto core = self.lock();
                const auto open = weak->lock();
                if (!core || core->closed_ || !open) return;
                if (!slice->has_entries() || slice->entries().entries().empty()) {
                  if (slice->has_trailer()) *whole = true;
                  return open->read();
                }
                core->name_origins(*slice->mutable_entries());
                const auto next = std::make_shared<Next>(open);
                (*shared_take)(std::move(*slice->mutable_entries()), [next] {
                  if (const auto used = std::exchange(next->dump, nullptr)) used->read();
                });
              });
        },
        [this, self, shared_take, whole](const grpc::Status& status) {
          reactor_.post([self, shared_take, whole, status] {
            const auto core = self.lock();
            if (!core || core->closed_) return;
            if (status.ok() && *whole) return (*shared_take)(v1::DumpEntries(), [] {});
            (*shared_take)(std::unexpected(status.ok() ? "the dump broke off" : core->text_of(status)),
                           [] {});
          });
          calls_.end(nullptr);
        });
    *weak = pull;
    std::erase_if(dumps_, [](const std::weak_ptr<Dump>& over) { return over.expired(); });
    dumps_.push_back(pull);
    pull->start(
        [this](auto* context, auto* sent, auto* reader) { stub_->async()->Dump(context, sent, reader); });
    pull->read();
  }

  void name_origins(v1::DumpEntries& entries) const {
    for (v1::CacheEntry& entry : *entries.mutable_entries()) {
      if (entry.origin().node() == 0) entry.mutable_origin()->set_node(static_cast<std::uint32_t>(node_));
    }
  }

  void set_node(std::uint64_t node) { node_ = node; }

 private:
  static Done<v1::Readiness> ready(Done<void> done) {
    return [done = std::move(done)](const std::expected<v1::Readiness, std::string>& readiness) {
      if (!readiness) return done(std::unexpected(readiness.error()));
      done({});
    };
  }

  std::string text_of(const grpc::Status& status) const {
    if (status.error_code() == grpc::StatusCode::UNAVAILABLE)
      return "the data plane does not answer on " + options_.socket_path;
    if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED)
      return "the data plane did not answer in time on " + options_.socket_path;
    return status.error_message();
  }

  Reactor& reactor_;
  const Options options_;
  std::unique_ptr<v1::Dataplane::Stub> stub_;
  CallsUnderWay calls_;
  bool closed_ = false;
  std::uint64_t node_ = 0;
  std::optional<std::uint32_t> epoch_;

  std::uint64_t from_ = 0;
  std::uint64_t journal_id_ = 0;
  std::function<void(v1::JournalBatch)> take_;
  std::shared_ptr<Journal> journal_;
  bool wanted_ = false;   // a batch, by whoever takes them
  bool reading_ = false;  // one has been asked for
  std::vector<std::weak_ptr<Dump>> dumps_;
  Timer again_;
};

DataplanePort::DataplanePort(Reactor& reactor, Options options)
    : core_(std::make_shared<Core>(reactor, std::move(options))) {}
DataplanePort::~DataplanePort() {
  core_->close();
}

void DataplanePort::set_node(std::uint64_t node) {
  core_->set_node(node);
}
void DataplanePort::follow_journal(std::uint64_t from, std::function<void(v1::JournalBatch)> take) {
  core_->follow(from, std::move(take));
}
void DataplanePort::journal_more() {
  core_->journal_more();
}
void DataplanePort::insert(std::vector<v1::CacheEntry> entries, std::uint64_t transit_ms,
                           Done<Inserted> done) {
  core_->insert(std::move(entries), transit_ms, std::move(done));
}
void DataplanePort::fence(const std::vector<DeadRange>& ranges, Done<Fenced> done) {
  core_->fence(ranges, std::move(done));
}
void DataplanePort::dump(
    std::function<void(std::expected<v1::DumpEntries, std::string>, std::function<void()> next)> take) {
  core_->dump(std::move(take));
}
void DataplanePort::restore(std::vector<std::string> private_zones, Done<std::uint64_t> done) {
  core_->restore(std::move(private_zones), std::move(done));
}
void DataplanePort::warming(std::uint64_t at_most_ms, Done<void> done) {
  core_->warming(at_most_ms, std::move(done));
}
void DataplanePort::warm(Done<void> done) {
  core_->warm(std::move(done));
}
void DataplanePort::status(Done<v1::DataplaneStatus> done) {
  core_->status(std::move(done));
}

}  // namespace swarmdns::controlplane
