#include "dialogue.hpp"

#include "qimux/sim/command.hpp"
#include "rig.hpp"
#include "shown.hpp"
#include "support/catch.hpp"

#include <charconv>
#include <cmath>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>

namespace qimux::sim::test {
namespace {

using Kind = DialogueLine::Kind;

// A person's pause between two keys, and before a line.
constexpr auto kKey = 30ms;
constexpr auto kThinks = 300ms;
// The longest that anything of the note takes: two and a half minutes.
constexpr auto kPatience = 200s;

bool takePrefix(std::string_view& line, std::string_view prefix) {
  if (!line.starts_with(prefix)) return false;
  line.remove_prefix(prefix.size());
  if (line.starts_with(" ")) line.remove_prefix(1);
  return true;
}

// <Ctrl+Z> and the like.
std::string bytesIn(std::string_view text) {
  static const std::map<std::string_view, char> kNamed{
      {"Ctrl+Z", '\x1a'}, {"ESC", '\x1b'}, {"CR", '\r'}, {"LF", '\n'}};
  std::string bytes;
  while (!text.empty()) {
    const std::size_t end = text.find('>');
    if (text.front() == '<' && end != std::string_view::npos) {
      const std::string_view name = text.substr(1, end - 1);
      unsigned count = 0;
      const auto parsed = std::from_chars(name.data(), name.data() + name.size(), count);
      if (const auto it = kNamed.find(name); it != kNamed.end()) {
        bytes += it->second;
        text.remove_prefix(end + 1);
        continue;
      }
      if (name.ends_with(" blanks") && parsed.ec == std::errc{}) {
        bytes.append(count, ' ');
        text.remove_prefix(end + 1);
        continue;
      }
    }
    bytes += text.front();
    text.remove_prefix(1);
  }
  return bytes;
}

Endpoint endpoint(const std::string& written) {
  const std::size_t colon = written.find(':');
  const auto address = parseIpv4(written.substr(0, colon));
  if (!address || colon == std::string::npos) throw std::runtime_error("no endpoint: " + written);
  return {*address, static_cast<std::uint16_t>(std::stoul(written.substr(colon + 1)))};
}

Options optionsOf(const Dialogue& dialogue) {
  Options options;
  options.firmware = Firmware::Note;
  for (const auto& line : dialogue.lines) {
    if (line.kind != Kind::Directive) continue;
    if (line.text.starts_with("address ")) {
      std::istringstream words(line.text.substr(8));
      std::string one;
      for (std::size_t i = 0; i < 2 && words >> one; ++i) options.local_addresses[i] = parseIpv4(one).value();
    }
    if (!line.text.starts_with("quirk ")) continue;
    const auto quirk = parseQuirk(line.text.substr(6));
    if (!quirk) throw std::runtime_error("no quirk: " + line.text);
    options.quirks.add(*quirk);
  }
  return options;
}

class Player {
 public:
  explicit Player(const Dialogue& dialogue) : rig_(optionsOf(dialogue)) {}

  void step(const DialogueLine& line) {
    switch (line.kind) {
      case Kind::Directive:
        direct(line.text);
        break;
      case Kind::Command:
        type(line.text);
        break;
      case Kind::Typed:
        settle();
        rig_.type(bytesIn(line.text));
        break;
      case Kind::Line:
        expect(line.text == ">" ? "\r\n> " : "\r\n" + bytesIn(line.text) + "\r\n");
        break;
      case Kind::Bytes:
        expect(bytesIn(line.text));
        break;
    }
  }

  void settle() {
    rig_.loop.runFor(kThinks);
    REQUIRE(printable(rig_.heard) == "");
  }

 private:
  void type(const std::string& command) {
    settle();
    const bool echo = rig_.module.settings().echo;
    for (const char key : command + "\r") {
      rig_.type(std::string_view(&key, 1));
      rig_.loop.runFor(key == '\r' ? 0ms : kKey);
    }
    if (echo) expect(command + "\r");
  }

  void expect(const std::string& bytes) {
    rig_.loop.runUntil([&] { return rig_.heard.size() >= bytes.size(); }, kPatience);
    REQUIRE(printable(rig_.heard.substr(0, bytes.size())) == printable(bytes));
    rig_.heard.erase(0, bytes.size());
  }

