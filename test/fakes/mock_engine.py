#!/usr/bin/python3
"""A mock of llama-server for tests: takes its arguments, answers as it does, and misbehaves when the
last user message asks for it.

usage: mock_engine.py --host PATH.sock|ADDRESS [--port N] --alias NAME [any other flag of llama-server]

With TCP and port 0 the port is printed as the first line. The last user message (or the prompt) may be
  mock:count N [MS]   N words, MS milliseconds apart (default)
  mock:big N          one chunk with N characters
  mock:flood N        N chunks of 64 KiB each
  mock:crash N        N words, then the process dies
  mock:close N        N words, then the connection closes without [DONE]
  mock:nodone         a clean end of body without [DONE]
  mock:garbage        bytes that are no SSE
  mock:badjson        an SSE event that is no JSON
  mock:stall N        N words, then nothing
  mock:error STATUS   an error reply that quotes the prompt, as pydantic does
  mock:errorevent     words, then an error event
  mock:plain          plain JSON although a stream was asked for
  mock:noid           chunks without an id
  mock:canceled       how many requests were cut off by the client so far
  mock:body           the request as the engine received it
  mock:progress       how many words or chunks the mock:count or mock:flood running last has sent

It dies at once if the model's file name holds "boot-fails".
"""
import argparse
import json
import os
import socketserver
import http.server
import sys
import threading
import time

cut_off = 0
progress = 0
lock = threading.Lock()


def last_user_text(request):
    if "prompt" in request:
        return request["prompt"] if isinstance(request["prompt"], str) else ""
    for message in reversed(request.get("messages", [])):
        if message.get("role") == "user":
            return message["content"] if isinstance(message["content"], str) else ""
    return ""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def reply(self, status, body, kind="application/json"):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/health":
            self.reply(200, {"status": "ok"})
        elif self.path == "/v1/models":
            self.reply(200, {"object": "list", "data": [{"id": self.server.alias, "object": "model",
                                                         "created": 1, "owned_by": "mock"}]})
        elif self.path == "/metrics":
            self.reply(200, b"mock_requests_total 1\n", "text/plain")
        else:
            self.reply(404, {"error": {"code": 404, "message": "File Not Found", "type": "not_found_error"}})

    def do_POST(self):
        global cut_off
        raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        try:
            request = json.loads(raw)
        except ValueError:
            self.reply(400, {"error": {"code": 400, "message": "bad json", "type": "invalid_request_error"}})
            return
        self.is_chat = "chat" in self.path
        self.raw = raw
        self.no_id = False
        # Printed as a careless engine would: nothing of it may reach a log of ours.
        print("prompt was:", last_user_text(request), flush=True)
        try:
            self.behave(request)
        except (BrokenPipeError, ConnectionResetError):
            with lock:
                cut_off += 1
            self.close_connection = True

    # One SSE chunk.
    def chunk(self, text=None, finish=None, usage=None):
        event = {"choices": [], "created": 1700000000, "model": self.server.alias,
                 "object": "chat.completion.chunk" if self.is_chat else "text_completion",
                 "system_fingerprint": "mock-1"}
        if not self.no_id:
            event["id"] = "chatcmpl-" + self.id
        if usage is None:
            choice = {"index": 0, "finish_reason": finish}
            if self.is_chat:
                choice["delta"] = {} if text is None else {"content": text}
            else:
                choice["text"] = text or ""
            event["choices"] = [choice]
        else:
            event["usage"] = {"completion_tokens": usage, "prompt_tokens": 7, "total_tokens": 7 + usage}
            event["timings"] = {"predicted_ms": 1.5}
        self.send(b"data: " + json.dumps(event).encode() + b"\n\n")

    def send(self, data):
        self.wfile.write(b"%x\r\n" % len(data) + data + b"\r\n")
        self.wfile.flush()

    def begin(self):
        self.id = os.urandom(12).hex()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def words(self, count, pause_ms=0):
        global progress
        for i in range(count):
            self.chunk("word%d " % i)
            progress = i + 1
            if pause_ms:
                time.sleep(pause_ms / 1000)

    def finish(self, count):
        self.chunk(finish="stop")
        self.chunk(usage=count)
        self.send(b"data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def behave(self, request):
        global progress
        text = last_user_text(request)
        words = text.split()
        kind = words[0] if words else ""
        number = int(words[1]) if len(words) > 1 and words[1].isdigit() else 3
        pause = int(words[2]) if len(words) > 2 and words[2].isdigit() else 0
        if kind == "mock:error":
            body = {"object": "error", "code": number, "type": "BadRequestError", "param": None, "message":
                    "1 validation error\n  {'type': 'missing', 'input': '%s', 'ctx': {}}\nFile \"/x.py\", line 3" % text}
            self.reply(number, body)
            return
        if kind == "mock:plain":
            self.reply(200, {"id": "chatcmpl-plain", "object": "chat.completion", "created": 1, "model": "x",
                             "choices": [{"index": 0, "finish_reason": "stop",
                                          "message": {"role": "assistant", "content": "plain"}}],
                             "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}})
            return
        if kind == "mock:garbage":
            self.reply(200, b"\x00\xff not an event stream \r\r\n\n" * 50, "text/event-stream")
            return
        self.no_id = kind == "mock:noid"
        self.begin()
        if kind == "mock:crash":
            self.words(number)
            os._exit(9)
        elif kind == "mock:close":
            self.words(number)
            self.close_connection = True
        elif kind == "mock:nodone":
            self.words(2)
            self.wfile.write(b"0\r\n\r\n")
        elif kind == "mock:badjson":
            self.words(1)
            self.send(b"data: {not json\n\n")
            self.finish(1)
        elif kind == "mock:stall":
            self.words(number)
            while True:
                time.sleep(0.2)
                self.send(b": still here\n\n") if pause else None
        elif kind == "mock:errorevent":
            self.words(2)
            self.send(b'data: {"error":{"code":500,"message":"it broke","type":"server_error"}}\n\n')
            self.wfile.write(b"0\r\n\r\n")
        elif kind == "mock:big":
            self.chunk("x" * number)
            self.finish(1)
        elif kind == "mock:flood":
            for i in range(number):
                self.chunk("x" * 65536)
                progress = i + 1
            self.finish(number)
        elif kind == "mock:canceled":
            self.chunk(str(cut_off))
            self.finish(1)
        elif kind == "mock:progress":
            self.chunk(str(progress))
            self.finish(1)
        elif kind == "mock:body":
            self.chunk(self.raw.decode())
            self.finish(1)
        elif kind == "mock:count":
            self.words(number, pause)
            self.finish(number)
        else:
            self.chunk("Hello")
            self.chunk(" there.")
            self.finish(2)


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 128

    def get_request(self):
        request, _ = super().get_request()
        return request, ("unix", 0)

    def handle_error(self, request, client_address):
        pass


class TcpServer(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass


def main():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--alias", default="mock")
    parser.add_argument("--model", default="")
    args, _ = parser.parse_known_args()
    if "boot-fails" in args.model:
        print("error loading model: no such weights \x1b[31m\u00e9", flush=True)
        sys.exit(1)
    if args.host.endswith(".sock"):
        print("mock engine starting", flush=True)
        server = UnixServer(args.host, Handler)
    else:
        server = TcpServer((args.host, args.port), Handler)
        print(server.server_address[1], flush=True)
    server.alias = args.alias
    server.serve_forever()


if __name__ == "__main__":
    main()
