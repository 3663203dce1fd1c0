#!/usr/bin/env python3
"""A server that answers with exact bytes, good and bad, for tests of net/client.h. The path says how.

usage: raw_server.py [--unix PATH] [--tls CERT KEY]      prints its port (or path) as the first line

/len /chunked /close /split /interim /nobody /big/N      sound replies of every framing
/who          "<connection>:<request on it>"             to see connections reused
/stale        a keep-alive reply, then the connection is closed
/once         the first time on a connection that was used before: closed without a byte
/bad /badchunk /half /nothing /leftover /cut             broken ones
/silent /stall /early /echolen /slowread                 slow ones, early ones, the body's length
"""
import argparse
import socket
import ssl
import threading
import time

connections = 0
lock = threading.Lock()


def read_head(conn, rest):
    while b"\r\n\r\n" not in rest:
        more = conn.recv(65536)
        if not more:
            return None, b""
        rest += more
    return rest.split(b"\r\n\r\n", 1)


def body_length(head):
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return int(line.split(b":")[1])
    return 0


def read_body(conn, rest, length, pause=0.0):
    while len(rest) < length:
        if pause:
            time.sleep(pause)
        more = conn.recv(65536)
        if not more:
            return None
        rest += more
    return rest[length:]


def sized(body, extra=b""):
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n%s" % (len(body), extra, body)


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def answer(conn, path, number, count, length):
    """Whether the connection stays open."""
    send = conn.sendall
    if path == "/len":
        send(sized(b"hello", b"X-Empty:\r\n"))
    elif path == "/chunked":
        send(CHUNKED + chunk(b"hel") + chunk(b"lo") + b"0\r\n\r\n")
    elif path == "/close":
        send(b"HTTP/1.1 200 OK\r\n\r\nhello")
        return False
    elif path == "/split":
        for byte in CHUNKED + chunk(b"hello") + b"0\r\nx-trailer: 1\r\n\r\n":
            send(bytes([byte]))
            time.sleep(0.001)
    elif path == "/interim":
        send(b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + sized(b"hello"))
    elif path == "/nobody":
        send(b"HTTP/1.1 204 No Content\r\n\r\n")
    elif path.startswith("/big/"):
        send(CHUNKED)
        for _ in range(int(path[5:])):
            send(chunk(b"x" * 65536))
        send(b"0\r\n\r\n")
    elif path == "/who":
        send(sized(b"%d:%d" % (number, count)))
    elif path == "/stale":
        send(sized(b"stale"))
        return False
    elif path == "/once":
        if count > 1:
            return False
        send(sized(b"fresh"))
    elif path == "/bad":
        send(b"HTTQ/1.1 200 OK\r\n\r\n")
    elif path == "/badchunk":
        send(CHUNKED + b"zz\r\n")
    elif path == "/half":
        send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234")
        return False
    elif path == "/cut":
        send(CHUNKED + chunk(b"hello"))
        return False
    elif path == "/nothing":
        return False
    elif path == "/leftover":
        send(sized(b"hello") + b"HTTP/1.1 200 OK\r\n")
    elif path == "/longhead":
        send(b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 70000 + b"\r\n\r\n")
    elif path == "/silent":
        time.sleep(30)
    elif path == "/stall":
        send(CHUNKED + chunk(b"hello"))
        time.sleep(30)
    elif path in ("/echolen", "/slowread"):
        send(sized(b"%d" % length))
    else:
        send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    return True


def serve(conn):
    global connections
    with lock:
        connections += 1
        number = connections
    rest, count = b"", 0
    try:
        while True:
            head, rest = read_head(conn, rest)
            if head is None:
                break
            count += 1
            path = head.split(b" ")[1].decode()
            length = body_length(head)
            if path == "/early":
                conn.sendall(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n"
                             b"Connection: close\r\n\r\nbig")
                time.sleep(0.3)
                break
            rest = read_body(conn, rest, length, 0.002 if path == "/slowread" else 0.0)
            if rest is None or not answer(conn, path, number, count, length):
                break
    except OSError:
        pass
    try:
        if isinstance(conn, ssl.SSLSocket):
            conn.settimeout(1)
            conn.unwrap()
        conn.close()
    except OSError:
        pass


def accept(conn, context):
    try:
        if context is not None:
            conn = context.wrap_socket(conn, server_side=True)
    except OSError:
        return
    serve(conn)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--unix")
    parser.add_argument("--tls", nargs=2)
    args = parser.parse_args()
    context = None
    if args.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*args.tls)
    if args.unix:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(args.unix)
    else:
        listener = socket.create_server(("127.0.0.1", 0))
    listener.listen(64)
    print(args.unix or listener.getsockname()[1], flush=True)
    while True:
        conn, _ = listener.accept()
        threading.Thread(target=accept, args=(conn, context), daemon=True).start()


if __name__ == "__main__":
    main()
