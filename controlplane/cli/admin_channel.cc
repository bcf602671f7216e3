#include "controlplane/cli/admin_channel.h"

#include <grpcpp/create_channel_posix.h>
#include <unistd.h>

#include "proto/rpc/library.h"

namespace swarmdns::controlplane {

AdminChannel::AdminChannel(const std::string& path, int fd) : path_(path) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(64 << 20);
  arguments.SetMaxSendMessageSize(64 << 20);
  rpc::keep_library();
  channel_ = grpc::CreateCustomInsecureChannelFromFd("admin", fd, arguments);
}

Refusal AdminChannel::refusal_of(const grpc::Status& status) const {
  const bool own = status.error_details() == kOwnAnswer;
  switch (status.error_code()) {
    case grpc::StatusCode::INVALID_ARGUMENT:
      return {Refusal::Kind::kInvalid, status.error_message()};
    case grpc::StatusCode::NOT_FOUND:
      return {Refusal::Kind::kNotFound, status.error_message()};
    case grpc::StatusCode::FAILED_PRECONDITION:
      return {Refusal::Kind::kPrecondition, status.error_message()};
    case grpc::StatusCode::PERMISSION_DENIED:
      return {Refusal::Kind::kForbidden, status.error_message()};
    case grpc::StatusCode::UNIMPLEMENTED:
      return {Refusal::Kind::kUnsupported,
              own ? status.error_message()
                  : "the control plane that runs does not know this command; it is older than this swarmctl: "
                    "restart "
                    "it with systemctl restart swarmdns-controlplane (answers go on meanwhile)"};
    case grpc::StatusCode::UNAVAILABLE:
      if (own) return {Refusal::Kind::kUnavailable, status.error_message()};
      // The server closes the connection of a user it does not know without a word.
      if (!answered_ && geteuid() != 0) {
        return {Refusal::Kind::kForbidden, "the control plane turned this user away on " + path_ +
                                               "; use sudo, or have root add the user to node.admin_users"};
      }
      return {Refusal::Kind::kUnreachable,
              "the control plane went away during the call (" + path_ +
                  "); whether it was carried out is not known: look at swarmctl status"};
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return {Refusal::Kind::kUnreachable, "the control plane did not answer in time on " + path_};
    default:
      return {Refusal::Kind::kFailed, status.error_message()};
  }
}

}  // namespace swarmdns::controlplane
