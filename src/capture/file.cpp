#include "qimux/capture/file.hpp"

#include "qimux/base/log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <optional>

namespace qimux::capture {
namespace {

constexpr std::string_view kMagic = "qimux-capture 1";
// The last record has room behind the limit.
constexpr std::uint64_t kRoomForEnd = 256;

constexpr std::string_view kLegend =
    "# Times are seconds since the start. Moments: start, stop, ready and timer (the loop's own), port< "
    "(from the\n"
    "# module), outer< and inner< (packets), accept, stream-changed, ask-*. Their answers: port-opened, "
    "-missing,\n"
    "# -refused, gone, stream-readable, -input, -writable, -drained, stream<. What the daemon put out: "
    "port>,\n"
    "# port-line, port-closed, outer>, inner>, stream>, stream-end, -reset, -closed, link.\n"
    "# port< says how many bytes came, and shows the lines that are whole by them.\n"
    "# \"text\", hexadecimal, <n> for n filler bytes; behind # what only people read. qimux-replay runs "
    "it.\n";

std::string printHead(const Head& head) {
  std::string out =
      fmt::format("{}\n{}daemon {}\nstarted {}\ncontent {}\nclock {}\n", kMagic, kLegend, head.daemon,
                  head.started, head.everything ? "everything" : "stand-ins", head.clock);
  std::string_view rest = head.config;
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (!line.empty()) out += fmt::format("config {}\n", line);
  }
  return out + "begin\n";
}

std::unexpected<Error> wrong(unsigned line, std::string_view why) {
  return std::unexpected(Error{ErrorKind::Invalid, fmt::format("line {}", line), std::string(why)});
}

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  Result<Capture> run() {
    if (const auto head = parseHead(); !head) return std::unexpected(head.error());
    while (const auto line = nextLine()) {
      if (ignorable(*line)) continue;
      if (capture_.ended) return wrong(number_, "nothing may follow an end");
      auto record = parseRecord(*line, number_);
      if (!record) return wrong(number_, record.error().reply);
      if (!capture_.records.empty() && record->at < capture_.records.back().at) {
        return wrong(number_, "its time is before that of the record before it");
      }
      capture_.ended = record->kind == Kind::End;
      capture_.records.push_back(std::move(*record));
    }
    return std::move(capture_);
  }

 private:
  static bool ignorable(std::string_view line) { return line.empty() || line.front() == '#'; }

  std::optional<std::string_view> nextLine() {
    if (rest_.empty()) return std::nullopt;
    const auto end = rest_.find('\n');
    if (end == std::string_view::npos) {
      capture_.cut = true;
      rest_ = {};
      return std::nullopt;
    }
    ++number_;
    const auto line = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return line;
  }

  Result<void> parseHead() {
    const auto first = nextLine();
    if (!first || *first != kMagic) {
      return wrong(1, fmt::format("this is no capture: it does not begin with \"{}\"", kMagic));
    }
    bool clock = false;
    while (const auto line = nextLine()) {
      if (ignorable(*line)) continue;
      if (*line == "begin")
        return clock ? Result<void>() : wrong(number_, "there was no clock before the records");
      const auto blank = line->find(' ');
      const auto key = line->substr(0, blank);
      const auto value = blank == std::string_view::npos ? std::string_view() : line->substr(blank + 1);
      clock = clock || key == "clock";
      if (const auto done = headLine(key, value); !done) return done;
    }
    return wrong(number_, "the head ends without a line that says begin");
  }

  Result<void> headLine(std::string_view key, std::string_view value) {
    if (key == "daemon") {
      capture_.head.daemon = value;
    } else if (key == "started") {
      capture_.head.started = value;
    } else if (key == "content") {
      if (value != "everything" && value != "stand-ins")
        return wrong(number_, "content is everything or stand-ins");
      capture_.head.everything = value == "everything";
    } else if (key == "clock") {
      // Half of what the type holds, so that no time behind it overflows.
      constexpr std::uint64_t kLatest = 1ULL << 62;
      const auto [end, error] =
          std::from_chars(value.data(), value.data() + value.size(), capture_.head.clock);
      if (error != std::errc() || end != value.data() + value.size() || capture_.head.clock > kLatest) {
        return wrong(number_, "clock needs a number of microseconds");
      }
    } else if (key == "config") {
      capture_.head.config += value;
      capture_.head.config += '\n';
    } else {
      return wrong(number_, fmt::format("\"{}\" is nothing that the head of a capture says",
                                        printable(key.substr(0, 40))));
    }
    return {};
  }

  std::string_view rest_;
  unsigned number_ = 0;
  Capture capture_;
};

}  // namespace

Result<Capture> parseCapture(std::string_view text) {
  if (text.size() > kMaxFile) return wrong(1, "the file is too large");
  return Parser(text).run();
}

Result<Capture> readCapture(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return std::unexpected(systemError(path, errno));
  std::string text;
  std::string chunk(256 * 1024, '\0');
  for (;;) {
    const ssize_t count = ::read(fd.get(), chunk.data(), chunk.size());
    if (count < 0) return std::unexpected(systemError(path, errno));
    if (count == 0) break;
    text.append(chunk, 0, static_cast<std::size_t>(count));
    if (text.size() > kMaxFile) return std::unexpected(Error{ErrorKind::Invalid, path, "is too large"});
  }
  auto capture = parseCapture(text);
  if (!capture) {
    return std::unexpected(
        Error{ErrorKind::Invalid, path + ": " + capture.error().what, capture.error().reply});
  }
  return capture;
}

Result<Writer> Writer::create(const std::string& path, std::uint64_t limit, const Head& head) {
  struct stat there{};
  if (::stat(path.c_str(), &there) == 0 && S_ISREG(there.st_mode) && there.st_size > 0) {
    static_cast<void>(std::rename(path.c_str(), (path + ".1").c_str()));
  }
  Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) return std::unexpected(systemError(path, errno));
  Writer writer(std::move(fd), path, limit);
  if (!writer.put(printHead(head))) return std::unexpected(systemError(path, errno));
  return writer;
}

// What a full disk has taken of a line is taken back.
bool Writer::put(std::string_view text) {
  const ssize_t count = ::write(fd_.get(), text.data(), text.size());
  if (count == static_cast<ssize_t>(text.size())) {
    size_ += text.size();
    return true;
  }
  const int why = count < 0 ? errno : ENOSPC;
  [[maybe_unused]] const int cut = count > 0 ? ::ftruncate(fd_.get(), static_cast<off_t>(size_)) : 0;
  errno = why;
  return false;
}

void Writer::stop(std::string_view why) {
  log::warning(fmt::format("capture: {} ends here: {}", path_, why));
  fd_.reset();
}

void Writer::write(const Record& record, std::string_view comment) {
  if (!open()) return;
  const std::string line = print(record, comment) + '\n';
  if (size_ + line.size() + kRoomForEnd > limit_) return end(record.at, "limit");
  if (!put(line)) stop(std::strerror(errno));
}

void Writer::end(async::Duration at, std::string_view why) {
  if (!open()) return;
  Record last;
  last.at = at;
  last.text = why;
  if (put(print(last) + '\n') && why == kStopped) return fd_.reset();
  stop(why == "limit" ? fmt::format("it has reached its limit of {} bytes", limit_)
                      : std::string(std::strerror(errno)));
}

}  // namespace qimux::capture
