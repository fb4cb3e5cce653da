"""How an importing process and its workers speak to each other."""

import socket
import struct

FORK, KILL = b"fork", b"kill"
ORDER, NUMBER = struct.Struct("<4sq"), struct.Struct("<q")  # to the process that forks; from it
MEMORY = "memory"  # what a worker says that had too little of it; of any other fault it says the traceback
# Before a message: its size; to a worker how many seconds it may take, from it how large the tuples are behind it.
HEAD = struct.Struct("<QQ")


def exactly(asked: socket.socket, size: int) -> bytearray:
    """So many bytes; none where the other side has ended."""
    found = bytearray(size)
    view, at = memoryview(found), 0
    while at < size:
        got = asked.recv_into(view[at:])
        if not got:
            return bytearray()
        at += got
    return found
