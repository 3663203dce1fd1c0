#!/usr/bin/env python3
"""A small web server for tests of HTTP clients; prints its port (or path) as its first line.

usage: web_server.py [--unix PATH] [--tls CERT KEY] [--tls12]

/ok answers "hello"; /echo answers method, path, headers asked for and body; /big 1 MiB; /stall sends
a head and five of ten bytes and then nothing; /silent never answers; /redirect is a 302; /status/N.
"""
import argparse
import http.server
import os
import socketserver
import ssl
import time


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def route(self, body):
        if self.path == "/ok":
            self.answer(200, b"hello", [("X-Test", "  padded value ")])
        elif self.path == "/echo":
            text = "%s %s|%s|" % (self.command, self.path, self.headers.get("x-sent", ""))
            self.answer(200, text.encode() + body)
        elif self.path == "/big":
            self.answer(200, b"x" * (1 << 20))
        elif self.path == "/stall":
            self.send_response(200)
            self.send_header("Content-Length", "10")
            self.end_headers()
            self.wfile.write(b"01234")
            self.wfile.flush()
            time.sleep(30)
        elif self.path == "/silent":
            time.sleep(30)
        elif self.path == "/redirect":
            self.answer(302, b"elsewhere", [("Location", "/ok")])
        elif self.path.startswith("/status/"):
            self.answer(int(self.path[8:]), b"as asked")
        else:
            self.answer(404, b"none")

    def do_GET(self):
        self.route(b"")

    def do_POST(self):
        self.route(self.rfile.read(int(self.headers.get("Content-Length", "0"))))


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def get_request(self):
        request, _ = super().get_request()
        return request, ("unix", 0)

    def handle_error(self, request, client_address):
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--unix")
    parser.add_argument("--tls", nargs=2)
    parser.add_argument("--tls12", action="store_true")
    args = parser.parse_args()
    if args.unix:
        if os.path.exists(args.unix):
            os.unlink(args.unix)
        server = UnixServer(args.unix, Handler)
        where = args.unix
    else:
        server = Server(("127.0.0.1", 0), Handler)
        where = server.server_address[1]
    if args.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*args.tls)
        if args.tls12:
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    print(where, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
