// One call on one target: target-tool SETTINGS COMMAND ARGUMENTS...
//   put NAME [replace|lock UNIX_MS]   octets from standard input
//   get NAME OFFSET BYTES             octets to standard output
//   head NAME | list PREFIX           lines of: name, bytes, modified (Unix ms)
//   remove NAME
//   sweep AGE_MS                      how much went
// SETTINGS: a file with a BackupTargetConfig in Protobuf's JSON. SIGTERM cancels. A failure's kind is the
// first word on standard error, and the exit status is 1; 2: the command or the settings are wrong.
#include <google/protobuf/util/json_util.h>
#include <signal.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <thread>

#include "controlplane/targets/open_target.h"

namespace swarmdns::controlplane {
namespace {

int refuse(const std::string& what) {
  std::cerr << what << "\n";
  return 2;
}

const char* word_of(TargetError::Kind kind) {
  switch (kind) {
    case TargetError::Kind::kNotFound:
      return "not-found";
    case TargetError::Kind::kExists:
      return "exists";
    case TargetError::Kind::kRefused:
      return "refused";
    case TargetError::Kind::kFull:
      return "full";
    case TargetError::Kind::kUnavailable:
      return "unavailable";
    case TargetError::Kind::kBroken:
      return "broken";
    case TargetError::Kind::kInvalid:
      return "invalid";
    case TargetError::Kind::kUnsupported:
      return "unsupported";
    case TargetError::Kind::kCancelled:
      return "cancelled";
  }
  return "unknown";
}

template <typename T>
int told(const TargetResult<T>& result) {
  if (result) return 0;
  std::cerr << word_of(result.error().kind) << " " << result.error().what << "\n";
  return 1;
}

void print(const ObjectInfo& info) {
  std::cout << info.name << " " << info.bytes << " " << info.modified_ms << "\n";
}

int run(Target& target, const std::vector<std::string>& words) {
  const std::string& command = words[0];
  const auto word = [&](std::size_t i) { return i < words.size() ? words[i] : ""; };
  if (command == "put") {
    const std::string text(std::istreambuf_iterator<char>(std::cin), {});
    PutOptions options{.replace = word(2) == "replace"};
    if (word(2) == "lock") options.locked_until_ms = std::stoll(word(3));
    return told(target.put(word(1), std::as_bytes(std::span(text)), options));
  }
  if (command == "get") {
    const auto octets = target.get(word(1), std::stoull(word(2)), std::stoull(word(3)));
    if (octets)
      std::cout.write(reinterpret_cast<const char*>(octets->data()),
                      static_cast<std::streamsize>(octets->size()));
    return told(octets);
  }
  if (command == "head") {
    const auto info = target.head(word(1));
    if (info) print(*info);
    return told(info);
  }
  if (command == "list") {
    return told(target.list(word(1), [](const ObjectInfo& info) {
      print(info);
      return true;
    }));
  }
  if (command == "remove") return told(target.remove(word(1)));
  if (command == "sweep") {
    const auto gone = target.sweep(std::stoll(word(1)));
    if (gone) std::cout << *gone << "\n";
    return told(gone);
  }
  return refuse("unknown command " + command);
}

int main_of(int argc, char** argv) {
  if (argc < 3) return refuse("target-tool SETTINGS COMMAND ARGUMENTS...");
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::stop_source stop;
  std::thread([set, stop]() mutable {
    int number = 0;
    sigwait(&set, &number);
    stop.request_stop();
  }).detach();

  std::ifstream file(argv[1]);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  v1::BackupTargetConfig config;
  if (const auto parsed = google::protobuf::util::JsonStringToMessage(text, &config); !parsed.ok()) {
    return refuse(parsed.ToString());
  }
  const auto settings = target_settings(config);
  if (!settings) return refuse(settings.error());
  const auto target = open_target(*settings, stop.get_token());
  if (!target) return refuse(target.error());
  return run(**target, {argv + 2, argv + argc});
}

}  // namespace
}  // namespace swarmdns::controlplane

int main(int argc, char** argv) {
  return swarmdns::controlplane::main_of(argc, argv);
}
