#include "controlplane/certs/certificate_maker.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <cstring>

#include "controlplane/certs/openssl.h"

namespace swarmdns::controlplane {
namespace {

using openssl::CleanErrors;

std::unexpected<std::string> failure(const std::string& what) {
  return std::unexpected(what + ": " + openssl::last_error());
}

// `passphrase` for an encrypted one; OpenSSL would ask the terminal without a callback.
int give_passphrase(char* buffer, int size, int, void* passphrase) {
  const auto& text = *static_cast<const std::string_view*>(passphrase);
  if (text.empty() || text.size() > static_cast<std::size_t>(size)) return -1;
  std::memcpy(buffer, text.data(), text.size());
  return static_cast<int>(text.size());
}

openssl::Key read_key(std::string_view pem, std::string_view passphrase) {
  const openssl::Bio bio = openssl::reader(pem);
  return openssl::Key(PEM_read_bio_PrivateKey(bio.get(), nullptr, give_passphrase, &passphrase));
}

std::expected<Secret, std::string> write_key(EVP_PKEY* key, std::string_view passphrase) {
  const openssl::Bio bio(BIO_new(BIO_s_secmem()));
  const int done = passphrase.empty()
                       ? PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr)
                       : PEM_write_bio_PKCS8PrivateKey(bio.get(), key, EVP_aes_256_cbc(), passphrase.data(),
                                                       static_cast<int>(passphrase.size()), nullptr, nullptr);
  if (done != 1) return failure("cannot write the private key");
  std::string text = openssl::contents(bio.get());
  return Secret::taken_from(text);
}

bool on_p256(EVP_PKEY* key) {
  char group[32] = {};
  std::size_t size = 0;
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
         EVP_PKEY_get_group_name(key, group, sizeof(group), &size) == 1 &&
         std::string_view(group) == SN_X9_62_prime256v1;
}

std::expected<std::string, std::string> p256_der(EVP_PKEY* key, const std::string& whose) {
  if (!key || !on_p256(key)) return std::unexpected(whose + " is not an ECDSA key on P-256");
  std::string der = openssl::public_key_der(key);
  if (der.empty()) return failure("cannot encode " + whose);
  return der;
}

bool set_name(X509_NAME* name, const std::string& common_name) {
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(common_name.data()),
                                    static_cast<int>(common_name.size()), -1, 0) == 1;
}

bool set_serial(X509* certificate) {
  unsigned char octets[16];
  if (RAND_bytes(octets, sizeof(octets)) != 1) return false;
  octets[0] =
      static_cast<unsigned char>((octets[0] & 0x7f) | 0x40);  // positive, never zero: RFC 5280 4.1.2.2
  const openssl::Number number(BN_bin2bn(octets, sizeof(octets), nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate));
}

bool extend(X509* certificate, X509* signer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, signer, certificate, nullptr, nullptr, 0);
  const openssl::Extension extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// RFC 5280 4.2. The order matters: the authority's identifier of a root is its own subject's.
