"""Sends one text message over a WebSocket and prints what comes back (RFC 6455), with nothing but the standard library."""
import base64
import os
import socket
import struct
import sys

host, port, path, message = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4].encode()


def read_exactly(connection, count):
    data = b""
    while len(data) < count:
        chunk = connection.recv(count - len(data))
        if not chunk:
            raise SystemExit("The server closed the connection early.")
        data += chunk
    return data


with socket.create_connection((host, port), timeout=20) as connection:
    key = base64.b64encode(os.urandom(16)).decode()
    connection.sendall(
        f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += read_exactly(connection, 1)
    if b" 101 " not in head.split(b"\r\n")[0]:
        raise SystemExit(f"No upgrade: {head!r}")

    mask = os.urandom(4)
    masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(message))
    connection.sendall(struct.pack("!BB", 0x81, 0x80 | len(message)) + mask + masked)  # one final text frame, under 126 bytes

    received = b""
    while len(received) < len(message):
        _, length = read_exactly(connection, 2)
        received += read_exactly(connection, length)
    print(received.decode())
