// A capture as a file: its head, then its records; written as it happens, and read whole.
//
//   qimux-capture 1
//   # anything behind a '#', and empty lines, are for people
//   daemon 0.1.0
//   started 2026-11-22T22:40:00Z
//   content stand-ins
//   clock 8349123456
//   config [serial]
//   config device = "/dev/gsm0"
//   …
//   begin
//   0.000000 start
//   …
//   81.200310 end "stopped"
//
// `content` is "stand-ins", or "everything" with personal data; `clock` the loop's clock in microseconds when
// the times of the records are 0; the `config` lines together the daemon's configuration as TOML. Where the
// daemon was killed there is no `end`, and the last line may be cut short: it is left out.
#pragma once

#include "qimux/base/fd.hpp"
#include "qimux/capture/record.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace qimux::capture {

struct Head {
  std::string daemon;   // its version
  std::string started;  // UTC, as 2026-11-22T22:40:00Z
  bool everything = false;
  std::uint64_t clock = 0;
  std::string config;  // TOML, lines
};

struct Capture {
  Head head;
  std::vector<Record> records;
  bool ended = false;  // the last record is an `end`
  // The last line had no line end and was left out.
  bool cut = false;
};

// Invalid, with the line's number and what is wrong with it. `text` is at most kMaxFile bytes long.
Result<Capture> parseCapture(std::string_view text);
Result<Capture> readCapture(const std::string& path);
inline constexpr std::size_t kMaxFile = 64 * 1024 * 1024;

// The text of an `end` that the daemon has come to by itself; any other, and none, cuts a moment short.
inline constexpr std::string_view kStopped = "stopped";

// Never harms who writes: what cannot be written ends the capture, with one warning in the log.
class Writer {
 public:
  // A file that is there is kept as `path`.1 (the one before that is not): it may tell how the daemon ended.
  // Mode 0600. At `limit` bytes the capture ends: without its beginning it could not be replayed, so nothing
  // is thrown away at that end.
  static Result<Writer> create(const std::string& path, std::uint64_t limit, const Head& head);

  Writer(Writer&&) noexcept = default;
  Writer& operator=(Writer&&) noexcept = default;

  // A whole line, or nothing of it. No effect after the end.
  void write(const Record& record, std::string_view comment = {});
  void end(async::Duration at, std::string_view why);
  bool open() const { return fd_.valid(); }
  std::uint64_t size() const { return size_; }

 private:
  Writer(Fd fd, std::string path, std::uint64_t limit)
      : fd_(std::move(fd)), path_(std::move(path)), limit_(limit) {}
  bool put(std::string_view text);
  void stop(std::string_view why);

  Fd fd_;
  std::string path_;
  std::uint64_t limit_;
  std::uint64_t size_ = 0;
};

}  // namespace qimux::capture
