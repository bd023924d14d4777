"""A reverse proxy that serves another server under a prefix, and can hang up in the middle of an answer."""

import http.client
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

PREFIX = "/tools/ddim"
OWN = {"connection", "transfer-encoding", "keep-alive", "host"}  # headers of one connection, not of the message


class Proxy(ThreadingHTTPServer):
    """upstream: a port here. elsewhere: what was asked outside of the prefix. hang_up_at: bytes of an answer of the
    live session after which the next one is cut off."""

    daemon_threads = True

    def __init__(self, upstream):
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream, self.elsewhere, self.hang_up_at, self.hung_up = upstream, [], None, 0


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        self.pass_on(None)

    def do_POST(self):
        self.pass_on(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def pass_on(self, body):
        if not self.path.startswith(PREFIX + "/"):
            self.server.elsewhere.append(self.path)
            self.send_error(404)
            return
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.upstream)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in OWN}
            headers["Host"] = self.headers["Host"]
            upstream.request(self.command, self.path.removeprefix(PREFIX), body, headers)
            answer = upstream.getresponse()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in OWN:
                    self.send_header(name, value)
            self.end_headers()
            sent = 0
            while part := answer.read1(65536):
                self.wfile.write(part)  # at once, as a stream needs it
                sent += len(part)
                if self.path.endswith("/ddim/want") and self.server.hang_up_at and sent >= self.server.hang_up_at:
                    self.server.hang_up_at = None
                    self.server.hung_up += 1
                    return
        except (ConnectionError, http.client.HTTPException):
            pass  # either side has gone
        finally:
            upstream.close()


@contextmanager
def proxied(address):
    """(the proxy, the address of the same page behind it)."""
    proxy = Proxy(int(address.rpartition(":")[2]))
    thread = Thread(target=proxy.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy, f"http://127.0.0.1:{proxy.server_port}{PREFIX}"
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join()
