#include "controlplane/certs/tls_credentials.h"

#include <grpc/grpc_security.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <mutex>
#include <utility>

#include "controlplane/certs/certificate_maker.h"

namespace swarmdns::controlplane {
namespace {

using grpc::experimental::ExternalCertificateVerifier;
using grpc::experimental::TlsCustomVerificationCheckRequest;

// The empty string lets the connection be.
using ServerJudge = std::function<std::string(const std::string& chain)>;

std::string text_of(grpc::string_ref octets) {
  return {octets.data(), octets.size()};
}

class JudgingVerifier final : public ExternalCertificateVerifier {
 public:
  explicit JudgingVerifier(ServerJudge judge) : judge_(std::move(judge)) {}

  bool Verify(TlsCustomVerificationCheckRequest* request, std::function<void(grpc::Status)>,
              grpc::Status* result) override {
    const std::string refusal =
        judge_(text_of(request->peer_cert()) + text_of(request->peer_cert_full_chain()));
    if (!refusal.empty()) *result = grpc::Status(grpc::StatusCode::UNAUTHENTICATED, refusal);
    return true;
  }
  void Cancel(TlsCustomVerificationCheckRequest*) override {}

 private:
  ServerJudge judge_;
};

}  // namespace

class PeerTls::State {
 public:
  explicit State(WallClock now) : now_(std::move(now)) {}

  void set_identity(const Secret& key, const std::string& chain) {
    const std::scoped_lock lock(mutex_);
    key_ = key.clone();
    chain_ = chain;
    ++identity_;
  }
  void set_swarm(std::shared_ptr<const SwarmView> swarm) {
    const std::scoped_lock lock(mutex_);
    swarm_ = std::move(swarm);
  }
  std::shared_ptr<const SwarmView> swarm() const {
    const std::scoped_lock lock(mutex_);
    return swarm_;
  }
  std::int64_t now() const { return now_(); }

  PeerVerdict judge(const std::string& chain) const {
    const auto view = swarm();
    if (view) return check_peer(chain, *view, now());
    PeerVerdict refused;
    refused.reason = "this node is not in a swarm yet";
    return refused;
  }

  grpc::experimental::IdentityKeyCertPair identity() const {
    const std::scoped_lock lock(mutex_);
    return {std::string(key_.view()), chain_};
  }

  // gRPC's fetcher. `served` is the number of the identity that this listener had before.
  grpc_ssl_certificate_config_reload_status fetch(std::uint64_t& served,
                                                  grpc_ssl_server_certificate_config** config) const {
    const std::scoped_lock lock(mutex_);
    if (identity_ == 0) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_FAIL;
    if (identity_ == served) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    const std::string key(key_.view());
    const grpc_ssl_pem_key_cert_pair pair{key.c_str(), chain_.c_str()};
    // Roots there must be, or gRPC aborts; their names are a hint to the client and nothing else.
    *config = grpc_ssl_server_certificate_config_create(chain_.c_str(), &pair, 1);
    served = identity_;
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  // A listener of this state, for as long as the state is there: gRPC's core keeps the pointer after the C++
  // object for the credentials is gone.
  struct Listener {
    const State* state;
    std::uint64_t served = 0;
  };
  Listener* new_listener() {
    const std::scoped_lock lock(mutex_);
    listeners_.push_back(std::make_unique<Listener>(Listener{this}));
    return listeners_.back().get();
  }

 private:
  const WallClock now_;
  mutable std::mutex mutex_;
  Secret key_;
  std::string chain_;
  std::uint64_t identity_ = 0;  // counts the changes; 0: none yet
  std::shared_ptr<const SwarmView> swarm_;
  std::vector<std::unique_ptr<Listener>> listeners_;
};

namespace {

class FetchingServerCredentials final : public grpc::ServerCredentials {
 public:
  explicit FetchingServerCredentials(grpc_server_credentials* credentials) : credentials_(credentials) {}
  ~FetchingServerCredentials() override { grpc_server_credentials_release(credentials_); }
  FetchingServerCredentials(const FetchingServerCredentials&) = delete;
  FetchingServerCredentials& operator=(const FetchingServerCredentials&) = delete;

