"""Downloads and uploads arrive byte for byte, whatever the bytes are."""

import os

from lab import Web, check, equal, every_byte, note, pattern, protocol_text, run, sha256
from lab.process import elapsed, wait_listening

FILES = {"/every-byte": every_byte(20_000), "/protocol": protocol_text(20_000)}
BIG = protocol_text(700_000) + every_byte(600_000) + pattern(700_000)


def curl(lab, *arguments, timeout=170):
    argv = ["curl", "-sS", "--fail", "--max-time", str(timeout), *arguments]
    ended, seconds = elapsed(lambda: lab.gateway.run(argv, timeout=timeout + 10))
    check(ended.returncode == 0, f"curl {' '.join(arguments[-1:])} ends with 0 {ended.stderr.decode().strip()}")
    return ended.stdout, seconds


def web(lab, files):
    return lab.keep(Web(lab, 80, files))


def curl_downloads(lab):
    """curl fetches every byte value, and a file that is nothing but what modules say"""
    web(lab, FILES)
    for name, content in FILES.items():
        got, seconds = curl(lab, f"http://{lab.SERVER}{name}")
        equal(sha256(got), sha256(content), f"sha256 of {len(content)} bytes of {name}")
        note(f"{len(content) / seconds:.0f} bytes/s with connect and request")


def curl_uploads(lab):
    """curl sends the same files"""
    server = web(lab, {})
    for name, content in FILES.items():
        path = f"/run/qimux-lab{name}"
        with open(path, "wb") as file:
            file.write(content)
        _, seconds = curl(lab, "-T", path, f"http://{lab.SERVER}{name}")
        equal(sha256(server.stored[name]), sha256(content), f"sha256 of {len(content)} bytes at the server")
        note(f"{len(content) / seconds:.0f} bytes/s with connect and answer")


def nc_both_ways(lab):
    """nc to nc, a file each way, in one connection at the same time"""
    up, down = protocol_text(9_000, seed=7), every_byte(9_000)
    for name, content in (("up", up), ("down", down)):
        with open(f"/run/qimux-lab/{name}", "wb") as file:
            file.write(content)
    with open("/run/qimux-lab/down", "rb") as source, open("/run/qimux-lab/up.got", "wb") as sink:
        server = lab.start(lab.internet, "nc-server", ["nc", "-l", lab.SERVER, "7001"], stdin=source, stdout=sink)
        wait_listening(lab.internet, 7001)
        with open("/run/qimux-lab/up", "rb") as ours:
            ended = lab.gateway.run(["nc", "-N", lab.SERVER, "7001"], stdin=ours, timeout=90)
        equal(ended.returncode, 0, "exit code of nc")
        equal(sha256(ended.stdout), sha256(down), "sha256 of what nc received")
        equal(server.wait(60), 0, "exit code of the serving nc")
    with open("/run/qimux-lab/up.got", "rb") as got:
        equal(sha256(got.read()), sha256(up), "sha256 of what the serving nc received")


def big_download(lab):
    """2 MB down a faster line"""
    web(lab, {"/big": BIG})
    got, seconds = curl(lab, f"http://{lab.SERVER}/big")
    equal(sha256(got), sha256(BIG), f"sha256 of {len(BIG)} bytes")
    note(f"{len(BIG) / seconds:.0f} bytes/s of {lab.baud // 10}")


def big_upload(lab):
    """2 MB up a faster line"""
    server = web(lab, {})
    with open("/run/qimux-lab/big", "wb") as file:
        file.write(BIG)
    _, seconds = curl(lab, "-H", "Expect:", "-T", "/run/qimux-lab/big", f"http://{lab.SERVER}/big")
    equal(sha256(server.stored["/big"]), sha256(BIG), f"sha256 of {len(BIG)} bytes at the server")
    note(f"{len(BIG) / seconds:.0f} bytes/s of {lab.baud // 10}")
    os.remove("/run/qimux-lab/big")


SMALL = ({"settings": {"sockets": {"half_close_linger": "5s"}}}, [curl_downloads, curl_uploads, nc_both_ways])
LARGE = ({"baud": 921600, "rtt": 20}, [big_download, big_upload])

if __name__ == "__main__":
    run(SMALL, LARGE)
