#include "dataplane/app/node.h"

#include <sodium.h>
#include <sys/resource.h>
#include <time.h>

#include <cstdlib>

#include "dataplane/app/privileges.h"
#include "dataplane/control/convert.h"
#include "dataplane/control/cookie_secrets.h"
#include "dataplane/stats/tsc_clock.h"

namespace swarmdns::app {
namespace {

constexpr std::int64_t kRollInterval = 3600;  // seconds between two looks at the age of the cookie secrets
constexpr std::int64_t kWarnInterval = 60;    // seconds between two warnings of the same
// A slice of a dump is 1 MiB at most; an answer 64 KiB.
constexpr int kMaxMessageBytes = 8 << 20;
constexpr std::size_t kStreamPlaces = 65'536;  // TCP connections a thread has room for, at least
constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr auto kLastSnapshot = std::chrono::seconds(10);  // at the end; whoever stops this waits 15 s or more
constexpr int kRestoringWaitMs = 50;                      // between two looks whether the cache is back

// AF_XDP rings, hugepages and a descriptor for each TCP connection.
void raise_limits(std::uint64_t descriptors) {
  const rlimit locked{RLIM_INFINITY, RLIM_INFINITY};
  (void)setrlimit(RLIMIT_MEMLOCK, &locked);
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  const rlim_t wanted = descriptors + 1024;
  if (files.rlim_cur >= wanted) return;
  files.rlim_cur = wanted;
  if (files.rlim_max < wanted) files.rlim_max = wanted;
  if (setrlimit(RLIMIT_NOFILE, &files) == 0) return;
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;  // not root: as much as is allowed
  files.rlim_cur = files.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &files);
}

}  // namespace

std::expected<std::unique_ptr<Node>, std::string> Node::start(const v1::DataplaneConfig& config, int stop_fd,
                                                              const control::Logger& log) {
  if (sodium_init() < 0) return std::unexpected("libsodium cannot be initialised on this machine");
  std::unique_ptr<Node> node(new Node(config, stop_fd, log));
  using Stage = Step (Node::*)();
  // What needs root stands before decide(), which drops it.
  constexpr Stage kStages[] = {&Node::claim_directories, &Node::open_ports,    &Node::open_kernel_side,
                               &Node::make_counters,     &Node::make_cache,    &Node::decide,
                               &Node::start_threads,     &Node::start_workers, &Node::start_control};
  for (const Stage stage : kStages) {
    try {
      if (Step done = (node.get()->*stage)(); !done) return std::unexpected(done.error());
    } catch (const std::exception& error) {  // threads, descriptors or memory that this machine does not have
      return std::unexpected(std::string("this machine cannot start it: ") + error.what() +
                             "; look at `ulimit -a` and at free memory");
    }
  }
  node->machine_->set_ready(true);
  // With the cache on its way back it is not warm yet, whoever else has a say in that.
  node->restoring_ = node->snapshot_->loading();
  node->readiness_->started(node->restoring_ && config.warm_up_ms() == 0 ? control::Readiness::kMostWarmingMs
                                                                         : config.warm_up_ms());
  return node;
}

Node::Step Node::claim_directories() {
  for (const std::string& directory : {config_.run_dir(), config_.state_dir()}) {
    if (Step done = prepare_directory(directory, config_.user()); !done) return done;
  }
  auto taken = Pidfile::take(config_.run_dir());
  if (!taken) return std::unexpected(taken.error());
  pidfile_.emplace(std::move(*taken));
  readiness_.emplace(config_.run_dir(), control::Readiness::system_clocks(), log_);
  const std::string mine[] = {lockfile_path(config_.run_dir()),
                              pidfile_path(config_.run_dir()),
                              config_.run_dir() + "/dataplane.sock",
                              control::last_applied_path(config_.state_dir()),
                              control::journal_numbers_path(config_.state_dir()),
                              restart::node_key_path(config_.state_dir()),
                              restart::snapshot_path(config_.state_dir()),
                              restart::snapshot_path(config_.state_dir()) + ".new",
                              control::cookie_secrets_path(config_.state_dir())};
  return adopt_files(mine, config_.user());
}

