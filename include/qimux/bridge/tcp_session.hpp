// A TCP connection through the module.
//
// Theory of operation
//
// Bytes towards the far end: the program's kernel -> AppStream -> outbox_ (one AT+QISEND's worth) -> the
// module. They leave the outbox when the module says SEND OK; SEND FAIL keeps them. So many are let out that
// the module's send buffer is never overrun: what AT+QISACK calls unacknowledged, plus what was sent since,
// stays below it.
//
// Bytes towards the program: the module -> inbox_ (one AT+QIRD's worth) -> AppStream. Nothing is read from
// the module while the inbox holds anything: a program that does not read stops its own flow, all the way to
// the far end's window, and nobody else's.
//
// Acknowledgements: the observer is told what the far end has acknowledged, and withholds the rest from the
// program. AT+QISACK is wanted only while something is unacknowledged: at an answer (which nearly always
// carries the acknowledgement), else at a beat that follows the lag seen so far.
//
// Silence: Liveness says when the module is to be asked whether the connection lives, and whether it is dead;
// then the program gets a reset. A probe of a port that has one goes out between the program's own bytes,
// when there were none for long, and is not counted as theirs.
//
// Ends: the program's end of output waits until everything is acknowledged; then the socket is closed at once
// where the program is gone altogether, or after the linger time where it only said that it sends no more
// (the module cannot half-close). The far end's close is followed by reading until the module has nothing
// left; then the program gets its end of file, or a reset where bytes of its own were lost by it.
#pragma once

#include "qimux/bridge/app_stream.hpp"
#include "qimux/bridge/session.hpp"

#include <memory>

namespace qimux::bridge {

// Whoever asked for the connection. Must not destroy the session from inside a call.
class TcpObserver {
 public:
  virtual ~TcpObserver() = default;
  // The module has connected; a stream is expected by attach().
  virtual void connected() = 0;
  // There will be none. The last call.
  virtual void failed(Failure failure) = 0;
  // The module has taken so many bytes since the start.
  virtual void taken(std::uint64_t bytes) = 0;
  // The far end has acknowledged so many bytes since the start.
  virtual void acknowledged(std::uint64_t bytes) = 0;
  // The module stands for the connection as far as it can: what inquire() wanted to know.
  virtual void vouched() {}
  // True where the program does not only send no more, but is gone: nobody reads.
  virtual bool programGone() = 0;
  // The socket is closed and all that was sent was acknowledged. The program may still be reading.
  virtual void released() = 0;
  // All is over, the stream is closed. The last call.
  virtual void ended() = 0;
};

class TcpSession final : public Session {
 public:
  // `observer` must outlive the session, or have had its last call. `wake`: the session's wants have changed.
  TcpSession(async::Loop& loop, const SessionRules& rules, SessionId id, net::Endpoint remote,
             TcpObserver& observer, std::function<void()> wake);

  // The program's end, after connected().
  void attach(std::unique_ptr<AppStream> stream);
  bool attached() const { return stream_ != nullptr; }
  // Nobody wants the connection any more; no further call to the observer.
  void abandon();
  // The queue was full, or the wait too long: before any socket was opened.
  void giveUp(Failure failure);

  // The program's kernel asks whether the connection lives. True: the observer hears vouched() when the
  // module has said so, and nothing while it has not. False: there is nobody to ask, the end is known.
  bool inquire();

  // Waits no longer for a program that does not take what is left for it: a reset tells it that it has not
  // got all. Nothing unless Finishing.
  void cutShort();

  // Acknowledged locally, not yet by the far end.
  std::uint64_t unconfirmed() const;

  Want want(async::TimePoint now) override;
  async::TimePoint yieldsAt() const override { return async::TimePoint::max(); }
  ByteView payload(std::size_t quantum) override;
  std::size_t readSize(std::size_t quantum) const override;
  void connected() override;
  void failed(Failure failure) override;
  void sendDone(std::size_t size) override;
  void sendFull() override;
  void unsendable() override { lost(); }
  void readDone(Bytes data) override;
  void readRefused() override;
  void counters(const module::SendCounters& counters) override;
  // AT+QISACK is refused: by a firmware that does not count, and then what the module has taken must do as
  // acknowledged, or because the socket is gone. AT+QISTATE tells which. `works`: this module has counted
  // before, and the refusal of a socket that lives is another program's.
  void countersRefused(bool works);
  void arrived(std::optional<std::size_t> newest, std::optional<std::size_t> total) override;
  void remoteClosed() override;
  void checked(bool connected) override;
  bool endHeard() const override { return remote_closed_; }
  bool foundDead() const override { return liveness_.state() == Liveness::State::Dead; }
  void lost() override;
  void closed() override;

 private:
  void onStreamChange();
  void flushInbox();
  void observeProgram(async::TimePoint now);
  void wantSend(async::TimePoint now, Want& want);
  void wantRead(async::TimePoint now, Want& want);
  void wantCounters(async::TimePoint now, Want& want);
  void wantLife(async::TimePoint now, Want& want);
  const Bytes* probe() const;
  void considerEnd(async::TimePoint now, Want& want);
  void finish();
  void enterClosing();
  void end();
  std::uint64_t inFlight() const { return sent_ - acknowledged_; }
  bool roomInModule(std::size_t size) const;
  bool allOut();
  void confirm(std::uint64_t acknowledged);
  void vouch();

  TcpObserver* observer_;  // null after its last call
  std::function<void()> wake_;
  std::unique_ptr<AppStream> stream_;
  Bytes outbox_;
  Bytes inbox_;
  Liveness liveness_;
  bool probing_ = false;  // what payload() gave last is the probe
  bool data_waits_ = false;
  std::optional<std::size_t> backlog_;
  bool answered_ = false;  // something has come since the last send
  bool remote_closed_ = false;
  async::TimePoint last_word_until_{};  // of the module, about what was acknowledged before remote_closed_
  bool module_empty_ = false;           // after remote_closed_: nothing is left to be read
  bool program_ended_ = false;
  bool program_reset_ = false;
  bool reset_program_ = false;  // the program's end is to be a reset
  bool output_ended_ = false;
  bool counters_known_ = true;
  bool counters_refused_ = false;  // AT+QISTATE is to tell why
  int refusals_ = 0;               // of AT+QISACK, one after the other
  bool inquired_ = false;          // vouched() is owed
  bool look_ = false;              // AT+QISTATE, when there is time for it
  std::optional<async::TimePoint> looked_at_;
  bool emptied_ = false;  // the last read found nothing, and nothing was announced since
  async::TimePoint emptied_at_ = async::TimePoint::min();
  bool read_refused_ = false;
  bool announced_ = false;   // since the last block: there is something to be read
  bool suspicious_ = false;  // AT+QISTATE is to tell whether the socket lives
  async::TimePoint blocked_until_{};
  async::TimePoint counters_due_ = async::TimePoint::max();
  async::TimePoint counters_at_{};  // when they were last told
  async::Duration lag_;
  async::TimePoint progress_at_{};
  async::TimePoint linger_until_ = async::TimePoint::max();
  async::TimePoint poll_at_ = async::TimePoint::max();
  async::Duration poll_step_;
  async::TimePoint finish_by_ = async::TimePoint::max();
  async::Duration finish_beat_;
  async::Timer finish_timer_;
};

}  // namespace qimux::bridge
