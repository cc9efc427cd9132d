// A dialogue in a file, as it stands in the application note, played against a module.
//
//   # Application note 3.3: a connection        the first comment is its title
//   $ serve tcp 124.79.167.121:7007             what is there and what happens at the far end, see below
//   > AT+QISEND=0                               typed key by key, with a CR at the end
//   < >                                         the prompt
//   >| Welcome to use module.<Ctrl+Z>           typed at once, and no line end
//   <| Welcome to use module.                   bytes from the module without a line around them
//   < SEND OK                                   a line from the module, between CR LF and CR LF
//
// What is typed into the command line is expected back where the echo is on. All that the module says has to
// stand there, byte for byte, before the next thing is typed, and nothing else.
//
// In what is typed and expected <Ctrl+Z>, <ESC>, <CR>, <LF> and <8 blanks> are those bytes. Directives:
//   $ quirk NAME             before the dialogue begins
//   $ shows TAG              a tag for the table, as point-2
//   $ serve tcp|udp A:P      a far end that takes what comes
//   $ host NAME A...         a name has these addresses
//   $ address A [B]          what AT+QILOCIP gives in each context, before the dialogue begins
//   $ comes tcp|udp A to P   a far end comes to a port of the module
//   $ at A                   from now on the far end with this address is meant, not the one that came last
//   $ takes N                the far end acknowledges so many bytes more and then no more
//   $ sends TEXT             it sends
//   $ closes                 it closes
//   $ received TEXT          it must have received just this since the last time
//   $ fault LINE             as --control takes them
//   $ wait SECONDS           and whatever is said in that time stands behind it
#pragma once

#include <string>
#include <vector>

namespace qimux::sim::test {

struct DialogueLine {
  enum class Kind { Directive, Command, Typed, Line, Bytes };
  Kind kind;
  std::string text;
  int number;
};

struct Dialogue {
  std::string title;
  std::vector<DialogueLine> lines;

  // Tags of the commands in it, and of what it says it shows.
  std::vector<std::string> tags() const;
};

// Throws std::runtime_error with the file and the line where it is not in that form.
Dialogue readDialogue(const std::string& path);
// Ends the test case where the module says anything else.
void play(const Dialogue& dialogue);

}  // namespace qimux::sim::test
