// The control socket's place in the file system: who may reach it, what was there before, what stays after.
#pragma once

#include "qimux/base/error.hpp"
#include "qimux/base/fd.hpp"

#include <sys/types.h>

#include <string>

namespace qimux::daemon {

// A listening unix stream socket, non-blocking, that removes its file (and the directory that it made) at its
// end.
class ControlSocket {
 public:
  // Mode 0660 with `group`, or 0600 where `group` is empty; where the group does not exist or may not be
  // given, 0600 and a warning: too narrow is an annoyance, too wide a hole. The file appears with its final
  // rights and already listening, so nobody is refused at start-up. The last directory of `path` is made
  // (0755) where it is missing. A socket that nobody listens on is replaced.
  //
  // Errors: Invalid (a path too long for a socket, or something else than a socket is there), Full (another
  // daemon answers there), System.
  static Result<ControlSocket> listen(const std::string& path, const std::string& group);

  ControlSocket(ControlSocket&& other) noexcept;
  ControlSocket& operator=(ControlSocket&& other) noexcept;
  ~ControlSocket();

  int fd() const { return fd_.get(); }

 private:
  ControlSocket() = default;
  void remove();

  Fd fd_;
  std::string path_;
  std::string made_directory_;
  // Whose file it is: another daemon may have put its own there since.
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace qimux::daemon
