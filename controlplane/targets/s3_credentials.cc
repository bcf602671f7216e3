#include "controlplane/targets/s3_credentials.h"

#include "controlplane/certs/private_file.h"

namespace swarmdns::controlplane {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

bool printable(std::string_view text) {
  for (const char c : text) {
    if (c <= ' ' || c > '~') return false;
  }
  return true;
}

}  // namespace

std::expected<S3Credentials, std::string> read_s3_credentials(const std::string& path) {
  const auto file = read_private_file(path);
  if (!file) return std::unexpected(file.error());
  if (!*file) return std::unexpected("there is no file " + path);
  S3Credentials credentials;
  std::string_view rest = (*file)->view();
  int sections = 0;
  for (int line = 1; !rest.empty(); ++line) {
    const std::size_t end = rest.find('\n');
    const std::string_view text = trimmed(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    const std::string where = path + " line " + std::to_string(line) + ": ";
    if (text.empty() || text.front() == '#' || text.front() == ';') continue;
    if (text.front() == '[') {
      if (++sections > 1)
        return std::unexpected(where + "a second section; a file for each access key, please");
      continue;
    }
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) return std::unexpected(where + "no 'name = value'");
    const std::string_view name = trimmed(text.substr(0, equals));
    const std::string_view value = trimmed(text.substr(equals + 1));
    if (value.empty() || !printable(value))
      return std::unexpected(where + "the value is empty or has blanks in it");
    if (name == "aws_access_key_id") {
      credentials.access_key_id = value;
    } else if (name == "aws_secret_access_key") {
      credentials.secret_access_key = Secret(value);
    } else if (name == "aws_session_token") {
      credentials.session_token = Secret(value);
    } else {
      return std::unexpected(where +
                             "only aws_access_key_id, aws_secret_access_key and aws_session_token are known");
    }
  }
  if (credentials.access_key_id.empty()) return std::unexpected(path + ": aws_access_key_id is missing");
  if (credentials.secret_access_key.empty())
    return std::unexpected(path + ": aws_secret_access_key is missing");
  return credentials;
}

}  // namespace swarmdns::controlplane
