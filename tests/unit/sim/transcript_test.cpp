// The application note's own dialogues, typed as a person types and answered to the letter by --firmware
// note.
#include "dialogue.hpp"
#include "shown.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

using namespace qimux::sim::test;

namespace {

std::vector<std::string> filesIn(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    files.push_back(entry.path().string());
  std::ranges::sort(files);
  return files;
}

}  // namespace

TEST_CASE("the dialogues of the application note, to the letter") {
  const auto files = filesIn(QIMUX_SOURCE_DIR "/tests/transcripts/note");
  REQUIRE(files.size() > 10);
  for (const auto& file : files) {
    const Dialogue dialogue = readDialogue(file);
    DYNAMIC_SECTION(dialogue.title) {
      INFO(file);
      play(dialogue);
      Shown::instance().claim(dialogue.tags());
    }
  }
}
