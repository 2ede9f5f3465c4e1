"""Messages between two processes, over a socket that neither of them ever waits for.

A message is its length (4 bytes, big-endian), its form (1 byte) and MessagePack. Text of this host need not be valid
Unicode, which MessagePack cannot hold: a message with such text has the second form, in which that text is an extension
type, and is slower to read.
"""

import socket
import struct
from collections import deque
from typing import Any, Final, Generic, TypeVar

import msgspec

M = TypeVar("M")

_HEAD: Final = struct.Struct("!IB")
_PLAIN: Final = 0
_WITH_BROKEN_TEXT: Final = 1
_BROKEN_TEXT: Final = 1
"""The code of the extension type."""

_CHUNK: Final = 1 << 18


class Channel(Generic[M]):
    """One end of a socket: what comes is decoded as one of the messages `kind`.

    `waiting` is how many bytes were sent and have not yet left, `ended` whether nothing more will come.
    """

    def __init__(self, connected: socket.socket, kind: Any) -> None:  # noqa: ANN401 -- a union has no type.
        connected.settimeout(0.0)
        self._socket = connected
        self._kind = kind
        self._decoder: msgspec.msgpack.Decoder[M] = msgspec.msgpack.Decoder(kind)
        self._out: deque[memoryview] = deque()
        self._in = bytearray()
        self.waiting = 0
        self.ended = False

    def fileno(self) -> int:
        """Return the descriptor of the socket."""
        return self._socket.fileno()

    def send(self, message: object) -> None:
        """Send a message, now or with a later `flush`. Raises `EOFError` if nobody is there any more."""
        try:
            form, body = _PLAIN, msgspec.msgpack.encode(message)
        except UnicodeEncodeError:
            form, body = _WITH_BROKEN_TEXT, msgspec.msgpack.encode(_encodable(message))
        frame = _HEAD.pack(len(body), form) + body
        self._out.append(memoryview(frame))
        self.waiting += len(frame)
        self.flush()

    def flush(self) -> bool:
        """Send what the socket takes; return whether that is all. Raises `EOFError` if nobody is there any more."""
        while self._out:
            try:
                sent = self._socket.send(self._out[0])
            except BlockingIOError:
                return False
            except OSError as error:
                raise EOFError from error
            self.waiting -= sent
            rest = self._out[0][sent:]
            if rest:
                self._out[0] = rest
            else:
                self._out.popleft()
        return True

    def receive(self, at_most: int = 1 << 26) -> list[M]:
        """Return the messages that have come, of so many bytes about; see `ended`.

        Raises `msgspec.DecodeError` for what is no message.
        """
        taken = 0
        while taken < at_most and not self.ended:
            try:
                data = self._socket.recv(_CHUNK)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            self.ended = not data
            self._in += data
            taken += len(data)
        messages, begin = [], 0
        while len(self._in) - begin >= _HEAD.size:
            size, form = _HEAD.unpack_from(self._in, begin)
            end = begin + _HEAD.size + size
            if end > len(self._in):
                break
            body = bytes(self._in[begin + _HEAD.size : end])
            begin = end
            messages.append(self._decoder.decode(body) if form == _PLAIN else _decoded(body, self._kind))
        del self._in[:begin]
        return messages

    def close(self) -> None:
        """Close the socket. Further calls do nothing."""
        self._socket.close()


def _decoded(body: bytes, kind: Any) -> Any:  # noqa: ANN401 -- as above.
    return msgspec.convert(msgspec.msgpack.decode(body, ext_hook=_text), kind)


def _text(code: int, data: memoryview) -> str:
    if code != _BROKEN_TEXT:
        message = f"no message has an extension type {code}"
        raise msgspec.DecodeError(message)
    return str(data, "utf-8", "surrogatepass")


def _encodable(message: object) -> object:
    """Return the same in builtin types, with every broken text as an extension type."""
    return _replaced(msgspec.to_builtins(message, builtin_types=(bytes,)))


def _replaced(value: object) -> object:
    if isinstance(value, str):
        return value if value.isascii() else _of_text(value)
    if isinstance(value, dict):
        return {key: _replaced(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_replaced(member) for member in value]
    return value


def _of_text(value: str) -> object:
    try:
        value.encode()
    except UnicodeEncodeError:
        return msgspec.msgpack.Ext(_BROKEN_TEXT, value.encode("utf-8", "surrogatepass"))
    return value
