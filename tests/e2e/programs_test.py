"""Programs that know nothing of any of this: scp, mosquitto with TLS, coap-client, socat, nc."""

import os
import socket
import subprocess

from lab import check, equal, every_byte, isolation, pattern, run, sha256, until
from lab.process import wait_listening

WORK = "/run/qimux-lab"


def write(name, content):
    path = f"{WORK}/{name}"
    with open(path, "wb") as file:
        file.write(content)
    return path


def read(name):
    with open(f"{WORK}/{name}", "rb") as file:
        return file.read()


def succeed(lab, argv, timeout=120, **more):
    ended = lab.gateway.run(argv, timeout=timeout, **more)
    check(ended.returncode == 0, f"{argv[0]} ends with 0 {ended.stderr.decode(errors='replace').strip()[-300:]}")
    return ended.stdout


def scp(lab):
    """openssh scp, there and back, 30 kB of every byte value"""
    os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
    home = f"{WORK}/ssh"
    os.makedirs(home, mode=0o700)
    for key in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{home}/{key}"], check=True)
    # A root account that is locked ("!") could not log in with a key either; only the view of it in here changes.
    with open("/etc/shadow") as file:
        lines = file.read().splitlines()
    isolation.bind("\n".join("root:*:19000:0:99999:7:::" if s.startswith("root:") else s for s in lines) + "\n", "/etc/shadow")
    write("ssh/sshd_config", f"""Port 22
ListenAddress {lab.SERVER}
HostKey {home}/host
AuthorizedKeysFile {home}/user.pub
StrictModes no
UsePAM no
PidFile none
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
""".encode())
    lab.start(lab.internet, "sshd", ["/usr/sbin/sshd", "-D", "-e", "-f", f"{home}/sshd_config"])
    wait_listening(lab.internet, 22)
    content = every_byte(30_000)
    source = write("sent", content)
    options = ["-q", "-i", f"{home}/user", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
               "-o", "ConnectTimeout=60", "-F", "none", "-o", "Ciphers=aes128-ctr", "-o", "Compression=no"]
    succeed(lab, ["scp", *options, source, f"root@{lab.SERVER}:{WORK}/arrived"])
    equal(sha256(read("arrived")), sha256(content), "sha256 at the server")
    succeed(lab, ["scp", *options, f"root@{lab.SERVER}:{WORK}/arrived", f"{WORK}/returned"])
    equal(sha256(read("returned")), sha256(content), "sha256 back here")


def certificate(name, subject_alt):
    """A self-made authority and a certificate of it."""
    def openssl(*argv):
        subprocess.run(["openssl", *argv], check=True, capture_output=True)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=lab",
            "-keyout", f"{WORK}/ca.key", "-out", f"{WORK}/ca.crt")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
            "-keyout", f"{WORK}/server.key", "-out", f"{WORK}/server.csr")
    write("extension", f"subjectAltName={subject_alt}\n".encode())
    openssl("x509", "-req", "-days", "2", "-in", f"{WORK}/server.csr", "-CA", f"{WORK}/ca.crt", "-CAkey", f"{WORK}/ca.key",
            "-CAcreateserial", "-extfile", f"{WORK}/extension", "-out", f"{WORK}/server.crt")
    for file in ("ca.crt", "server.key", "server.crt"):
        os.chmod(f"{WORK}/{file}", 0o644)  # mosquitto gives up root before it reads them


