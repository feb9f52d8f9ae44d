from __future__ import annotations

import socket
import threading

import pytest

from caduceus._frames import FrameError, encode_frame
from caduceus._lanes import Invitation, Lane, StartError, open_lanes, take_invitation


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


def test_several_messages_of_one_read_come_one_by_one() -> None:
    here, there = socket.socketpair()
    with here, there:
        lane = Lane(here)
        there.sendall(encode_frame({"n": 1}) + encode_frame({"n": 2}))
        there.shutdown(socket.SHUT_WR)
        assert [lane.receive(), lane.receive(), lane.receive()] == [{"n": 1}, {"n": 2}, None]


def test_an_end_inside_a_frame_is_a_frame_error() -> None:
    here, there = socket.socketpair()
    with here, there:
        there.sendall(encode_frame({"n": 1})[:-1])
        there.shutdown(socket.SHUT_WR)
        with pytest.raises(FrameError, match="ends inside a frame"):
            Lane(here).receive()


def test_a_waiting_receive_can_be_ended_from_another_thread() -> None:
    here, there = socket.socketpair()
    with here, there:
        lane = Lane(here)
        stopper = threading.Thread(target=lane.stop_receiving)
        stopper.start()
        assert lane.receive() is None
        stopper.join()
