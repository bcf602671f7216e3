#include "controlplane/certs/certificate.h"

#include <openssl/pem.h>
#include <openssl/sha.h>

#include <algorithm>
#include <ctime>

#include "controlplane/certs/openssl.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::size_t kMaxText = 64u << 10;
constexpr std::size_t kMaxCertificates = 16;
constexpr int kMaxDepth = 6;  // node, issuer, and a root that was replaced a few times

using Certificates = std::vector<openssl::Certificate>;

std::string sha256(std::string_view octets) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(octets.data()), octets.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

std::expected<Certificates, std::string> parse(std::string_view pem) {
  if (pem.size() > kMaxText) {
    return std::unexpected("certificates of " + std::to_string(pem.size()) + " bytes, more than " +
                           std::to_string(kMaxText));
  }
  Certificates certificates;
  const openssl::Bio bio = openssl::reader(pem);
  for (;;) {
    openssl::Certificate next(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!next) break;
    if (certificates.size() == kMaxCertificates) {
      return std::unexpected("more than " + std::to_string(kMaxCertificates) + " certificates");
    }
    certificates.push_back(std::move(next));
  }
  const unsigned long error = ERR_peek_last_error();
  const bool ended = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  if (!ended) return std::unexpected("not a certificate in PEM: " + openssl::last_error());
  if (certificates.empty()) return std::unexpected("no certificate in PEM");
  return certificates;
}

std::expected<std::string, std::string> to_der(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  if (size <= 0) return std::unexpected("the certificate cannot be encoded: " + openssl::last_error());
  std::string text(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return text;
}

std::expected<std::string, std::string> to_pem(X509* certificate) {
  const openssl::Bio text(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(text.get(), certificate) != 1) {
    return std::unexpected("the certificate cannot be encoded: " + openssl::last_error());
  }
  return openssl::contents(text.get());
}

std::int64_t seconds_of(const ASN1_TIME* time) {
  std::tm fields{};
  if (ASN1_TIME_to_tm(time, &fields) != 1) return 0;
  return timegm(&fields);
}

// More than one is an error: which of them a reader takes must not be a matter of taste.
std::expected<std::string, std::string> swarm_uri(X509* certificate) {
  std::string found;
  auto* names =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  bool many = false;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    if (name->type != GEN_URI) continue;
    const ASN1_IA5STRING* text = name->d.uniformResourceIdentifier;
    const std::string uri(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                          static_cast<std::size_t>(ASN1_STRING_length(text)));
    if (!uri.starts_with("swarmdns:")) continue;
    many = many || !found.empty();
    found = uri;
  }
  GENERAL_NAMES_free(names);
  if (many) return std::unexpected("the certificate has more than one swarmdns:// name");
  return found;
}

std::expected<CertificateFacts, std::string> facts_of(X509* certificate) {
  CertificateFacts facts;
  EVP_PKEY* key = X509_get0_pubkey(certificate);
  const std::string spki = key ? openssl::public_key_der(key) : "";
  if (spki.empty()) return std::unexpected("the certificate's public key is of no known kind");
  facts.pin = sha256(spki);

  const auto der = to_der(certificate);
  if (!der) return std::unexpected(der.error());
  facts.fingerprint = sha256(*der);
  auto pem = to_pem(certificate);
  if (!pem) return std::unexpected(pem.error());
  facts.pem = std::move(*pem);
  auto uri = swarm_uri(certificate);
  if (!uri) return std::unexpected(uri.error());
  facts.uri = std::move(*uri);
  facts.not_before = seconds_of(X509_get0_notBefore(certificate));
  facts.not_after = seconds_of(X509_get0_notAfter(certificate));
  return facts;
}

bool is_about_time(int error) {
  return error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID;
}

// X509_V_OK, or what is wrong. `now` of -1: times are not looked at.
int verify(X509_STORE* store, X509* leaf, STACK_OF(X509) * others, std::int64_t now) {
  const openssl::StoreContext context(X509_STORE_CTX_new());
  if (!context || X509_STORE_CTX_init(context.get(), store, leaf, others) != 1) return X509_V_ERR_OUT_OF_MEM;
  X509_VERIFY_PARAM* param = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_depth(param, kMaxDepth);
  X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT);
  if (now < 0) {
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_NO_CHECK_TIME);
  } else {
    X509_VERIFY_PARAM_set_time(param, now);
  }
  if (X509_verify_cert(context.get()) == 1) return X509_V_OK;
  const int error = X509_STORE_CTX_get_error(context.get());
  return error == X509_V_OK ? X509_V_ERR_UNSPECIFIED : error;
}

}  // namespace

std::expected<std::vector<CertificateFacts>, std::string> read_certificates(std::string_view pem) {
  const openssl::CleanErrors clean;
  const auto certificates = parse(pem);
  if (!certificates) return std::unexpected(certificates.error());
  std::vector<CertificateFacts> facts;
  for (const auto& certificate : *certificates) {
    auto one = facts_of(certificate.get());
    if (!one) return std::unexpected(one.error());
    facts.push_back(std::move(*one));
  }
  return facts;
}

std::expected<std::string, std::string> der_from_pem(std::string_view pem) {
  const openssl::CleanErrors clean;
  const auto certificates = parse(pem);
  if (!certificates) return std::unexpected(certificates.error());
  std::string all;
  for (const auto& certificate : *certificates) {
    const auto der = to_der(certificate.get());
    if (!der) return der;
    all += *der;
  }
  return all;
}

std::expected<std::string, std::string> pem_from_der(std::string_view der) {
  const openssl::CleanErrors clean;
  std::string all;
  const auto* next = reinterpret_cast<const unsigned char*>(der.data());
  const auto* const end = next + der.size();
  while (next != end) {
    const openssl::Certificate certificate(d2i_X509(nullptr, &next, end - next));
    if (!certificate) return std::unexpected("not a certificate in DER: " + openssl::last_error());
    const auto pem = to_pem(certificate.get());
    if (!pem) return pem;
    all += *pem;
  }
  if (all.empty()) return std::unexpected("no certificate in DER");
  return all;
}

ChainVerdict verify_chain(std::string_view chain, std::string_view roots, std::int64_t now) {
  const openssl::CleanErrors clean;
  const auto presented = parse(chain);
  if (!presented) return {ChainState::kNotOurs, presented.error()};
  const auto trusted = parse(roots);
  if (!trusted) return {ChainState::kNotOurs, "the swarm's root certificates: " + trusted.error()};

  const openssl::Store store(X509_STORE_new());
  for (const auto& root : *trusted) X509_STORE_add_cert(store.get(), root.get());
  STACK_OF(X509)* others = sk_X509_new_null();
  for (std::size_t i = 1; i < presented->size(); ++i) sk_X509_push(others, (*presented)[i].get());
  X509* leaf = presented->front().get();

  int error = verify(store.get(), leaf, others, std::max<std::int64_t>(now, 0));
  ChainVerdict verdict{ChainState::kValid, ""};
  if (error != X509_V_OK) {
    verdict = {ChainState::kNotOurs, X509_verify_cert_error_string(error)};
    if (is_about_time(error)) {
      error = verify(store.get(), leaf, others, -1);
      if (error == X509_V_OK) {
        verdict.state = ChainState::kOutsideItsTime;
      } else {
        verdict.reason = X509_verify_cert_error_string(error);
      }
    }
  }
  sk_X509_free(others);
  return verdict;
}

std::string utc_text(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm fields{};
  char text[64];
  if (!gmtime_r(&time, &fields)) return std::to_string(seconds);
  const std::size_t size = std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &fields);
  return {text, size};
}

}  // namespace swarmdns::controlplane
