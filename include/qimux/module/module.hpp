// The module as a whole: from any state it was left in to an active context with an address, and what it
// tells of itself. Procedures read from top to bottom like the examples of the application note (chapter 3).
#pragma once

#include "qimux/at/channel.hpp"
#include "qimux/module/sockets.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace qimux::module {

// How the SIM took the PIN so far.
struct PinMemory {
  bool refused = false;
  int unanswered = 0;
  // Called when it is refused, to remember that for longer than this process lives.
  std::function<void()> on_refused{};
};

struct Settings {
  std::string apn{};  // empty: the module keeps what it has
  std::string user{};
  std::string password{};
  std::string pin{};
  // Shared by all modules that are made with copies of these settings: a device that comes back is the same
  // SIM.
  std::shared_ptr<PinMemory> pin_memory = std::make_shared<PinMemory>();
  int context = 0;  // AT+QIFGCNT (application note 7)
};

// How the module tells of arrivals (AT+QINDI): an edge until all is read, or each packet with its size.
enum class Indication { Edge = 1, PerPacket = 2 };

struct Identity {
  std::string manufacturer;
  std::string model;
  std::string revision;
  std::string imei;
};

struct Radio {
  std::string network;          // the operator's name; empty: unknown
  std::optional<int> rssi_dbm;  // -113 to -51; nothing: not known or not detectable
  int registration = 0;         // AT+CGREG's number: 1 home, 5 roaming, 2 searching, 3 denied, 0 not
  bool registered() const { return registration == 1 || registration == 5; }
};

// AT+CSQ's number in dBm, as 3GPP TS 27.007 defines it.
std::optional<int> signalDbm(std::uint32_t csq);

class Module {
 public:
  Module(async::Loop& loop, at::Channel& channel, Settings settings);

  // Answering, silent (no echo), errors in numbers; identity() is known afterwards.
  async::Task<Result<void>> synchronise();
  // The SIM is ready. Waits while it is busy. A third wrong PIN would lock it, so one that the SIM refused
  // is never given again, one whose answer was lost only once more, and where the module can say that one try
  // is left (AT+QPINC), that one is a person's. Invalid: a PIN is needed and none, or a wrong one, is
  // configured; or the SIM asks for a PUK.
  async::Task<Result<void>> unlockSim();
  // Registered for packet data, at home or roaming; Timeout after `limit`.
  async::Task<Result<void>> awaitRegistration(async::Duration limit);
  // Six sockets, pull receiving, an active context, an address. Whatever context or sockets were there are
  // gone.
  async::Task<Result<void>> activate();
  async::Task<Result<void>> deactivate();

  // Signal, operator and registration, asked now. Fields that the module refuses stay as they were.
  async::Task<void> refreshRadio();
  // Registration alone. An error only where there was no answer.
  async::Task<Result<void>> refreshRegistration();
  // The module says by itself when it changes (AT+CGREG=1), and need not be asked.
  bool reportsRegistration() const { return reports_registration_; }
  // +CGREG: n, unasked.
  void noteRegistration(int number) { radio_.registration = number; }

  Sockets& sockets() { return sockets_; }
  at::Channel& channel() { return channel_; }
  const Identity& identity() const { return identity_; }
  const Radio& radio() const { return radio_; }
  Indication indication() const { return indication_; }
  std::uint32_t address() const { return address_; }  // 0: none
  const Settings& settings() const { return settings_; }

 private:
  async::Task<Result<at::Reply>> command(std::string text, async::Duration deadline,
                                         std::string prefix = std::string());
  // For what only some firmware has: a refusal is an answer.
  async::Task<Result<bool>> optional(std::string text);
  async::Task<Result<std::string>> ask(std::string text, std::string prefix);
  async::Task<Result<std::string>> simState();
  async::Task<Result<void>> enterPin();
  async::Task<Result<bool>> lastTry();
  async::Task<Result<void>> leaveOldContext(bool multiplexing);
  async::Task<Result<void>> chooseMultiplexing();
  async::Task<Result<void>> chooseIndication();
  async::Task<Result<void>> configureStack();

  async::Loop& loop_;
  at::Channel& channel_;
  Settings settings_;
  Sockets sockets_;
  Identity identity_;
  Radio radio_;
  bool reports_registration_ = false;
  Indication indication_ = Indication::Edge;
  std::uint32_t address_ = 0;
};

}  // namespace qimux::module
