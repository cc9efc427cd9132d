// A UDP association through the module: one program's endpoint and one remote endpoint share one socket.
//
// Datagrams go out as they came, one AT+QISEND each; a bounded few wait, the oldest goes when there are more.
// What comes back keeps its boundaries where the module tells packets' sizes (AT+QINDI=2); with AT+QINDI=1
// one AT+QIRD is taken for one datagram, and because an edge that was lost is the last one until all is read,
// an association in use is looked at now and then (application note 5.3.2).
// Delivery is as unsure as UDP is anywhere: a send whose end is
// unknown is not repeated.
#pragma once

#include "qimux/bridge/session.hpp"

#include <deque>
#include <functional>

namespace qimux::bridge {

class UdpObserver {
 public:
  virtual ~UdpObserver() = default;
  virtual void datagram(ByteView payload) = 0;
  // No socket could be had, or opening it failed. The session may try again when a next datagram comes.
  virtual void failed(Failure failure) = 0;
  // The association is over (idle, or given way). The last call.
  virtual void ended() = 0;
};

class UdpSession final : public Session {
 public:
  static constexpr std::size_t kMaxQueued = 16;

  UdpSession(async::Loop& loop, const SessionRules& rules, SessionId id, net::Endpoint remote,
             UdpObserver& observer, std::function<void()> wake);

  // 1 to module::kMaxSend bytes. Of more than kMaxQueued that wait, the oldest is dropped; who gets no socket
  // for 30 s ends (NoSlot).
  void send(Bytes datagram);
  // Ends it: another session needs the socket, or the program is not to use it any more.
  void abandon();
  void giveUp(Failure failure);
  std::uint64_t dropped() const override { return dropped_; }

  Want want(async::TimePoint now) override;
  async::TimePoint yieldsAt() const override;
  ByteView payload(std::size_t quantum) override;
  std::size_t readSize(std::size_t quantum) const override;
  void connected() override;
  void failed(Failure failure) override;
  void sendDone(std::size_t size) override;
  void sendFull() override;
  void unsendable() override;
  void readDone(Bytes data) override;
  void readRefused() override;
  void counters(const module::SendCounters&) override {}
  void arrived(std::optional<std::size_t> newest, std::optional<std::size_t> total) override;
  void remoteClosed() override;
  void checked(bool connected) override;
  void lost() override;
  void closed() override;

 private:
  struct Arrival {
    std::size_t size;
    bool whole;  // false: several datagrams whose boundaries were lost with a URC
    // Its URC could also be that of one more datagram, as big as the one that had just been read.
    bool doubtful = false;
  };
  async::TimePoint idleUntil() const;
  bool nothingToSend() const { return queue_.empty() && sending_.empty(); }
  void pollSoon();
  void watchPatience();
  void enterClosing();
  void end();

  UdpObserver* observer_;
  std::function<void()> wake_;
  std::deque<Bytes> queue_;
  Bytes sending_;                 // left the queue for the send that is under way or to be repeated
  std::deque<Arrival> arrivals_;  // sizes of what waits in the module, AT+QINDI=2
  Bytes partial_;
  bool sizes_known_ = false;
  bool data_waits_ = false;
  bool again_ = false;  // after closing it starts anew: it was lost while datagrams wait
  std::uint64_t sent_datagrams_ = 0;
  std::uint64_t received_datagrams_ = 0;
  std::uint64_t dropped_ = 0;
  async::TimePoint blocked_until_{};
  async::TimePoint poll_at_ = async::TimePoint::max();
  async::Duration poll_step_{};
  std::size_t last_read_ = 0;
  async::TimePoint read_at_{};
  async::Timer patience_;
};

}  // namespace qimux::bridge
