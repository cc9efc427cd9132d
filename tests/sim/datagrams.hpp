// One UDP association from end to end: every datagram that arrives is one that was sent, whole, once, in
// order.
#pragma once

#include "qimux/bridge/multiplexer.hpp"
#include "sim/dice.hpp"
#include "sim/pattern.hpp"
#include "sim/world.hpp"

#include <string>
#include <vector>

namespace qimux::simtest {

struct DatagramPlan {
  int count = 10;  // that the program sends
  std::uint64_t least = 8;
  std::uint64_t most = 1460;
  async::Duration gap{0};  // between them, at most
  int replies = 1;         // to each that arrives, at most
  bool always = true;      // exactly so many
  async::Duration delay{0};
  std::uint64_t reply_most = 1460;
  bool spoilable = false;  // as in PeerPlan
};

class Datagrams final : public bridge::UdpObserver {
 public:
  Datagrams(World& world, int id, const DatagramPlan& plan, std::uint64_t seed);

  void start();
  // All is sent, and what can still come has had its time.
  bool over() const { return over_; }
  // `lossless`: nothing may be missing, where no datagram was given up for want of room or of a socket.
  void judge(bool lossless);

  int id() const { return id_; }
  std::size_t delivered() const { return up_.delivered; }
  std::size_t answered() const { return down_.delivered; }
  std::size_t replies() const { return down_.sizes.size(); }
  std::size_t replyBytes() const;

 private:
  class Far;
  // One direction: what was sent, and how far it has arrived.
  struct Way {
    StreamId stream = 0;
    std::vector<std::size_t> sizes;
    std::size_t next = 0;
    std::size_t delivered = 0;
  };
  Bytes make(Way& way, std::size_t size);
  void check(Way& way, ByteView bytes, const char* who);

  void datagram(ByteView payload) override { check(down_, payload, "program"); }
  void failed(bridge::Failure failure) override;
  void ended() override;

  void sendOne();
  void finish();
  void wrong(const std::string& what);

  World& world_;
  int id_;
  DatagramPlan plan_;
  Dice dice_;
  Way up_;
  Way down_;
  bridge::UdpSession* session_ = nullptr;
  async::Timer timer_;
  bool over_ = false;
  bool failed_ = false;
  bool gave_way_ = false;
  std::uint64_t dropped_ = 0;
};

}  // namespace qimux::simtest