  // Callers are known by their certificates only.
  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  grpc_server_credentials* const credentials_;
};

std::shared_ptr<grpc::ChannelCredentials> channel_credentials(
    const grpc::experimental::IdentityKeyCertPair& identity, ServerJudge judge) {
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(std::make_shared<grpc::experimental::StaticDataCertificateProvider>(
      std::vector<grpc::experimental::IdentityKeyCertPair>{identity}));
  options.watch_identity_key_cert_pairs();
  options.set_verify_server_certs(false);
  options.set_check_call_host(false);
  options.set_certificate_verifier(ExternalCertificateVerifier::Create<JudgingVerifier>(std::move(judge)));
  return grpc::experimental::TlsCredentials(options);
}

std::string first_property(const grpc::AuthContext& context, const char* name) {
  const auto values = context.FindPropertyValues(name);
  return values.empty() ? "" : text_of(values.front());
}

}  // namespace

PeerTls::PeerTls(WallClock now) : state_(std::make_shared<State>(std::move(now))) {}
PeerTls::~PeerTls() = default;

std::expected<void, std::string> PeerTls::set_identity(const Secret& key, const std::string& chain) {
  const auto in_key = public_key_of(key);
  if (!in_key) return std::unexpected("the TLS key: " + in_key.error());
  const auto in_chain = public_key_of_certificate(chain);
  if (!in_chain) return std::unexpected("the node's certificate: " + in_chain.error());
  if (*in_key != *in_chain) return std::unexpected("the node's certificate is not that of its TLS key");
  state_->set_identity(key, chain);
  return {};
}

void PeerTls::set_swarm(std::shared_ptr<const SwarmView> swarm) {
  state_->set_swarm(std::move(swarm));
}
std::shared_ptr<const SwarmView> PeerTls::swarm() const {
  return state_->swarm();
}

std::shared_ptr<grpc::ServerCredentials> PeerTls::server_credentials() {
  const auto fetch = [](void* listener, grpc_ssl_server_certificate_config** config) {
    auto* mine = static_cast<State::Listener*>(listener);
    return mine->state->fetch(mine->served, config);
  };
  return std::make_shared<FetchingServerCredentials>(grpc_ssl_server_credentials_create_with_options(
      grpc_ssl_server_credentials_create_options_using_config_fetcher(
          GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_BUT_DONT_VERIFY, fetch, state_->new_listener())));
}

std::shared_ptr<grpc::ChannelCredentials> PeerTls::member_credentials(
    std::uint64_t expected, std::shared_ptr<std::atomic<bool>> later) {
  return channel_credentials(state_->identity(), [state = state_, expected, later](const std::string& chain) {
    const PeerVerdict verdict = state->judge(chain);
    if (later) *later = verdict.later_incarnation;
    if (verdict.kind != PeerKind::kMember) return verdict.reason;
    if (verdict.id == expected) return std::string();
    return "node " + std::to_string(verdict.id) + " answers where node " + std::to_string(expected) +
           " should: look at the addresses that the two advertise";
  });
}

std::shared_ptr<grpc::ChannelCredentials> PeerTls::later_credentials(
    std::shared_ptr<std::atomic<bool>> later) {
  return channel_credentials(state_->identity(), [state = state_, later](const std::string& chain) {
    const PeerVerdict verdict = state->judge(chain);
    *later = verdict.later_incarnation;
    return verdict.later_incarnation ? std::string() : "the peer is of no later incarnation (any more)";
  });
}

std::shared_ptr<grpc::ChannelCredentials> PeerTls::introducer_credentials(const JoinToken& token) {
  return channel_credentials(state_->identity(), [state = state_, token](const std::string& chain) {
    return check_introducer(chain, token, state->now());
  });
}

grpc::ChannelArguments PeerTls::channel_arguments() {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetSslTargetNameOverride(std::string(kTlsServerName));
  return arguments;
}

PeerVerdict PeerTls::caller(const grpc::ServerContextBase& call) const {
  const auto context = call.auth_context();
  if (!context) {
    PeerVerdict refused;
    refused.reason = "the connection is not TLS";
    return refused;
  }
  return state_->judge(first_property(*context, GRPC_X509_PEM_CERT_PROPERTY_NAME) +
                       first_property(*context, GRPC_X509_PEM_CERT_CHAIN_PROPERTY_NAME));
}

}  // namespace swarmdns::controlplane
