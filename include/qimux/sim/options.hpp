// What a simulated module is and how it behaves, fixed when it is made.
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/sim/address.hpp"
#include "qimux/sim/quirk.hpp"
#include "qimux/sim/timing.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace qimux::sim {

// note: what the application note prints, letter by letter. m95: an old firmware with AT+QINDI=1 only.
// mc60: a new one with AT+QINDI=2, AT+QIKALIVE and AT+QCFG.
enum class Firmware { Note, M95, Mc60 };
std::string_view name(Firmware firmware);
std::optional<Firmware> parseFirmware(std::string_view text);
// The deviations that make this firmware what it is.
QuirkSet quirksOf(Firmware firmware);
// The highest mode that AT+QINDI takes on it.
int highestIndiOf(Firmware firmware);

struct Options {
  Firmware firmware = Firmware::Mc60;
  // Beside those of the firmware; and which of the firmware's it has not.
  QuirkSet quirks;
  QuirkSet without;
  // Highest AT+QINDI mode; the firmware's where not set.
  std::optional<int> highest_indi;
  // For everything random: noise, chunks. The same seed and the same input give the same output.
  std::uint64_t seed = 1;

  // From a command's CR to its answer, and from the last byte of a block to SEND OK; and what it may be more.
  // These and the next are short and exact for the sake of everybody's tests; see fieldTiming().
  async::Duration command_latency = std::chrono::milliseconds(5);
  async::Duration command_spread{0};
  // Commands that take another time. "+QIACT" is the part of AT+QIOPEN that activates, too.
  Latencies latencies{
      {"+QIACT", {std::chrono::milliseconds(340), std::chrono::milliseconds(340)}},
      {"+QIDEACT", {std::chrono::milliseconds(500), std::chrono::milliseconds(500)}},
  };
  // A connect that nothing answers fails after this.
  async::Duration connect_timeout = std::chrono::seconds(75);

  // Play the start: RDY and what follows. Else the module has long been up.
  bool power_on = false;
  // From power to SMS Ready; the other events of the start keep their proportion. Registration comes later:
  // GSM at 2.2 times and GPRS at 3 times this.
  async::Duration boot_time = std::chrono::milliseconds(5500);
  // AT+IPR=0 was stored: not a word before it has seen AT or at.
  bool autobaud = false;
  // The rate of the line, for AT+IPR?; the pacing itself is done by Uart.
  unsigned baud = 115200;
  // Wanted by the SIM; none where empty.
  std::string pin;
  // No SIM in the slot.
  bool no_sim = false;

  // Over the air: to the far end and back, and bytes a second each way, shared by all sockets; 0 = no limit.
  async::Duration rtt{0};
  std::uint64_t rate = 0;

  // UDP: a datagram gets lost with this probability, either way. TCP: a packet has to be sent again.
  double loss = 0;
  // AT+QISACK counts a block as acknowledged at the earliest so long after it has left.
  Span ack_lag;
  // A TCP connection ends when the far end has left data unanswered for so long.
  async::Duration give_up = std::chrono::seconds(240);

  // Bytes a socket keeps for the host. Full: TCP is not read any more, so the far end's window closes;
  // UDP datagrams are dropped. The field knows "a few KB" for AT+QINDI=1 and 400 KB in sum for =2.
  std::size_t receive_buffer = 16384;
  // Bytes of a TCP socket sent and not acknowledged: 5 segments on real modules.
  std::size_t send_buffer = 7300;
  // What arrives while a blocking command runs, or while the module hangs, waits here; more is lost.
  std::size_t input_fifo = 3584;

  // Access points that the network has, as AT+QICSGP names them; an activation with another name is refused.
  // None: every name is good.
  std::vector<std::string> access_points;

  // What AT+QILOCIP gives in each context: 10.180.217.206 and .207.
  std::array<Ipv4, 2> local_addresses{Ipv4{0x0ab4d9ce}, Ipv4{0x0ab4d9cf}};

  // Messages that are on the SIM from the start: from whom, and the text in UTF-8.
  std::vector<std::pair<std::string, std::string>> sms;
  // What the network takes for a message that is sent.
  async::Duration sms_sending = std::chrono::seconds(2);
  // Whatever is sent comes back, from the number that it was sent to.
  bool sms_loop = false;
  // The SIM's own number (AT+CNUM), and that of its service centre (AT+CSCA).
  std::string own_number = "+8613912345678";
  std::string service_centre = "+8613800210500";
  // Seconds since 1970, UTC, as the network knows them: for AT+QNTP and for messages that come. Where it is
  // empty, time servers do not answer, and messages bear the time of the module's own clock.
  std::function<std::int64_t()> wall_clock;
};

}  // namespace qimux::sim