Node::Step Node::open_ports() {
  raise_limits(config_.stream().max_connections());
  auto eal = eal::Eal::start(control::eal_options(config_));
  if (!eal) return std::unexpected(eal.error().text());
  eal_ = std::move(*eal);
  for (int i = 0; i < config_.ports_size(); ++i) {
    const v1::PortConfig& wanted = config_.ports(i);
    eal::PortOptions options;
    options.device = wanted.device();
    options.rx_descriptors = wanted.rx_descriptors();
    options.tx_descriptors = wanted.tx_descriptors();
    options.mbufs = wanted.mbufs();
    options.mtu = wanted.mtu();
    auto port = eal::Port::open(options, static_cast<unsigned>(i), eal_->workers(), config_.worker().burst());
    if (!port) return std::unexpected(port.error().text());
    ports_.push_back(std::move(*port));
  }
  return {};
}

Node::Step Node::open_kernel_side() {
  std::vector<net::Address> addresses;
  const auto interfaces = control::service_interfaces(config_);
  if (!interfaces) return std::unexpected(interfaces.error());
  for (const control::Interface& interface : *interfaces) addresses.push_back(interface.address);
  for (const auto& port : ports_) {
    const v1::PortConfig& wanted = config_.ports(static_cast<int>(port->index()));
    exception::TapOptions options;
    options.port = port->index();
    options.name = wanted.tap();
    options.mac = port->mac();
    options.mtu = port->mtu();
    options.addresses.assign(wanted.addresses().begin(), wanted.addresses().end());
    options.routes.assign(wanted.routes().begin(), wanted.routes().end());
    auto tap = exception::Tap::open(options);
    if (!tap) return std::unexpected(tap.error().text());
    taps_.push_back(std::move(*tap));
    links_.push_back(std::make_unique<exception::KernelLink>(eal_->workers()));
  }
  auto sockets = stream::open_sockets(addresses, net::kDnsPort, config_.stream().threads());
  if (!sockets) return std::unexpected(sockets.error());
  sockets_ = std::move(*sockets);
  return {};
}

Node::Step Node::make_counters() {
  const std::size_t streams = sockets_.size();
  registry_ = std::make_unique<stats::Registry>(eal_->workers() + streams + 4);
  const auto claim = [&](const std::string& name, stats::ThreadStats*& place) -> Step {
    auto claimed = registry_->claim(name);
    if (!claimed) return std::unexpected(claimed.error());
    place = *claimed;
    return {};
  };
  worker_stats_.resize(eal_->workers());
  stream_stats_.resize(streams);
  for (std::size_t i = 0; i < worker_stats_.size(); ++i) {
    if (Step done = claim("worker" + std::to_string(i), worker_stats_[i]); !done) return done;
  }
  for (std::size_t i = 0; i < streams; ++i) {
    if (Step done = claim("stream" + std::to_string(i), stream_stats_[i]); !done) return done;
  }
  if (Step done = claim("writer", writer_stats_); !done) return done;
  if (Step done = claim("miss", miss_stats_); !done) return done;
  if (Step done = claim("snapshot", snapshot_stats_); !done) return done;
  return claim("kernel", tap_stats_);
}

Node::Step Node::make_cache() {
  const v1::CacheConfig& wanted = config_.cache();
  cache::CacheOptions options;
  options.budget_bytes = wanted.memory_mib() * kMiB;
  options.hugepages = wanted.hugepages();
  options.journal.records = wanted.journal_entries();
  // A record with its answer is about 256 bytes; a small cache keeps a shorter journal.
  options.journal.bytes =
      std::min<std::size_t>(std::size_t{wanted.journal_entries()} * 256, options.budget_bytes / 8);
  options.stale_max = wanted.stale_max_s();
  auto cache = cache::Cache::create(options, writer_stats_->counters);
  if (!cache) return std::unexpected(cache.error());
  cache_ = std::move(*cache);
  return {};
}

Node::Step Node::decide() {
  if (Step done = drop_root(config_.user()); !done) return done;
  numbers_ = control::JournalNumbers::open(config_.state_dir(), time(nullptr));
  if (!numbers_->warning().empty()) {
    log_.warning("numbers of mutations", {{"why", numbers_->warning()}});
  }
  cache_->journal().start_at(numbers_->first());
  std::vector<net::MacAddress> macs;
  macs.reserve(ports_.size());
  for (const auto& port : ports_) macs.push_back(port->mac());
  auto configurator = control::Configurator::create(config_, std::move(macs), time(nullptr));
  if (!configurator) return std::unexpected(configurator.error());
  configurator_ = std::move(*configurator);
  next_roll_ = time(nullptr) + kRollInterval;
  auto parts = configurator_->first_parts();
  if (!parts) return std::unexpected(parts.error());
  live_ = std::make_unique<LiveSwap>(std::move(*parts));
  return {};
}

Node::Step Node::start_threads() {
  const std::vector<unsigned>& cpus = eal_->slow_cpus();
  const auto limits = control::miss_limits(config_);
  if (!limits) return std::unexpected(limits.error());
  writer_ = std::make_unique<cache::Writer>(*cache_, clock_, writer_stats_->counters,
                                            cache::Writer::Options{.cpus = cpus});
  live_->attach(*writer_);
  sync::Doorbell& miss_bell = roll_.add();
  miss_ = std::make_unique<miss::Thread>(*limits, live_->miss(), *writer_, clock_, miss_bell,
                                         miss_stats_->counters, cpus);
  for (std::size_t i = 0; i < worker_stats_.size() + stream_stats_.size(); ++i) {
    channels_.push_back(std::make_unique<miss::Channel>());
    miss_->attach(*channels_.back());
  }
  std::vector<exception::KernelLink*> links;
  links.reserve(links_.size());
  for (const auto& link : links_) links.push_back(link.get());
  tap_thread_ = std::make_unique<exception::TapThread>(std::move(taps_), std::move(links), cpus, roll_.add(),
                                                       *tap_stats_);
  // The limits themselves are live; places are made once.
  const std::size_t places = std::max<std::size_t>(config_.stream().max_connections(), kStreamPlaces);
  client_limits_ = std::make_unique<stream::ClientLimits>(places);
  for (std::size_t i = 0; i < sockets_.size(); ++i) {
    stream::ThreadParts parts;
    parts.table = &cache_->table();
    parts.clock = &clock_;
    parts.policy = &live_->policy();
    parts.options = &live_->stream();
    parts.limits = client_limits_.get();
    parts.misses = channels_[worker_stats_.size() + i].get();
    parts.bell = &miss_bell;
    parts.stats = stream_stats_[i];
    parts.cpus = cpus;
    parts.max_connections = places;
    streams_.push_back(std::make_unique<stream::Thread>(std::move(sockets_[i]), std::move(parts)));
  }
  on_plain_thread(cpus, [this] {
    writer_->start();
    miss_->start();
    tap_thread_->start();
    for (const auto& stream : streams_) stream->start();
  });
  start_snapshot();
  return {};
}

// As soon as there is a cache to load into: a small one is back before the first query.
void Node::start_snapshot() {
  calls_ = std::make_unique<control::CacheCalls>(*writer_, clock_, *configurator_, numbers_->numbering());
  restart::Snapshot::Options options;
  options.state_dir = config_.state_dir();
  options.numbering = numbers_->numbering();
  options.member = config_.warm_up_ms() > 0;
  options.cpus = eal_->slow_cpus();
  options.settings = [this] {
    const v1::CacheConfig cache = configurator_->in_force().cache();
    return restart::Snapshot::Settings{std::uint64_t{cache.restart_snapshot_s()} * 1000, cache.max_ttl_s(),
                                       cache.stale_max_s()};
  };
  options.say = [this](const std::string& event, const std::string& what, const std::string& why) {
    if (why.empty()) {
      log_.info(event, {{"what", what}});
    } else {
      log_.warning(event, {{"why", why}});
    }
  };
  snapshot_ = std::make_unique<restart::Snapshot>(*writer_, clock_, calls_->flushes(),
                                                  snapshot_stats_->counters, std::move(options));
  on_plain_thread(eal_->slow_cpus(), [this] { snapshot_->start(); });
}

