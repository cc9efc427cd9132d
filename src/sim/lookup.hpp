// Questions to this machine's resolver. It knows only how to block, so each is asked on a thread of its own,
// which nobody waits for: the program may end while a name server is silent.
#pragma once

#include "qimux/async/uv_loop.hpp"
#include "qimux/sim/network.hpp"

#include <list>
#include <string>

namespace qimux::sim {

class Lookups {
 public:
  explicit Lookups(async::UvLoop& loop);
  ~Lookups();

  // `done` is called once from the loop, unless this is destroyed before; with no address where too many
  // questions are under way.
  void ask(const std::string& host, Network::Resolved done);

 private:
  struct Answer;
  struct Question;

  void answered(std::list<Question>::iterator question);

  async::UvLoop& loop_;
  std::list<Question> questions_;
};

}  // namespace qimux::sim
