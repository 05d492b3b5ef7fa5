"""What native code prints while it starts is held back, unless it is needed."""

import os

import pytest

from tlcore import quiet


def test_lines_of_a_block_that_ends_well_are_never_seen(capfd):
    with quiet.standard_error_held_back():
        os.write(2, b"chatter\n")
    os.write(2, b"a plain line\n")
    assert capfd.readouterr().err == "a plain line\n"


def test_lines_of_a_block_that_fails_are_shown(capfd):
    with pytest.raises(ImportError), quiet.standard_error_held_back():
        os.write(2, b"the reason\n")
        raise ImportError
    assert "the reason" in capfd.readouterr().err
