# SPDX-License-Identifier: Apache-2.0
"""Spans whose requests arrive in pieces, as networks, proxies and large headers cut them: none is lost."""
import pathlib
import socket
import time

from otlp_text import TracesData, to_json
from weft_process import WeftTest, wait_for

TRACE = "0af7651916cd43dd8448eb211c80319c"


def batch(number):
    data = TracesData()
    span = data.resource_spans.add().scope_spans.add().spans.add()
    span.trace_id, span.span_id = bytes.fromhex(TRACE), number.to_bytes(8, "big")
    span.name, span.kind = f"cut at {number}", 2
    span.start_time_unix_nano, span.end_time_unix_nano = time.time_ns(), time.time_ns()
    return data


def request(body, content_type, chunked, large=0):
    head = f"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\n"
    if large:
        head += f"X-Baggage: {'b' * large}\r\nX-After: 1\r\n"
    if not chunked:
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    half = len(body) // 2
    return (f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() +
            b"".join(b"%x;part\r\n%s\r\n" % (len(part), part) for part in (body[:half], body[half:])) +
            b"0\r\nX-Sum: 1\r\n\r\n")


def was_read(sock):
    """True when the server's end of the connection holds nothing that it has not read."""
    ends = ["0100007F:%04X" % end[1] for end in (sock.getpeername(), sock.getsockname())]
    for line in pathlib.Path("/proc/net/tcp").read_text(encoding="ascii").splitlines():
        words = line.split()
        if words[1:3] == ends:
            return words[4].endswith(":00000000")
    return True  # it is closed


class CutsTest(WeftTest):
    def send(self, sock, pieces):
        for piece in pieces:
            sock.sendall(piece)
            deadline = time.monotonic() + 10
            while not was_read(sock) and time.monotonic() < deadline:
                pass
        answer = sock.recv(65536)
        self.assertEqual(answer[:13], b"HTTP/1.1 200 ", answer[:300])

    def connect(self, weft):
        sock = socket.create_connection(("127.0.0.1", 4318 + weft.offset), timeout=10)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.addCleanup(sock.close)
        return sock

    def test_no_span_is_lost_wherever_its_request_is_cut(self):
        weft = self.weft()
        sock, sent = self.connect(weft), 0
        for chunked in (False, True):
            for json in (False, True):
                def whole(number):
                    data = batch(number)
                    body = to_json(data) if json else data.SerializeToString()
                    kind = "application/json" if json else "application/x-protobuf"
                    return request(body, kind, chunked)
                for at in range(1, len(whole(1))):
                    sent += 1
                    bytes_ = whole(sent)
                    self.send(sock, (bytes_[:at], bytes_[at:]))
                sent += 1
                self.send(sock, (bytes([byte]) for byte in whole(sent)))
        for at in range(1, 6400, 71):  # within a large header, on new connections
            sent += 1
            bytes_ = request(batch(sent).SerializeToString(), "application/x-protobuf", False, large=6144)
            self.send(self.connect(weft), (bytes_[:at], bytes_[at:]))
        wait_for("all spans", lambda: len((weft.trace(TRACE) or (0, []))[1]) == sent, 20)
        self.assertEqual({span["name"] for span in weft.trace(TRACE)[1]},
                         {f"cut at {number}" for number in range(1, sent + 1)})