  void direct(const std::string& text) {
    std::istringstream words(text);
    std::string verb;
    words >> verb;
    std::string rest;
    std::getline(words >> std::ws, rest);
    if (verb == "serve") {
      serve(rest);
    } else if (verb == "host") {
      name(rest);
    } else if (verb == "comes") {
      comes(rest);
    } else if (verb == "at") {
      last_ = seen_.at(parseIpv4(rest).value());
    } else if (verb == "takes") {
      peer().setRoom(std::stoul(rest));
    } else if (verb == "sends") {
      settle();
      peer().send(bytesOf(bytesIn(rest)));
    } else if (verb == "closes") {
      settle();
      peer().close();
    } else if (verb == "received") {
      rig_.loop.runFor(kThinks);
      REQUIRE(printable(std::exchange(last_->received, {})) == printable(bytesIn(rest)));
    } else if (verb == "fault") {
      settle();
      REQUIRE(rig_.fault(rest));
    } else if (verb == "wait") {
      settle();
      rig_.loop.runFor(std::chrono::milliseconds(std::lround(std::stod(rest) * 1000)));
    } else if (verb != "quirk" && verb != "shows" && verb != "address") {
      throw std::runtime_error("no directive: " + text);
    }
  }

  void serve(const std::string& words) {
    const Endpoint at = endpoint(words.substr(4));
    const auto make = [this, at] {
      last_ = seen_[at.address] = std::make_shared<Seen>();
      return std::make_unique<Steered>(last_);
    };
    if (words.starts_with("tcp ")) {
      rig_.network.serveTcp(at, make);
    } else {
      rig_.network.serveUdp(at, make);
    }
  }

  // "tcp 10.79.141.26 to 2020"
  void comes(const std::string& words) {
    settle();
    std::istringstream parts(words);
    std::string protocol, from, to;
    std::uint16_t port = 0;
    parts >> protocol >> from >> to >> port;
    const Endpoint remote{parseIpv4(from).value(), 4321};
    last_ = seen_[remote.address] = std::make_shared<Seen>();
    REQUIRE(rig_.network.call(protocol == "tcp" ? Protocol::Tcp : Protocol::Udp, port, remote,
                              std::make_unique<Steered>(last_)));
  }

  void name(const std::string& words) {
    std::istringstream list(words);
    std::string host;
    list >> host;
    std::vector<Ipv4> addresses;
    for (std::string one; list >> one;) addresses.push_back(parseIpv4(one).value());
    rig_.network.addHost(host, addresses);
  }

  VirtualPeer& peer() {
    if (!last_ || last_->peer == nullptr) throw std::runtime_error("nobody is connected");
    return *last_->peer;
  }

  std::map<Ipv4, std::shared_ptr<Seen>> seen_;
  std::shared_ptr<Seen> last_;
  Rig rig_;
};

}  // namespace

Dialogue readDialogue(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(path + ": cannot be read");
  Dialogue dialogue;
  int number = 0;
  for (std::string written; std::getline(file, written);) {
    ++number;
    std::string_view line = written;
    const auto add = [&](Kind kind) { dialogue.lines.push_back({kind, std::string(line), number}); };
    if (line.empty()) continue;
    if (takePrefix(line, "#")) {
      if (dialogue.title.empty()) dialogue.title = line;
    } else if (takePrefix(line, "$")) {
      add(Kind::Directive);
    } else if (takePrefix(line, ">|")) {
      add(Kind::Typed);
    } else if (takePrefix(line, "<|")) {
      add(Kind::Bytes);
    } else if (takePrefix(line, ">")) {
      add(Kind::Command);
    } else if (takePrefix(line, "<")) {
      add(Kind::Line);
    } else {
      throw std::runtime_error(path + ":" + std::to_string(number) + ": begins with none of # $ > < >| <|");
    }
  }
  if (dialogue.title.empty()) throw std::runtime_error(path + ": has no title");
  return dialogue;
}

std::vector<std::string> Dialogue::tags() const {
  std::set<std::string> tags;
  for (const auto& line : lines) {
    if (line.kind == Kind::Directive && line.text.starts_with("shows ")) tags.insert(line.text.substr(6));
    if (line.kind == Kind::Typed && line.text == "+++") tags.insert(tagOfCommand("+++"));
    if (line.kind != Kind::Command || !line.text.starts_with("AT")) continue;
    for (const auto part : splitLine(std::string_view(line.text).substr(2))) {
      std::string store;
      if (const auto call = parseCall(part, store)) tags.insert(tagOfCommand("AT" + std::string(call->name)));
    }
  }
  return {tags.begin(), tags.end()};
}

void play(const Dialogue& dialogue) {
  Player player(dialogue);
  for (const auto& line : dialogue.lines) {
    INFO("line " << line.number << ": " << line.text);
    player.step(line);
  }
  player.settle();
}

}  // namespace qimux::sim::test