def mosquitto(lab):
    """MQTT with TLS: what one program publishes, another one gets"""
    certificate("broker.example.net", f"IP:{lab.SERVER},DNS:broker.example.net")
    write("mosquitto.conf", f"""listener 8883 {lab.SERVER}
allow_anonymous true
cafile {WORK}/ca.crt
certfile {WORK}/server.crt
keyfile {WORK}/server.key
""".encode())
    os.chmod(WORK, 0o755)
    broker = lab.start(lab.internet, "mosquitto", ["mosquitto", "-v", "-c", f"{WORK}/mosquitto.conf"])
    wait_listening(lab.internet, 8883)
    common = ["-h", "broker.example.net", "-p", "8883", "--cafile", f"{WORK}/ca.crt", "-t", "meter/1", "-q", "1"]
    message = "21.5 \u00b0C, " + "x" * 1500
    with open(f"{WORK}/message", "wb") as got:
        subscriber = lab.start(lab.gateway, "mosquitto_sub", ["mosquitto_sub", *common, "-C", "1", "-W", "60"], stdout=got)
        broker.wait_line(r"Sending SUBACK", 30)
        succeed(lab, ["mosquitto_pub", *common, "-m", message])
        equal(subscriber.wait(30), 0, "exit code of mosquitto_sub")
    equal(read("message").decode(), message + "\n", "message")


def coap(lab):
    """CoAP over UDP: a resource is written block by block and read again"""
    lab.start(lab.internet, "coap-server", ["coap-server-notls", "-A", lab.SERVER])
    wait_listening(lab.internet, 5683, "udp")
    url = f"coap://{lab.SERVER}"
    first = succeed(lab, ["coap-client-notls", "-B", "20", "-m", "get", f"{url}/"])
    check(b"libcoap" in first, f"the server introduces itself: {first.splitlines()[:1]}")
    content = bytes(range(32, 127)) * 30
    succeed(lab, ["coap-client-notls", "-B", "60", "-b", "512", "-m", "put", "-f", write("coap", content), f"{url}/example_data"])
    back = succeed(lab, ["coap-client-notls", "-B", "60", "-b", "512", "-m", "get", "-o", f"{WORK}/coap.back", f"{url}/example_data"])
    equal(sha256(read("coap.back") or back), sha256(content), f"sha256 of {len(content)} bytes, put and got")


def socat_stream(lab):
    """socat to socat over TCP"""
    content = pattern(8_000, seed=4)
    server = lab.start(lab.internet, "socat-server", ["socat", "-u", f"TCP-LISTEN:7100,bind={lab.SERVER}", f"CREATE:{WORK}/socat"])
    wait_listening(lab.internet, 7100)
    succeed(lab, ["socat", "-u", f"OPEN:{write('stream', content)}", f"TCP:{lab.SERVER}:7100"])
    equal(server.wait(60), 0, "exit code of the serving socat")
    equal(sha256(read("socat")), sha256(content), "sha256 at the server")


def socat_datagrams(lab):
    """socat to socat over UDP, there and back"""
    lab.start(lab.internet, "socat-echo", ["socat", f"UDP-LISTEN:7101,bind={lab.SERVER},fork", "EXEC:cat"])
    wait_listening(lab.internet, 7101, "udp")
    out = succeed(lab, ["socat", "-t", "5", "-", f"UDP:{lab.SERVER}:7101"], input=b"a datagram\n")
    equal(out, b"a datagram\n", "what came back")


def nc_datagrams(lab):
    """nc -u"""
    echo = lab.socket(socket.SOCK_DGRAM, lab.internet)
    echo.bind((lab.SERVER, 7102))
    client = lab.start(lab.gateway, "nc-udp", ["nc", "-u", "-w", "5", lab.SERVER, "7102"], stdin=subprocess.PIPE)
    client.popen.stdin.write(b"question\n")
    client.popen.stdin.flush()
    question, peer = echo.recvfrom(100)
    equal(question, b"question\n", "at the server")
    echo.sendto(b"answer\n", peer)
    until(lambda: client.log() == "answer\n", 10, "nc to print the answer")
    check(True, "nc printed the answer")


if __name__ == "__main__":
    run(({"hosts": [("broker.example.net", "198.51.100.1")], "settings": {"sockets": {"half_close_linger": "4s"}}},
         [scp, mosquitto, coap, socat_stream, socat_datagrams, nc_datagrams]))
