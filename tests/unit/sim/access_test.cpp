// AT+QICSGP and the access points that the network has.
#include "rig.hpp"
#include "support/catch.hpp"

using namespace qimux;
using namespace qimux::sim;
using namespace qimux::sim::test;

TEST_CASE("an access point that the network does not have refuses the activation", "[AT+QICSGP][AT+QIACT]") {
  Options options;
  options.access_points = {"internet", "m2m"};
  Rig rig(options);
  rig.say("ATE0");
  rig.say("AT+QICSGP=1,\"intranet\";+QIREGAPP");
  CHECK(rig.say("AT+QIACT", 1s) == "\r\nERROR\r\n");
  CHECK(rig.transcript.find("-- access point \"intranet\": there is none of that name") != std::string::npos);
  CHECK(rig.say("AT+QISTAT") == "\r\nOK\r\n\r\nSTATE: PDP DEACT\r\n");
  rig.say("AT+QIDEACT", 1s);
  CHECK(rig.say("AT+QIREGAPP=\"m2m\",\"user\",\"secret\"") == "\r\nOK\r\n");
  CHECK(rig.say("AT+QIACT", 1s) == "\r\nOK\r\n");
  CHECK(rig.transcript.find("-- access point \"m2m\"") != std::string::npos);
  CHECK(rig.transcript.find("secret") == rig.transcript.rfind("secret"));
}
