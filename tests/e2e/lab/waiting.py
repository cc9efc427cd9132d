"""Waiting for conditions. Nothing in the tests sleeps and hopes."""

import time

from .checks import Failed


def until(condition, timeout, what, interval=0.05):
    """Calls `condition` until it returns something true, and returns that. Fails after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failed(f"waited {timeout:g} s in vain for {what}")
        time.sleep(interval)