bool extend_all(const CertificateWish& wish, X509* certificate, X509* signer) {
  const bool ca = wish.kind != CertificateKind::kNode;
  const char* constraint = wish.kind == CertificateKind::kRoot     ? "critical,CA:TRUE"
                           : wish.kind == CertificateKind::kIssuer ? "critical,CA:TRUE,pathlen:0"
                                                                   : "critical,CA:FALSE";
  return extend(certificate, signer, NID_basic_constraints, constraint) &&
         extend(certificate, signer, NID_key_usage,
                ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature") &&
         (ca || extend(certificate, signer, NID_ext_key_usage, "serverAuth,clientAuth")) &&
         extend(certificate, signer, NID_subject_key_identifier, "hash") &&
         extend(certificate, signer, NID_authority_key_identifier, "keyid:always") &&
         (wish.uri.empty() || extend(certificate, signer, NID_subject_alt_name,
                                     "URI:" + wish.uri + ",DNS:" + std::string(kTlsServerName)));
}

openssl::Certificate read_certificate(std::string_view pem) {
  const openssl::Bio bio = openssl::reader(pem);
  return openssl::Certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

}  // namespace

std::expected<Secret, std::string> make_p256_key() {
  const CleanErrors clean;
  const openssl::Key key(EVP_EC_gen("P-256"));
  if (!key) return failure("cannot make a key");
  return write_key(key.get(), {});
}

std::expected<Secret, std::string> encrypt_key(const Secret& key, std::string_view passphrase) {
  const CleanErrors clean;
  if (passphrase.empty()) return std::unexpected("an empty passphrase protects nothing");
  const openssl::Key read = read_key(key.view(), {});
  if (!read) return failure("not a private key in PEM");
  return write_key(read.get(), passphrase);
}

std::expected<Secret, std::string> decrypt_key(std::string_view pem, std::string_view passphrase) {
  const CleanErrors clean;
  const openssl::Key read = read_key(pem, passphrase);
  if (!read) {
    if (!pem.contains("ENCRYPTED")) return failure("not a private key in PEM");
    return std::unexpected(passphrase.empty() ? "the private key is encrypted: give its passphrase"
                                              : "the passphrase does not fit the private key");
  }
  return write_key(read.get(), {});
}

std::expected<std::string, std::string> public_key_of(const Secret& key) {
  const CleanErrors clean;
  const openssl::Key read = read_key(key.view(), {});
  if (!read) return failure("not a private key in PEM");
  return p256_der(read.get(), "the private key");
}

std::expected<std::string, std::string> make_request(const Secret& key) {
  const CleanErrors clean;
  const openssl::Key read = read_key(key.view(), {});
  const openssl::Request request(X509_REQ_new());
  if (!read || !request || X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1 ||
      X509_REQ_set_pubkey(request.get(), read.get()) != 1 ||
      X509_REQ_sign(request.get(), read.get(), EVP_sha256()) <= 0) {
    return failure("cannot make a certificate request");
  }
  const openssl::Bio bio(BIO_new(BIO_s_mem()));
  if (i2d_X509_REQ_bio(bio.get(), request.get()) != 1) return failure("cannot write a certificate request");
  return openssl::contents(bio.get());
}

std::expected<std::string, std::string> public_key_of_request(std::string_view text) {
  const CleanErrors clean;
  if (text.size() > 16384) return std::unexpected("the certificate request is larger than 16384 bytes");
  const auto* next = reinterpret_cast<const unsigned char*>(text.data());
  const auto* const end = next + text.size();
  const openssl::Request request(d2i_X509_REQ(nullptr, &next, static_cast<long>(text.size())));
  if (!request) return failure("not a certificate request in DER");
  if (next != end) return std::unexpected("the certificate request has something behind it");
  EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
  auto der = p256_der(key, "the certificate request's key");
  if (!der) return der;
  if (X509_REQ_verify(request.get(), key) != 1) {
    return std::unexpected("the certificate request is not signed by its own key");
  }
  return der;
}

std::expected<std::string, std::string> public_key_of_certificate(std::string_view pem) {
  const CleanErrors clean;
  const openssl::Certificate certificate = read_certificate(pem);
  if (!certificate) return failure("not a certificate in PEM");
  return p256_der(X509_get0_pubkey(certificate.get()), "the certificate's key");
}

std::expected<std::string, std::string> common_name_of(std::string_view pem) {
  const CleanErrors clean;
  const openssl::Certificate certificate = read_certificate(pem);
  if (!certificate) return failure("not a certificate in PEM");
  char name[128];
  const int size =
      X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name, sizeof(name));
  if (size <= 0) return std::unexpected("the certificate has no common name");
  return std::string(name, static_cast<std::size_t>(size));
}

std::expected<std::string, std::string> sign_certificate(const CertificateWish& wish, std::string_view signer,
                                                         const Secret& signer_key) {
  const CleanErrors clean;
  const openssl::Key key = read_key(signer_key.view(), {});
  if (!key) return failure("the signer's private key is not one in PEM");
  openssl::Certificate above;
  if (!signer.empty()) {
    above = read_certificate(signer);
    if (!above) return failure("the signer's certificate is not one in PEM");
    if (X509_check_private_key(above.get(), key.get()) != 1) {
      return std::unexpected("the private key does not belong to the signer's certificate");
    }
  }

  const auto* der = reinterpret_cast<const unsigned char*>(wish.public_key.data());
  const openssl::Key subject(d2i_PUBKEY(nullptr, &der, static_cast<long>(wish.public_key.size())));
  const openssl::Certificate made(X509_new());
  if (!subject || !made || X509_set_version(made.get(), X509_VERSION_3) != 1 || !set_serial(made.get()) ||
      X509_set_pubkey(made.get(), subject.get()) != 1 ||
      !set_name(X509_get_subject_name(made.get()), wish.common_name) ||
      !ASN1_TIME_set(X509_getm_notBefore(made.get()), wish.not_before) ||
      !ASN1_TIME_set(X509_getm_notAfter(made.get()), wish.not_after)) {
    return failure("cannot fill in the certificate");
  }
  X509* const issuer = above ? above.get() : made.get();
  if (X509_set_issuer_name(made.get(), X509_get_subject_name(issuer)) != 1 ||
      !extend_all(wish, made.get(), issuer) || X509_sign(made.get(), key.get(), EVP_sha256()) <= 0) {
    return failure("cannot sign the certificate");
  }
  const openssl::Bio bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(bio.get(), made.get()) != 1) return failure("cannot write the certificate");
  return openssl::contents(bio.get());
}

}  // namespace swarmdns::controlplane
