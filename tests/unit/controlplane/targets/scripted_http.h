// An HTTP server on loopback that answers what a test's handler says, and breaks where it says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace swarmdns::controlplane {

struct ScriptedRequest {
  std::string method;
  std::string path;                            // as it came
  std::string query;                           // as it came
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;

  std::string header(const std::string& name) const;
  bool has(const std::string& query_part) const {
    return ("&" + query + "&").find("&" + query_part) != std::string::npos;
  }
  // A value of the query, decoded.
  std::string value(const std::string& name) const;
};

struct ScriptedReply {
  int status = 200;
  std::map<std::string, std::string> headers;
  std::string body;
  std::size_t cut_at = SIZE_MAX;  // so many octets of the body are sent, and the connection is closed
  bool drop = false;              // the connection is closed without an answer
  bool hold = false;              // no answer, until the client goes away
  bool hold_after_cut = false;    // after cut_at the connection stays open, and nothing comes
};

class ScriptedHttp {
 public:
  using Handler = std::function<ScriptedReply(const ScriptedRequest&)>;

  explicit ScriptedHttp(Handler handler);  // called by one thread at a time
  ~ScriptedHttp();
  ScriptedHttp(const ScriptedHttp&) = delete;
  ScriptedHttp& operator=(const ScriptedHttp&) = delete;

  std::string url(const std::string& host = "127.0.0.1") const {
    return "http://" + host + ":" + std::to_string(port_);
  }
  std::vector<ScriptedRequest> requests() const;

 private:
  void accept_all();
  void serve(int fd);
  bool answer(int fd, const ScriptedRequest& request);

  const Handler handler_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::vector<ScriptedRequest> requests_;
  std::vector<int> connections_;
  std::vector<std::thread> threads_;
  bool stopping_ = false;
  std::thread acceptor_;
};

// Computes the request's SigV4 anew. Empty: it is right; else what is wrong.
std::string signature_problem(const ScriptedRequest& request, const std::string& access_key_id,
                              const std::string& secret_access_key, const std::string& region);

}  // namespace swarmdns::controlplane
