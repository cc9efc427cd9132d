#include "qimux/capture/file.hpp"

#include "support/catch.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

using namespace qimux;
using namespace qimux::capture;

namespace {

const std::string kHead = "qimux-capture 1\nclock 5\nbegin\n";

std::string why(const std::string& text) {
  const auto capture = parseCapture(text);
  return capture ? "it is fine" : capture.error().what + ": " + capture.error().reply;
}

struct Directory {
  Directory() {
    char name[] = "/tmp/qimux-capture-XXXXXX";
    path = ::mkdtemp(name);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() { std::filesystem::remove_all(path); }
  std::string file(const std::string& name) const { return path + "/" + name; }
  std::string path;
};

std::string contentOf(const std::string& path) {
  std::ifstream file(path);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

Record ready(int milliseconds) {
  Record record;
  record.kind = Kind::Ready;
  record.at = std::chrono::milliseconds(milliseconds);
  return record;
}

Head head() {
  Head made;
  made.daemon = "0.1.0";
  made.started = "2026-11-22T22:40:00Z";
  made.clock = 8349123456;
  made.config = "[serial]\n\ndevice = \"/dev/gsm0\"\n";
  return made;
}

constexpr std::uint64_t kNoLimit = 1 << 20;

}  // namespace

TEST_CASE("what is written is read again") {
  const Directory directory;
  const auto path = directory.file("a");
  auto writer = Writer::create(path, kNoLimit, head());
  REQUIRE(writer);
  writer->write(ready(1), "comment");
  writer->write(ready(2));
  writer->end(std::chrono::milliseconds(3), "stopped");
  writer->write(ready(4));
  const auto capture = readCapture(path);
  REQUIRE(capture);
  CHECK(capture->head.daemon == "0.1.0");
  CHECK(capture->head.started == "2026-11-22T22:40:00Z");
  CHECK(capture->head.clock == 8349123456);
  CHECK(capture->head.config == "[serial]\ndevice = \"/dev/gsm0\"\n");
  CHECK_FALSE(capture->head.everything);
  REQUIRE(capture->records.size() == 3);
  CHECK(capture->records[1].at == std::chrono::milliseconds(2));
  CHECK(capture->records[2].text == "stopped");
  CHECK(capture->ended);
  CHECK_FALSE(capture->cut);
}

TEST_CASE("a capture is for its owner's eyes, and keeps the one before it") {
  const Directory directory;
  const auto path = directory.file("a");
  for (int run = 1; run <= 3; ++run) {
    auto writer = Writer::create(path, kNoLimit, head());
    REQUIRE(writer);
    writer->write(ready(run));
  }
  struct stat status{};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(contentOf(path).ends_with("\n0.003000 ready\n"));
  CHECK(contentOf(path + ".1").ends_with("\n0.002000 ready\n"));
  CHECK_FALSE(std::filesystem::exists(path + ".2"));
}

TEST_CASE("a capture ends at its limit, and says so") {
  const Directory directory;
  const auto path = directory.file("a");
  constexpr std::uint64_t kLimit = 4096;
  auto writer = Writer::create(path, kLimit, head());
  REQUIRE(writer);
  for (int i = 0; i < 1000; ++i) writer->write(ready(i));
  CHECK_FALSE(writer->open());
  CHECK(std::filesystem::file_size(path) <= kLimit);
  CHECK(std::filesystem::file_size(path) > kLimit - 512);
  const auto capture = readCapture(path);
  REQUIRE(capture);
  CHECK(capture->ended);
  CHECK(capture->records.back().text == "limit");
}

TEST_CASE("a file that cannot be made is an error, and nothing else") {
  const Directory directory;
  CHECK_FALSE(Writer::create(directory.file("no/such/directory"), kNoLimit, head()));
  CHECK_FALSE(Writer::create("/dev/full", kNoLimit, head()));
}

TEST_CASE("where the disk is full the capture ends behind its last whole record") {
  const Directory directory;
  const auto path = directory.file("a");
  auto writer = Writer::create(path, kNoLimit, head());
  REQUIRE(writer);
  writer->write(ready(1));
  // What a file may grow to stands for the disk: the next record fits only in part.
  const auto before = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old{};
  ::getrlimit(RLIMIT_FSIZE, &old);
  const rlimit small{static_cast<rlim_t>(writer->size() + 5), old.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  writer->write(ready(2));
  writer->write(ready(3));
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, before);
  CHECK_FALSE(writer->open());
  CHECK(contentOf(path).ends_with("\n0.001000 ready\n"));
  CHECK(readCapture(path));
}

TEST_CASE("a daemon that was killed leaves all whole lines") {
  const auto capture = parseCapture(kHead + "0.000001 ready\n0.000002 port< \"abc");
  REQUIRE(capture);
  CHECK(capture->cut);
  CHECK_FALSE(capture->ended);
  CHECK(capture->records.size() == 1);
}

TEST_CASE("a file that is no capture is refused with the line and what is wrong with it") {
  CHECK(why("") == "line 1: this is no capture: it does not begin with \"qimux-capture 1\"");
  CHECK(why("qimux-capture 2\n") == "line 1: this is no capture: it does not begin with \"qimux-capture 1\"");
  CHECK(why("qimux-capture 1\n") == "line 1: the head ends without a line that says begin");
  CHECK(why("qimux-capture 1\nbegin\n") == "line 2: there was no clock before the records");
  CHECK(why("qimux-capture 1\nclock x\nbegin\n") == "line 2: clock needs a number of microseconds");
  CHECK(why("qimux-capture 1\nclock 9999999999999999999\nbegin\n") ==
        "line 2: clock needs a number of microseconds");
  CHECK(why("qimux-capture 1\ncontent much\n") == "line 2: content is everything or stand-ins");
  CHECK(why("qimux-capture 1\nweather fine\n") ==
        "line 2: \"weather\" is nothing that the head of a capture says");
  CHECK(why(kHead) == "it is fine");
  CHECK(why(kHead + "# a word\n\n0.000001 ready\n0.000002 rady\n") ==
        "line 7: \"rady\" is no kind of record");
  CHECK(why(kHead + "0.000002 ready\n0.000001 ready\n") ==
        "line 5: its time is before that of the record before it");
  CHECK(why(kHead + "0.000002 end \"stopped\"\n0.000003 ready\n") == "line 5: nothing may follow an end");
}
