// Where the program's words go: a terminal, a pipe, or a test.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace qimux::ctl {

class Console {
 public:
  virtual ~Console() = default;

  virtual void out(std::string_view text) = 0;
  virtual void err(std::string_view text) = 0;

  // Of the output now; 0 where it is no terminal.
  virtual std::size_t width() const = 0;
  // Whether frames can be drawn one over the other.
  virtual bool canRedraw() const = 0;
  virtual bool colour() const = 0;

  // From here to leaveScreen() frames are drawn, and the terminal is given back whatever ends the program,
  // short of SIGKILL.
  virtual void enterScreen() = 0;
  virtual void draw(std::string_view frame) = 0;
  virtual void leaveScreen() = 0;
  // Readable when there is something to look at with stopAsked(); -1 outside of a screen.
  virtual int wakeFd() const = 0;
  // Whether the user wants it to end. Ctrl-Z is dealt with here: the terminal is given back for the while.
  virtual bool stopAsked() = 0;
};

// Standard output and error. Colour and redrawing only on a terminal that is not dumb, colour only without
// NO_COLOR.
std::unique_ptr<Console> openConsole();

}  // namespace qimux::ctl
