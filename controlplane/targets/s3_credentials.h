// The file with the key of an S3 store: that of the AWS tools, with one section at most.
//
//     [default]
//     aws_access_key_id = AKIA…
//     aws_secret_access_key = …
//     aws_session_token = …        (where there is one)
#pragma once

#include <expected>
#include <string>

#include "controlplane/targets/http_session.h"

namespace swarmdns::controlplane {

// A file that only its owner may read (see private_file.h). The error is a sentence that names file and line,
// and never what is written there.
std::expected<S3Credentials, std::string> read_s3_credentials(const std::string& path);

}  // namespace swarmdns::controlplane
