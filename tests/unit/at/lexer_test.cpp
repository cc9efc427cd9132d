#include "qimux/at/lexer.hpp"

#include "support/catch.hpp"

#include <string>
#include <vector>

using namespace qimux;
using at::Lexer;
using at::Token;
using namespace std::string_literals;

namespace {

// "line:OK", "overlong:512", "prompt", "block:abc"
std::string describe(const Token& token) {
  switch (token.kind) {
    case Token::Kind::Line:
      return "line:" + std::string(token.text());
    case Token::Kind::Overlong:
      return "overlong:" + std::to_string(token.bytes.size());
    case Token::Kind::Prompt:
      return "prompt";
    case Token::Kind::Block:
      return "block:" + std::string(token.text());
    case Token::Kind::Torn:
      return "torn";
  }
  return "?";
}

struct Reader {
  Lexer lexer;
  std::vector<std::string> tokens;
  // A line that begins with it announces a block of so many bytes.
  std::string header = "+QIRD: ";

  void take() {
    while (const auto token = lexer.next()) {
      tokens.push_back(describe(*token));
      const auto text = token->text();
      if (token->kind == Token::Kind::Line && text.starts_with(header))
        lexer.expectBlock(std::stoul(std::string(text.substr(text.rfind(',') + 1))));
    }
  }
  void feed(std::string_view text) {
    lexer.feed(bytesOf(text));
    take();
  }
  void feedInChunks(std::string_view text, std::size_t size) {
    for (; !text.empty(); text.remove_prefix(std::min(size, text.size()))) feed(text.substr(0, size));
  }
};

using Tokens = std::vector<std::string>;

}  // namespace

TEST_CASE("lines end with LF; CRs around them and empty lines are dropped") {
  Reader reader;
  reader.feed("\r\nOK\r\n\r\n+CSQ: 17,0\r\n\r\n\nRDY\n");
  CHECK(reader.tokens == Tokens{"line:OK", "line:+CSQ: 17,0", "line:RDY"});
}

TEST_CASE("an echo with CR CR LF behind it is one line") {
  // As an M95 echoes: the command, its own CR, and the CR LF of the answer.
  Reader reader;
  reader.feed("AT+GSN\r\r\n\r\n861234567890123\r\n\r\nOK\r\n");
  CHECK(reader.tokens == Tokens{"line:AT+GSN", "line:861234567890123", "line:OK"});
}

TEST_CASE("a half line waits for its end") {
  Reader reader;
  reader.feed("\r\n0, CONN");
  CHECK(reader.tokens.empty());
  reader.feed("ECT OK\r");
  CHECK(reader.tokens.empty());
  reader.feed("\n");
  CHECK(reader.tokens == Tokens{"line:0, CONNECT OK"});
}

TEST_CASE("a prompt has no line end, and is one only while it is expected") {
  Reader reader;
  reader.feed("\r\n> ");
  CHECK(reader.tokens.empty());
  reader.lexer.reset();
  reader.lexer.expectPrompt(true);
  reader.feed("\r\n> ");
  CHECK(reader.tokens == Tokens{"prompt"});
}

TEST_CASE("a prompt is expected once") {
  Reader reader;
  reader.lexer.expectPrompt(true);
  reader.feed("\r\n> \r\n> again\r\n");
  CHECK(reader.tokens == Tokens{"prompt", "line:> again"});
}

TEST_CASE("a prompt is seen before its blank has come, and without one") {
  Reader reader;
  reader.lexer.expectPrompt(true);
  reader.feed("\r\n>");
  CHECK(reader.tokens == Tokens{"prompt"});
  reader.feed(" ");
  reader.feed("\r\nSEND OK\r\n");
  CHECK(reader.tokens == Tokens{"prompt", "line:SEND OK"});

  Reader bare;
  bare.lexer.expectPrompt(true);
  bare.feed(">\r\nSEND OK\r\n");
  CHECK(bare.tokens == Tokens{"prompt", "line:SEND OK"});
}

TEST_CASE("a '>' in the middle of a line is no prompt") {
  Reader reader;
  reader.lexer.expectPrompt(true);
  reader.feed("\r\na > b\r\n");
  CHECK(reader.tokens == Tokens{"line:a > b"});
}

TEST_CASE("a line before the prompt does not take it away") {
  Reader reader;
  reader.lexer.expectPrompt(true);
  reader.feed("\r\n+QIRDI: 0,1,0\r\n\r\n> ");
  CHECK(reader.tokens == Tokens{"line:+QIRDI: 0,1,0", "prompt"});
}

TEST_CASE("a block is so many bytes, whatever they are") {
  const std::string payload = "\r\nOK\r\n+QIRDI: 0,1,0\r\n0, CLOSED\r\n> \0\xff\r\nERROR\r\n"s;
  Reader reader;
  reader.lexer.expectPrompt(true);
  reader.feed("\r\n+QIRD: 10.0.0.1:80,TCP," + std::to_string(payload.size()) + "\r\n" + payload +
              "\r\nOK\r\n");
  CHECK(reader.tokens == Tokens{"line:+QIRD: 10.0.0.1:80,TCP," + std::to_string(payload.size()),
                                "block:" + payload, "line:OK"});
}

TEST_CASE("a block may be empty, and one may follow the other") {
  Reader reader;
  reader.feed("+QIRD: 1,TCP,0\r\n\r\n+QIRD: 1,TCP,3\r\nabc\r\n+QIRD: 1,TCP,1\r\n\n\r\nOK\r\n");
  CHECK(reader.tokens == Tokens{"line:+QIRD: 1,TCP,0", "block:", "line:+QIRD: 1,TCP,3", "block:abc",
                                "line:+QIRD: 1,TCP,1", "block:\n", "line:OK"});
}

