// The data use of a running daemon: what crosses the module goes into a Usage, which is kept in a file.
//
// The file is written at a slow beat, and only when something was counted, and at the end: flash wears out,
// and an idle link wakes nobody. What a loss of power costs is the counts since the last beat. What could not
// be written is tried again at the next one.
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/bridge/gateway.hpp"
#include "qimux/bridge/multiplexer.hpp"
#include "qimux/daemon/config.hpp"
#include "qimux/daemon/program_names.hpp"
#include "qimux/daemon/usage.hpp"

#include <functional>
#include <map>
#include <string>

namespace qimux::daemon {

// The machine's own date, in its time zone, where it can be believed.
std::optional<Date> todaysDate();

struct UsageOptions {
  UsageBy by = UsageBy::Destination;
  std::string file;
  async::Duration beat = std::chrono::minutes(10);
  std::function<std::optional<Date>()> today = todaysDate;
};

// The file is usage.json in the state directory; of an interface with another name than the usual one
// usage-NAME.json, since several daemons share that directory.
UsageOptions usageOptions(const Config& config);

class UsageMeter {
 public:
  // Reads the file. One that cannot be understood is moved aside (".damaged"), with a word in the log; one
  // that cannot be read is good, as far as we know, and is not written over. The others outlive the meter,
  // which listens to the multiplexer from now on (not with UsageBy::Off).
  UsageMeter(async::Loop& loop, bridge::Multiplexer& multiplexer, const bridge::Gateway& gateway,
             UsageOptions options);
  // Writes what was not written yet.
  ~UsageMeter();
  UsageMeter(const UsageMeter&) = delete;
  UsageMeter& operator=(const UsageMeter&) = delete;

  // A packet that a program sent, as it came.
  void sawPacket(ByteSpan packet) {
    if (options_.by == UsageBy::Program) programs_.sawPacket(packet, loop_.now());
  }
  void count(const bridge::Multiplexer::Traffic& traffic);

  // {by, periods: […]}; `last` as in a request, or empty.
  nlohmann::ordered_json report(const std::string& last) const;

  void write();

 private:
  std::string nameOf(const bridge::Multiplexer::Traffic& traffic);
  std::string programOf(bridge::SessionId session) const;
  void read();

  async::Loop& loop_;
  bridge::Multiplexer& multiplexer_;
  const bridge::Gateway& gateway_;
  UsageOptions options_;
  Usage usage_;
  ProgramNames programs_;
  std::map<bridge::SessionId, std::string> names_;  // the latest sessions'
  async::Timer beat_;
  bool unwritten_ = false;
  bool failing_ = false;  // it could not be written the last time
  bool kept_ = true;      // in the file, which is ours to write
};

}  // namespace qimux::daemon
