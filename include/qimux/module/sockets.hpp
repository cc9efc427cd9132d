// The six sockets of the module's own TCP/IP stack, command by command (application note 3.3, 5.2 to 5.6).
//
// Every call is one AT command on the channel; the caller takes turns. Results that come later come as URCs:
// the end of an open, arrivals, closes. Nothing here remembers a socket's state: that is the bridge's.
#pragma once

#include "qimux/at/channel.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace qimux::module {

inline constexpr int kSockets = 6;
// One AT+QISEND takes at most this (5.2.1), one AT+QIRD gives at most that.
inline constexpr std::size_t kMaxSend = 1460;
inline constexpr std::size_t kMaxRead = 1500;
// What modules are known to hold unacknowledged for one TCP socket.
inline constexpr std::size_t kSendBuffer = 5 * kMaxSend;

enum class Protocol { Tcp, Udp };
std::string_view name(Protocol protocol);  // "tcp", "udp"

// What AT+QISACK counts, from the opening of the connection on (5.2.2). UDP: acknowledged is always 0.
struct SendCounters {
  std::uint64_t sent = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t unacknowledged = 0;
};

// One socket as AT+QISTATE tells it (5.6.2).
struct SocketState {
  std::string protocol;  // "TCP", "UDP", ""
  std::string address;
  std::string port;
  std::string state;  // "INITIAL", "CONNECTED", …
  bool connected() const { return state == "CONNECTED" || state == "CONNECT OK"; }
};
struct StackState {
  std::string state;  // "IP INITIAL", "IP PROCESSING", "PDP DEACT", …
  std::array<SocketState, kSockets> sockets;
};

class Sockets {
 public:
  Sockets(at::Channel& channel, int context) : channel_(channel), context_(context) {}

  // OK means that the module tries: "n, CONNECT OK" or "n, CONNECT FAIL" follows as a URC within 75 s.
  async::Task<Result<void>> open(int index, Protocol protocol, std::uint32_t address, std::uint16_t port);

  // 1 to kMaxSend bytes, which must live until the call ends. Done: the module has taken all of them. Full:
  // SEND FAIL, it has taken none. Refused: not connected. Cancelled: the payload has an ESC, at which the
  // module has ended the send, and read what stood behind it as commands. Timeout: unknown. After these two
  // resynchronise, then ask acknowledged().
  async::Task<Result<void>> send(int index, ByteView payload);

  // Up to `most` (1 to kMaxRead) bytes. Empty: nothing waits. Refused: closed, and nothing is left to be
  // read.
  async::Task<Result<Bytes>> read(int index, std::size_t most, std::string from = {});

  // Of a TCP connection. What came garbled is asked for once more.
  async::Task<Result<SendCounters>> acknowledged(int index);

  // Closes, whatever the state. A module that says it was not open agrees with us.
  async::Task<Result<void>> close(int index);

  static constexpr async::Duration kStateDeadline = std::chrono::seconds(5);
  async::Task<Result<StackState>> state(async::Duration deadline = kStateDeadline);

 private:
  async::Task<Result<SendCounters>> askCounters(int index);

  at::Channel& channel_;
  int context_;
};

// "+QISACK: 30, 20, 10"; Garbled where that is not what it is, or where the three figures of a TCP connection
// do not agree: one digit that the line has changed would be an acknowledgement that nobody made.
Result<SendCounters> parseSendCounters(std::string_view line);
// The lines of AT+QISTATE; unknown ones are ignored, missing sockets stay empty.
StackState parseStackState(const std::vector<std::string>& lines);

}  // namespace qimux::module
