#include "qimux/sim/control.hpp"

#include "acceptor.hpp"
#include "port_stream.hpp"
#include "qimux/sim/fault.hpp"
#include "qimux/sim/module.hpp"

#include <unistd.h>

#include <list>
#include <memory>
#include <utility>

namespace qimux::sim {
namespace {

constexpr std::size_t kMostClients = 16;
constexpr std::size_t kLongestLine = 4096;

class UnixControl final : public ControlServer {
 public:
  UnixControl(async::UvLoop& loop, Fd listener, std::string path, Module& module)
      : loop_(loop),
        path_(std::move(path)),
        module_(module),
        acceptor_(loop, std::move(listener), [this] { accept(); }) {}
  ~UnixControl() override { ::unlink(path_.c_str()); }

 private:
  struct Client {
    std::unique_ptr<Stream> stream;
    std::string line;
  };

  void accept() {
    Fd fd = acceptor_.accept();
    if (!fd.valid() || clients_.size() >= kMostClients) return;
    const auto client = clients_.emplace(clients_.end());
    client->stream = std::make_unique<Stream>(
        loop_, std::move(fd), [this, client](ByteView bytes) { received(*client, bytes); },
        [this, client] { clients_.erase(client); });
  }

  void received(Client& client, ByteView bytes) {
    for (const Byte byte : bytes) {
      if (byte != '\n') {
        // The rest of a line that is too long is no verb either.
        if (client.line.size() < kLongestLine) client.line += static_cast<char>(byte);
        continue;
      }
      const std::string line = std::exchange(client.line, {});
      const auto done = runFault(module_, line);
      client.stream->write(bytesOf(done ? "ok\n" : "error " + printable(done.error().text()) + "\n"));
    }
  }

  async::UvLoop& loop_;
  std::string path_;
  Module& module_;
  Acceptor acceptor_;
  std::list<Client> clients_;
};

}  // namespace

Result<std::unique_ptr<ControlServer>> openControl(async::UvLoop& loop, const std::string& path,
                                                   Module& module) {
  auto fd = listenUnix(path);
  if (!fd) return std::unexpected(fd.error());
  return std::make_unique<UnixControl>(loop, std::move(*fd), path, module);
}

}  // namespace qimux::sim
