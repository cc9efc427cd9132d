// The gateway's name server on the wire: the DnsAnswerer, fed by packets and connections, asking the module.
#pragma once

#include "qimux/bridge/app_stream.hpp"
#include "qimux/bridge/dns_answerer.hpp"
#include "qimux/bridge/dns_stream.hpp"
#include "qimux/bridge/multiplexer.hpp"
#include "qimux/net/address.hpp"

#include <functional>
#include <list>
#include <memory>

namespace qimux::bridge {

class NameService {
 public:
  // `upstream`: who is asked for types other than A, over a UDP socket of the module; nothing: NODATA.
  NameService(async::Loop& loop, Multiplexer& multiplexer, const DnsOptions& options,
              std::optional<net::Endpoint> upstream);
  ~NameService();

  // One message; the reply comes now or later, or never.
  void ask(ByteView message, DnsTransport transport, DnsReply reply);
  // A program's connection to port 53. `closed` is called once, from the loop, when it is over.
  void serve(std::unique_ptr<AppStream> stream, std::function<void()> closed);

  void online(bool up);
  const DnsAnswerer& answerer() const { return answerer_; }
  std::size_t connections() const { return connections_.size(); }
  std::uint64_t connectionsRefused() const { return connections_refused_; }

 private:
  class Connection;
  class Upstream;
  static constexpr std::size_t kMaxConnections = 16;

  void pump();
  void rearm();

  async::Loop& loop_;
  Multiplexer& multiplexer_;
  DnsAnswerer answerer_;
  async::Timer deadline_;
  std::size_t asked_ = 0;  // names the module has not answered
  std::list<std::unique_ptr<Connection>> connections_;
  std::uint64_t connections_refused_ = 0;
  std::unique_ptr<Upstream> upstream_;
  std::shared_ptr<bool> alive_;  // false after the destruction: late answers of the multiplexer ask it
};

}  // namespace qimux::bridge
