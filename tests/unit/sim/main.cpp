// The tests of this room, with somebody who takes down what they show.
//
// Where the environment names a file in QIMUX_SHOWN, it gets the commands, the points, the quirks, and each
// test case that has passed with its tags and the quirks of its modules, fields divided by tabs: what
// tests/sim-table makes the table of. A test case that says by a tag that it shows a command, and has no good
// answer to it, fails the run.
#define CATCH_CONFIG_RUNNER
#include "points.hpp"
#include "qimux/sim/catalogue.hpp"
#include "qimux/sim/quirk.hpp"
#include "shown.hpp"
#include "support/catch.hpp"

#if __has_include(<catch2/catch_all.hpp>)
#define QIMUX_CATCH3 1
#endif

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

using namespace qimux::sim;
using namespace qimux::sim::test;

namespace {

#ifdef QIMUX_CATCH3
using ListenerBase = Catch::EventListenerBase;
std::string text(const Catch::Tag& tag) {
  return std::string(tag.original.data(), tag.original.size());
}
#else
using ListenerBase = Catch::TestEventListenerBase;
const std::string& text(const std::string& tag) {
  return tag;
}
#endif

// Test cases that claim what they do not show.
int lies = 0;

class Book {
 public:
  Book() {
    const char* path = std::getenv("QIMUX_SHOWN");
    if (path != nullptr && *path != '\0') file_.reset(std::fopen(path, "we"));
    for (const auto& one : catalogue()) write({"command", one.name, one.what, one.source});
    for (const auto& one : points())
      write({"point", std::to_string(one.number), one.what, one.how, one.seen});
    for (const auto& one : quirks()) write({"quirk", one.name});
  }

  void passed(std::string_view name, const std::vector<std::string>& tags) {
    write({"test", name, joined(tags), joined(Shown::instance().quirks())});
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  static std::string joined(const auto& words) {
    std::string all;
    for (const auto& word : words) all += (all.empty() ? "" : " ") + word;
    return all;
  }

  void write(const std::vector<std::string_view>& fields) {
    if (!file_) return;
    std::string line;
    for (const auto field : fields) {
      if (!line.empty()) line += '\t';
      line += field;
    }
    std::fprintf(file_.get(), "%s\n", line.c_str());
  }

  std::unique_ptr<std::FILE, Close> file_;
};

class Clerk final : public ListenerBase {
 public:
  using ListenerBase::ListenerBase;

  void testCaseStarting(const Catch::TestCaseInfo& info) override {
    ListenerBase::testCaseStarting(info);
    Shown::instance().forget();
  }

  // A section with claims of its own is told by its own name.
  void sectionEnded(const Catch::SectionStats& stats) override {
    ListenerBase::sectionEnded(stats);
    const std::vector<std::string> claims = Shown::instance().takeClaims();
    if (claims.empty() || !stats.assertions.allPassed()) return;
    if (isTrue(stats.sectionInfo.name, claims)) book_.passed(stats.sectionInfo.name, claims);
    Shown::instance().forget();
  }

  void testCaseEnded(const Catch::TestCaseStats& stats) override {
    ListenerBase::testCaseEnded(stats);
    std::vector<std::string> tags;
#ifdef QIMUX_CATCH3
    for (const auto& tag : stats.testInfo->tags) tags.push_back(text(tag));
    const std::string& name = stats.testInfo->name;
#else
    for (const auto& tag : stats.testInfo.tags) tags.push_back(text(tag));
    const std::string& name = stats.testInfo.name;
#endif
    if (tags.empty() || !stats.totals.assertions.allPassed()) return;
    if (isTrue(name, tags)) book_.passed(name, tags);
  }

 private:
  static bool isTrue(const std::string& name, const std::vector<std::string>& tags) {
    bool holds = true;
    for (const auto& tag : tags) {
      const std::string command = commandOfTag(tag);
      if (command.empty() || Shown::instance().wasAnswered(command)) continue;
      holds = false;
      ++lies;
      std::fprintf(stderr, "\"%s\" is tagged %s, and no module has answered that well in it\n", name.c_str(),
                   tag.c_str());
    }
    return holds;
  }

  Book book_;
};

CATCH_REGISTER_LISTENER(Clerk)

}  // namespace

int main(int argc, char** argv) {
  const int failed = Catch::Session().run(argc, argv);
  return failed != 0 ? failed : lies == 0 ? 0 : 1;
}
