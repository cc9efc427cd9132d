// Sockets of this machine as the module's stack wants them: what SocketNetwork is made of.
#pragma once

#include "qimux/async/uv_loop.hpp"
#include "qimux/base/fd.hpp"
#include "qimux/sim/network.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <memory>

namespace qimux::sim {

// Of UDP sockets that share one port: they are told apart by where datagrams come from.
class UdpHub;

sockaddr_in toSockaddr(Endpoint endpoint);
Endpoint fromSockaddr(const sockaddr_in& address);

// Each is a wish: without it the simulator still works.
template <typename T>
void setOption(int fd, int level, int name, T value) {
  (void)::setsockopt(fd, level, name, &value, sizeof value);
}

class RealSocket final : public Socket {
 public:
  // Connects.
  RealSocket(async::UvLoop& loop, Protocol protocol, Endpoint remote, SocketEvents& events,
             int receive_buffer);
  // Is connected: a TCP socket that was accepted.
  RealSocket(async::UvLoop& loop, Fd accepted, SocketEvents& events);

  std::size_t send(ByteView bytes) override;
  Taken receive(ByteSpan into) override;
  std::size_t unacknowledged() override;
  async::Duration silence() override;
  void keepAlive(async::Duration idle, async::Duration interval, int probes) override;
  void wantReadable(bool want) override;
  void wantWritable(bool want) override;
  void abortOnClose() override;

 private:
  void apply();
  void fails();
  void breaks();
  void watchForReset();
  void report(async::Interest seen);

  SocketEvents& events_;
  Protocol protocol_;
  Fd fd_;
  std::unique_ptr<async::UvLoop::FdWatch> watch_;
  async::Timer start_;
  async::Timer reset_watch_;
  async::Interest wanted_;
  bool connecting_ = true;
  bool broken_ = false;
  // send() took it after the connection had died.
  std::size_t lost_ = 0;
};

// What the kernel keeps and announces for a TCP socket; before connect() or listen().
void prepareTcp(int fd, int receive_buffer);

// Nothing where the address is not of this machine, or taken.
std::unique_ptr<Listener> listenTcp(async::UvLoop& loop, Endpoint here, ListenerEvents& events,
                                    int receive_buffer);
// `hub` is what is left of an earlier listener at the same port, and becomes the new one's.
std::unique_ptr<Listener> listenUdp(async::UvLoop& loop, Endpoint here, ListenerEvents& events,
                                    std::weak_ptr<UdpHub>& hub);

}  // namespace qimux::sim