Node::Step Node::start_workers() {
  const stats::TscClock tsc = stats::TscClock::calibrate();
  for (unsigned i = 0; i < eal_->workers(); ++i) {
    worker::WorkerOptions options;
    options.index = i;
    options.burst = config_.worker().burst();
    worker::WorkerParts parts;
    for (const auto& port : ports_) parts.ports.push_back(port.get());
    for (const auto& link : links_) parts.links.push_back(link.get());
    parts.table = &cache_->table();
    parts.cache_clock = &clock_;
    parts.policy = &live_->policy();
    parts.misses = channels_[i].get();
    parts.roll = &roll_;
    parts.stats = worker_stats_[i];
    parts.tsc = tsc;
    workers_.push_back(std::make_unique<worker::Worker>(options, std::move(parts)));
  }
  const NetAdmin admin;
  for (const auto& port : ports_) {
    if (auto started = port->start(); !started) return std::unexpected(started.error().text());
  }
  for (unsigned i = 0; i < eal_->workers(); ++i) {
    if (!eal_->launch(i, [worker = workers_[i].get()] { worker->run(); })) {
      return std::unexpected("worker " + std::to_string(i) + " could not be started: its lcore is busy");
    }
  }
  return {};
}

Node::Step Node::start_control() {
  machine_ =
      std::make_unique<NodeMachine>(NodeMachine::Parts{config_, ports_, worker_stats_, *miss_}, stop_fd_);
  service_ = std::make_unique<control::Service>(control::Service::Parts{
      *configurator_, *calls_, *machine_, *readiness_, *registry_, log_, snapshot_.get()});
  if (Step done = configurator_->attach(*live_); !done) return done;
  rpc::UnixServer::Options options;
  options.path = config_.run_dir() + "/dataplane.sock";
  options.mode = 0600;
  options.health = {v1::Dataplane::service_full_name()};
  options.max_message_bytes = kMaxMessageBytes;
  options.on_refused = [this](const rpc::PeerCredentials& peer) {
    log_.warning("control connection refused", {{"uid", peer.uid}, {"pid", peer.pid}});
  };
  std::expected<std::unique_ptr<rpc::UnixServer>, std::string> server;
  on_plain_thread(eal_->slow_cpus(),
                  [&] { server = rpc::UnixServer::start(std::move(options), {service_.get()}); });
  if (!server) return std::unexpected(server.error());
  server_ = std::move(*server);
  readiness_->on_change([this](bool ready) { server_->set_serving(ready); });
  return {};
}

int Node::wait_ms() const {
  return static_cast<int>(readiness_->wait_ms(restoring_ ? kRestoringWaitMs : 1000));
}

void Node::tick() {
  if (restoring_ && !snapshot_->loading()) {
    restoring_ = false;
    // A member of a swarm goes on warming up until its control plane says that it is warm.
    if (config_.warm_up_ms() == 0) (void)readiness_->warm();
  }
  readiness_->tick();
  const std::int64_t now = time(nullptr);
  if (now == last_second_) return;
  last_second_ = now;
  machine_->sample();
  keep_numbers(now);
  if (now < next_roll_) return;
  next_roll_ = now + kRollInterval;
  if (auto rolled = configurator_->roll_secrets(now); !rolled) {
    log_.error("cookie secrets not rolled over", {{"why", rolled.error()}});
  }
}

void Node::keep_numbers(std::int64_t now) {
  const auto kept = numbers_->keep_ahead(cache_->journal().next());
  if (kept || now < next_numbers_warning_) return;
  next_numbers_warning_ = now + kWarnInterval;
  log_.error("numbers of mutations not reserved", {{"why", kept.error()}});
}

Node::~Node() {
  if (readiness_) readiness_->stop();
  if (machine_) machine_->set_ready(false);
  if (service_) service_->stop();
  // Before the server's end, which waits for a restore that is under way; queries are answered meanwhile.
  const bool stopped = !snapshot_ || snapshot_->stop(kLastSnapshot);
  if (server_) server_->stop();
  for (const auto& worker : workers_) worker->stop();
  if (eal_) eal_->wait();
  streams_.clear();
  if (miss_) miss_->stop();
  tap_thread_.reset();
  if (writer_) {
    writer_->stop();
    if (const auto given_back = numbers_->give_back(cache_->journal().given()); !given_back) {
      log_.warning("numbers of mutations not given back", {{"why", given_back.error()}});
    }
  }
  const NetAdmin admin;  // for the XDP programs
  workers_.clear();
  ports_.clear();
  eal_.reset();
  if (stopped) return;
  // A disk that does not answer keeps the snapshot's thread: what that uses stays, and the rest is done.
  log_.error("stopped without the restart snapshot's thread", {{"why", "the disk does not answer"}});
  readiness_.reset();
  pidfile_.reset();
  std::_Exit(0);
}

}  // namespace swarmdns::app
