// An S3 bucket in memory, for ScriptedHttp: what S3Target asks of a store, and what stores lack.
#pragma once

#include <map>
#include <string>

#include "tests/unit/controlplane/targets/scripted_http.h"

namespace swarmdns::controlplane {

class Bucket {
 public:
  // What the store can do.
  bool conditional = true;  // else If-None-Match is 501
  bool locks = true;        // else the headers of a lock are taken and forgotten
  bool plain_etags = true;  // else they are no MD5 of the content
  std::size_t page = 3;     // objects in a page of a listing
  std::string host;         // virtual-host style: the host that the bucket is; else path style, /swarm

  struct Object {
    std::string content;
    std::string etag;
    std::string lock_mode;
    std::string locked_until;
  };
  struct Upload {
    std::string key;
    std::string begun;
    std::map<int, std::string> parts;
    Object object;
  };
  std::map<std::string, Object> objects;
  std::map<std::string, Upload> uploads;

  static constexpr const char* kKey = "AKIAWRITE";
  static constexpr const char* kSecret = "write/secret+key";
  static constexpr const char* kDeleteKey = "AKIADELETE";
  static constexpr const char* kDeleteSecret = "delete/secret+key";
  static constexpr const char* kRegion = "eu-test-1";

  // With `delete_key`, only that may remove objects.
  bool delete_key = false;

  ScriptedReply answer(const ScriptedRequest& request);

 private:
  ScriptedReply put(const ScriptedRequest& request, const std::string& key);
  ScriptedReply post(const ScriptedRequest& request, const std::string& key);
  ScriptedReply give(const ScriptedRequest& request, const std::string& key);
  ScriptedReply remove(const ScriptedRequest& request, const std::string& key);
  ScriptedReply list(const ScriptedRequest& request) const;
  ScriptedReply list_uploads(const ScriptedRequest& request) const;
  void lock(const ScriptedRequest& request, Object& object) const;

  int next_upload_ = 1;
};

ScriptedReply s3_failure(int status, const std::string& code, const std::string& message = "no message");

}  // namespace swarmdns::controlplane
