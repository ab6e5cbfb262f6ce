import signal
import threading

import pytest

from icelens.training.interrupts import listen_for_interrupts


@pytest.fixture(autouse=True)
def as_in_a_terminal():
    """Ctrl-C as Python starts with it; a job in the background begins with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_first_signal_is_only_a_wish(number):
    with listen_for_interrupts() as interrupt:
        assert not interrupt.requested
        signal.raise_signal(number)
        assert interrupt.requested


def test_second_ctrl_c_stops_at_once():
    with listen_for_interrupts():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_handlers_are_put_back():
    before = signal.getsignal(signal.SIGINT)
    with listen_for_interrupts():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_listen_to_nothing_and_do_not_fail():
    heard = []

    def work():
        with listen_for_interrupts() as interrupt:
            heard.append(interrupt.requested)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert heard == [False]
