// AWS Signature Version 4, as https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
// has it, from the side of the store.
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

#include "tests/unit/controlplane/targets/scripted_http.h"

namespace swarmdns::controlplane {
namespace {

std::string hmac(const std::string& key, const std::string& text) {
  unsigned char result[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), result, &size);
  return {reinterpret_cast<const char*>(result), size};
}

std::string hex(const std::string& octets) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (const char c : octets) {
    text += kHex[static_cast<unsigned char>(c) >> 4];
    text += kHex[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

std::string sha256(const std::string& text) {
  unsigned char result[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), result, &size, EVP_sha256(), nullptr);
  return hex({reinterpret_cast<const char*>(result), size});
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(at, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

// "Credential=…" of the header.
std::string field(const std::string& header, const std::string& name) {
  const std::size_t at = header.find(name + "=");
  if (at == std::string::npos) return "";
  const std::size_t begin = at + name.size() + 1;
  return header.substr(begin, header.find(',', begin) - begin);
}

}  // namespace

std::string signature_problem(const ScriptedRequest& request, const std::string& access_key_id,
                              const std::string& secret_access_key, const std::string& region) {
  const std::string header = request.header("authorization");
  if (!header.starts_with("AWS4-HMAC-SHA256 ")) return "no signature";
  const std::string time = request.header("x-amz-date");
  if (time.size() != 16) return "no x-amz-date";
  const std::string scope = time.substr(0, 8) + "/" + region + "/s3/aws4_request";
  if (field(header, "Credential") != access_key_id + "/" + scope) return "another credential or scope";
  if (request.header("x-amz-content-sha256") != sha256(request.body))
    return "the digest is not that of the body";

  const std::string names = field(header, "SignedHeaders");
  std::string headers;
  for (const std::string& name : split(names, ';')) headers += name + ":" + request.header(name) + "\n";
  for (const auto& [name, value] : request.headers) {
    const bool must = name == "host" || name == "content-md5" || name.starts_with("x-amz-");
    if (must && (";" + names + ";").find(";" + name + ";") == std::string::npos)
      return name + " is not signed";
  }
  std::vector<std::string> query = split(request.query, '&');
  std::ranges::sort(query);
  std::string sorted;
  for (const std::string& part : query) {
    if (!part.empty() && part.find('=') == std::string::npos) return "a query without '='";
    sorted += (sorted.empty() ? "" : "&") + part;
  }
  const std::string canonical = request.method + "\n" + request.path + "\n" + sorted + "\n" + headers + "\n" +
                                names + "\n" + request.header("x-amz-content-sha256");
  const std::string text = "AWS4-HMAC-SHA256\n" + time + "\n" + scope + "\n" + sha256(canonical);
  const std::string key =
      hmac(hmac(hmac(hmac("AWS4" + secret_access_key, time.substr(0, 8)), region), "s3"), "aws4_request");
  return hex(hmac(key, text)) == field(header, "Signature") ? "" : "the signature is another: " + canonical;
}

}  // namespace swarmdns::controlplane
