from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from caduceus._frames import FrameError, encode_frame, encode_message
from caduceus._lanes import Invitation, Lane, StartError, open_lanes, take_invitation
from caduceus._values import encode_value

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGE = bytes(range(256)) * 4_000


def test_the_invitation_is_taken_out_of_the_environment() -> None:
    environ = {"CADUCEUS_WORKER": '{"socket": "/s", "nonce": "n"}', "HOME": "/"}
    assert take_invitation(environ) == Invitation("/s", "n")
    assert environ == {"HOME": "/"}


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"socket": "/s"}', '{"socket": 1, "nonce": "n"}']
)
def test_a_malformed_invitation_is_refused_and_removed(text: str) -> None:
    environ = {"CADUCEUS_WORKER": text}
    with pytest.raises(StartError, match="malformed"):
        take_invitation(environ)
    assert environ == {}


def test_a_missing_invitation_is_explained() -> None:
    with pytest.raises(StartError, match="not set"):
        take_invitation({})


def test_a_socket_that_is_not_there_is_a_start_error() -> None:
    with pytest.raises(StartError, match="cannot open the control lane at /no/such/socket"):
        open_lanes(Invitation("/no/such/socket", "n"))


@pytest.mark.parametrize("parent", ['"1"', "-1", "true", "1.5"])
def test_a_parent_that_is_no_process_is_refused(parent: str) -> None:
    text = f'{{"socket": "/s", "nonce": "n", "parentPid": {parent}}}'
    with pytest.raises(StartError, match="parentPid must be a process or null"):
        take_invitation({"CADUCEUS_WORKER": text})


@pytest.fixture
def pair() -> Iterator[tuple[Lane, socket.socket]]:
    """Give a lane, and the other end of its connection."""
    here, there = socket.socketpair()
    with here, there:
        for connection in (here, there):
            connection.settimeout(10)
        here.setblocking(True)
        yield Lane(here), there


def _headers(lane: Lane, count: int) -> list[dict[str, Any] | None]:
    found = [lane.receive() for _ in range(count)]
    return [None if message is None else message[0] for message in found]


def test_several_messages_of_one_read_come_one_by_one(pair: tuple[Lane, socket.socket]) -> None:
    lane, there = pair
    there.sendall(encode_frame({"n": 1}) + encode_frame({"n": 2}))
    there.shutdown(socket.SHUT_WR)
    assert _headers(lane, 3) == [{"n": 1}, {"n": 2}, None]


def test_a_message_that_has_been_read_already_is_had_without_waiting(
    pair: tuple[Lane, socket.socket],
) -> None:
    lane, there = pair
    there.sendall(encode_frame({"n": 1}) + encode_frame({"n": 2}))
    # Nothing is read for it.
    assert lane.receive_nowait() is None
    assert _headers(lane, 1) == [{"n": 1}]
    assert lane.receive_nowait() == ({"n": 2}, ())
    assert lane.receive_nowait() is None


def test_a_large_message_comes_between_small_ones(pair: tuple[Lane, socket.socket]) -> None:
    lane, there = pair
    parts = encode_message('{"n":2', "value", encode_value([LARGE, b"x"]))
    stream = encode_frame({"n": 1}) + b"".join(parts) + encode_frame({"n": 3})
    sender = threading.Thread(target=there.sendall, args=(stream,))
    sender.start()
    assert _headers(lane, 1) == [{"n": 1}]
    message = lane.receive()
    assert message is not None
    assert [bytes(segment) for segment in message[1]] == [LARGE, b"x"]
    assert _headers(lane, 1) == [{"n": 3}]
    sender.join()


def test_everything_is_sent_when_the_other_side_takes_it_in_small_pieces(
    pair: tuple[Lane, socket.socket],
) -> None:
    lane, there = pair
    parts = encode_message('{"n":1', "value", encode_value([LARGE, b"", b"x", LARGE]))
    there.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sender = threading.Thread(target=lane.send, args=(parts,))
    sender.start()
    wanted = b"".join(parts)
    received = bytearray()
    while len(received) < len(wanted):
        received += there.recv(10_007)
    sender.join()
    assert received == wanted


def test_more_parts_are_sent_than_one_system_call_takes(pair: tuple[Lane, socket.socket]) -> None:
    lane, there = pair
    parts = encode_message('{"n":1', "value", encode_value([b"abc"] * 3_000))
    assert len(parts) > 3_000
    sender = threading.Thread(target=lane.send, args=(parts,))
    sender.start()
    message = Lane(there).receive()
    sender.join()
    assert message is not None
    assert [bytes(segment) for segment in message[1]] == [b"abc"] * 3_000


@pytest.mark.parametrize("frame", [encode_frame({"n": 1}), [encode_frame({"n": 1})]])
def test_one_part_is_sent_as_it_is(
    pair: tuple[Lane, socket.socket], frame: bytes | list[bytes | memoryview]
) -> None:
    lane, there = pair
    lane.send(frame)
    assert there.recv(100) == encode_frame({"n": 1})


@pytest.mark.parametrize(
    "frame",
    [encode_frame({"n": 1}), b"".join(encode_message('{"n":1', "v", encode_value(LARGE)))],
    ids=["small", "large"],
)
def test_an_end_inside_a_frame_is_a_frame_error(
    pair: tuple[Lane, socket.socket], frame: bytes
) -> None:
    lane, there = pair

    def send_most() -> None:
        there.sendall(frame[:-1])
        there.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send_most)
    sender.start()
    with pytest.raises(FrameError, match="ends inside a frame"):
        lane.receive()
    sender.join()


def test_a_waiting_receive_can_be_ended_from_another_thread(
    pair: tuple[Lane, socket.socket],
) -> None:
    lane, _there = pair
    stopper = threading.Thread(target=lane.stop_receiving)
    stopper.start()
    assert lane.receive() is None
    stopper.join()