TEST_CASE("what follows a block begins as a line does, or the block is torn") {
  const auto behind = [](const std::string& text, std::size_t chunk) {
    Reader reader;
    reader.feedInChunks("\r\n+QIRD: 1,TCP,3\r\nabc" + text, chunk);
    return reader.tokens;
  };
  const Tokens block{"line:+QIRD: 1,TCP,3", "block:abc"};
  for (const std::size_t chunk : {1u, 2u, 3u, 100u}) {
    const auto with = [&block](Tokens more) {
      Tokens all = block;
      all.insert(all.end(), more.begin(), more.end());
      return all;
    };
    CHECK(behind("", chunk) == block);
    CHECK(behind("\r\n", chunk) == block);
    CHECK(behind("\r\nOK\r\n", chunk) == with({"line:OK"}));
    CHECK(behind("\r\n+QIRDI: 0,1,0\r\n", chunk) == with({"line:+QIRDI: 0,1,0"}));
    CHECK(behind("\nOK\r\n", chunk) == with({"torn", "line:OK"}));
    CHECK(behind("OK\r\n", chunk) == with({"torn", "line:OK"}));
    CHECK(behind("\rOK\r\n", chunk) == with({"torn", "line:OK"}));
    CHECK(behind("\r\n\r\nOK\r\n", chunk) == with({"torn", "line:OK"}));
    CHECK(behind("x\r\nOK\r\n", chunk) == with({"torn", "line:x", "line:OK"}));
  }
}

TEST_CASE("any chunking gives the same tokens") {
  const std::string stream =
      "\xff\x00garbage\r\nAT+QIRD=0,1,0,1500\r\r\n\r\n+QIRD: 10.0.0.1:80,TCP,13\r\n\r\nOK\r\n> "
      "\r\n\r\n\n\r\nOK\r\n"
      "\r\n> \r\nSEND OK\r\n\r\n+QIRDI: 0,1,0\r\n"s +
      std::string(700, 'x') + "\r\n\r\n3, CLOSED\r\n";
  Reader whole;
  whole.lexer.expectPrompt(true);
  whole.feed(stream);
  REQUIRE(whole.tokens.size() == 10);
  CHECK(whole.tokens.back() == "line:3, CLOSED");
  for (std::size_t size = 1; size < 40; ++size) {
    Reader pieces;
    pieces.lexer.expectPrompt(true);
    pieces.feedInChunks(stream, size);
    CHECK(pieces.tokens == whole.tokens);
  }
}

TEST_CASE("an overlong line is told once, cut, and its rest is dropped") {
  Reader reader;
  reader.feed(std::string(Lexer::kMaxLine + 1, 'a'));
  CHECK(reader.tokens == Tokens{"overlong:512"});
  reader.feed(std::string(100'000, 'b'));
  reader.feed("\r\nOK\r\n");
  CHECK(reader.tokens == Tokens{"overlong:512", "line:OK"});
}

TEST_CASE("a line of just the longest length is a line") {
  const std::string longest(Lexer::kMaxLine, 'a');
  Reader reader;
  reader.feed(longest + "\n" + longest + "b\n");
  CHECK(reader.tokens == Tokens{"line:" + longest, "overlong:512"});
}

TEST_CASE("whether a line is too long does not depend on where it was cut") {
  for (const std::string& end : {std::string("\n"), std::string("\r\n"), std::string("\r\r\n")}) {
    const std::string stream =
        std::string(Lexer::kMaxLine - 1, 'a') + end + std::string(Lexer::kMaxLine, 'b') + end;
    Reader whole;
    whole.feed(stream);
    for (const std::size_t size : {1u, 511u, 512u, 513u, 514u}) {
      Reader pieces;
      pieces.feedInChunks(stream, size);
      CHECK(pieces.tokens == whole.tokens);
    }
  }
}

TEST_CASE("the end of an overlong line may come in the same chunk as the next prompt") {
  Reader reader;
  reader.feed(std::string(600, 'a'));
  reader.lexer.expectPrompt(true);
  reader.feed("still > the old line\r\n> ");
  CHECK(reader.tokens == Tokens{"overlong:512", "prompt"});
}

TEST_CASE("a reset forgets half a line, a prompt and a block") {
  Reader reader;
  reader.lexer.expectPrompt(true);
  reader.feed("+QIRD: 1,TCP,100\r\nabc");
  reader.lexer.reset();
  reader.feed("> OK\r\n");
  CHECK(reader.tokens == Tokens{"line:+QIRD: 1,TCP,100", "line:> OK"});
}

TEST_CASE("an unexpected prompt is taken back by the lines that follow") {
  Reader reader;
  reader.lexer.expectPrompt(true);
  reader.lexer.expectPrompt(false);
  reader.feed("\r\n> \r\nOK\r\n");
  CHECK(reader.tokens == Tokens{"line:> ", "line:OK"});
}

TEST_CASE("the lexer knows how much of a block is still to come") {
  Lexer lexer;
  CHECK(lexer.missing() == 0);
  lexer.feed(bytesOf("+QIRD: 10.0.0.1:80,TCP,10\r\nabc"));
  REQUIRE(lexer.next());
  CHECK(lexer.missing() == 0);
  lexer.expectBlock(10);
  CHECK(lexer.missing() == 7);
  lexer.feed(bytesOf("defghij\r\n"));
  CHECK(lexer.missing() == 0);
  REQUIRE(lexer.next());
  CHECK(lexer.missing() == 0);
}
