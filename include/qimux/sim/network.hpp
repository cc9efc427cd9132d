// What the module's stack stands on: sockets towards a world that may be real (SocketNetwork) or made of
// objects on a virtual clock (VirtualNetwork). Delay and rate of the air are not here: see air.hpp.
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/base/bytes.hpp"
#include "qimux/sim/address.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace qimux::sim {

enum class Protocol { Tcp, Udp };
// "TCP", "UDP"
std::string_view name(Protocol protocol);

// What a socket tells its owner. Always from the loop, never from inside a call to the socket.
class SocketEvents {
 public:
  // TCP: the far end has accepted. UDP: at once.
  virtual void opened() = 0;
  // TCP: it has refused, or there is no way to it. Nothing follows.
  virtual void refused() = 0;
  // receive() has something; only while wanted, or broken.
  virtual void readable() = 0;
  // send() takes bytes again; only while wanted.
  virtual void writable() = 0;

 protected:
  ~SocketEvents() = default;
};

enum class Take {
  Data,
  Nothing,  // not now
  Ended,    // the far end has sent all that it will
  Broken,   // reset
};
struct Taken {
  Take what;
  std::size_t size = 0;
};

// One socket towards one remote. Destroying it closes it in order: what send() took still arrives.
class Socket {
 public:
  virtual ~Socket() = default;
  // TCP: takes as many bytes as there is room for. UDP: one datagram, whole; it may get lost.
  virtual std::size_t send(ByteView bytes) = 0;
  // TCP: the next bytes. UDP: one datagram, which loses what does not fit. With an empty `into` it only tells
  // whether a TCP socket is Broken.
  virtual Taken receive(ByteSpan into) = 0;
  // Taken by send() and not acknowledged by the far end; what a reset has lost stays in it. Always 0 for UDP.
  virtual std::size_t unacknowledged() = 0;
  // TCP: for how long the far end has owed an answer. 0 while it owes none, and while it answers, also with a
  // window that is closed.
  virtual async::Duration silence() = 0;
  // TCP: the path is to be probed while it is idle, and Broken after so many probes without an answer. An
  // owner that knows better than the socket whether the path lives (silence()) need not call it.
  virtual void keepAlive(async::Duration idle, async::Duration interval, int probes) = 0;
  // What is not asked for is not read: so the window towards the far end closes. readable() comes for a reset
  // also then, once.
  virtual void wantReadable(bool want) = 0;
  virtual void wantWritable(bool want) = 0;
  // The far end of a TCP socket gets a reset instead of the end of the data when this is destroyed.
  virtual void abortOnClose() = 0;
};

// What a listener tells its owner. From the loop, never from inside a call to it. One at a time: the next
// comes after accept() or refuse().
class ListenerEvents {
 public:
  // A far end wants in. UDP: by its first datagram.
  virtual void knocks(Endpoint remote) = 0;

 protected:
  ~ListenerEvents() = default;
};

// Waits for far ends that come by themselves (application note 3.2 and 3.4). Destroying it ends the waiting
// and refuses who still knocks; sockets made by it live on.
class Listener {
 public:
  virtual ~Listener() = default;
  // Once for each knock, then or later: a socket towards the far end that knocks. It is open (opened() is not
  // called) and reads nothing before it is wanted. TCP: an accepted connection. UDP: a socket for that remote
  // alone, whose first datagram can be received. `events` must live as long as the socket.
  virtual std::unique_ptr<Socket> accept(SocketEvents& events) = 0;
  // The other answer. TCP: the far end sees a reset. UDP: the datagram is lost; another one knocks again.
  virtual void refuse() = 0;
  // Nobody will ever knock: the network has no way in.
  virtual bool deaf() const { return false; }
};

class Network {
 public:
  virtual ~Network() = default;

  // `events` must live as long as the socket. Nothing may ever come (a black hole): the caller has a clock.
  virtual std::unique_ptr<Socket> open(Protocol protocol, Endpoint remote, SocketEvents& events) = 0;

  // Far ends that come to `port` of the module are told to `events`, which must live as long as the listener.
  // Nothing where the port is taken. A network without a way in gives a listener that never knocks.
  virtual std::unique_ptr<Listener> listen(Protocol protocol, std::uint16_t port, ListenerEvents& events) = 0;

  // `done` gets the addresses of a name, none where there is no such name; from the loop, or never where
  // the network goes first.
  using Resolved = std::move_only_function<void(std::vector<Ipv4>)>;
  virtual void resolve(const std::string& host, Resolved done) = 0;

  // Sends an echo request. `done` gets the time to its answer, or nothing once `limit` has passed without
  // one; from the loop, or never where the network goes first.
  using Echoed = std::move_only_function<void(std::optional<async::Duration> time)>;
  virtual void ping(Ipv4 address, async::Duration limit, Echoed done) = 0;
};

}  // namespace qimux::sim
