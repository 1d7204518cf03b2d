"""Signals are noted at once and obeyed where nothing is lost."""

import gc
import os
import signal

import numpy as np
import pytest

from conformance.parts import MODELS, build_p, frames
from counterpoint.data.sequences import Sequences
from counterpoint.evaluation.passes import passes
from counterpoint.stopping import Stop, Stopped, heed

send = lambda number: os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_for_the_next_piece_of_work(number):
    with Stop(raises=True) as stop:
        heed()
        send(number)
        assert stop.asked == number.name
        with pytest.raises(Stopped) as stopped:
            heed()
    assert stopped.value.by == number.name
    heed()


def test_a_signal_within_a_callback_that_swallows_what_is_raised_is_not_lost():
    sent = []

    def callback(*_):
        if not sent:
            sent.append(send(signal.SIGTERM))

    with Stop(raises=True):
        gc.callbacks.append(callback)
        gc.collect()
        gc.callbacks.remove(callback)
        with pytest.raises(Stopped):
            heed()


def test_training_within_is_asked_and_not_interrupted_and_what_comes_after_it_stops_too():
    with Stop(raises=True) as outer:
        with Stop() as inner:
            send(signal.SIGTERM)
            heed()
        assert (inner.asked, outer.asked) == ("SIGTERM", None)
        send(signal.SIGINT)
        with Stop() as later:
            heed()
        assert later.asked == "SIGINT"
        with pytest.raises(Stopped):
            heed()


def test_a_second_sigint_does_not_wait():
    with Stop(raises=True):
        send(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGINT)


def test_a_test_set_is_left_between_batches():
    p, x = build_p("tsbn-1"), np.asarray(frames(MODELS["tsbn-1"][0], 40, 3, seed=0))
    with Stop(raises=True):
        found = passes(p, Sequences(tuple(x)), 1, batch_size=8)
        assert next(found).batch.x.shape[0] == 8
        send(signal.SIGTERM)
        with pytest.raises(Stopped):
            next(found)
