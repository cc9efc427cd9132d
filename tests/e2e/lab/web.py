"""A web server in the internet: GET gives prepared bytes, PUT keeps what came."""

import http.server
import socketserver
import threading


class Web(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def __init__(self, lab, port=80, files=None, tls=None):
        """`tls`: an ssl.SSLContext of a server."""
        super().__init__(("", port), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = lab.internet.listen(("0.0.0.0", port))
        self._tls = tls
        self.files = files or {}
        self.stored = {}
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def finish_request(self, request, client_address):
        if self._tls:
            request.settimeout(_Handler.timeout)
            request = self._tls.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)

    def close(self):
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address):
        pass  # a client that went away; the scenario notices


class _Handler(http.server.BaseHTTPRequestHandler):
    timeout = 120

    def do_GET(self):
        content = self.server.files.get(self.path)
        self.send_response(200 if content is not None else 404)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")

    def do_PUT(self):
        size = int(self.headers["Content-Length"])
        if "100-continue" in self.headers.get("Expect", ""):
            self.send_response_only(100)
            self.end_headers()
        self.server.stored[self.path] = self.rfile.read(size)
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass
