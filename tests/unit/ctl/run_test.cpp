#include "qimux/ctl/run.hpp"

#include "support/catch.hpp"

#include <chrono>

using namespace qimux::ctl;
using namespace std::chrono_literals;

TEST_CASE("a program's output and exit code, without a shell") {
  const auto ran = runProgram({"sh", "-c", "echo out; echo err >&2; exit 3"});
  REQUIRE(ran);
  CHECK(ran->code == 3);
  CHECK(ran->output == "out\nerr\n");
  CHECK(runProgram({"echo", "$HOME;", "`x`"})->output == "$HOME; `x`\n");
  CHECK(runProgram({"sh", "-c", "kill -9 $$"})->code == 128 + 9);
  CHECK(runProgram({"cat"})->output.empty());
}

TEST_CASE("no such program, and one that takes too long, are nothing") {
  CHECK_FALSE(runProgram({"no-such-program-anywhere"}));
  CHECK_FALSE(runProgram({}));
  const auto begin = std::chrono::steady_clock::now();
  CHECK_FALSE(runProgram({"sleep", "60"}, 50ms));
  CHECK(std::chrono::steady_clock::now() - begin < 30s);
}

TEST_CASE("of too much output the end is kept") {
  const auto ran = runProgram({"sh", "-c", "yes x | head -n 100000; echo the end"}, 20s, 1000);
  REQUIRE(ran);
  CHECK(ran->output.size() <= 1000);
  CHECK(ran->output.ends_with("the end\n"));
}
