"""Waiting for a condition, never for a time."""

import time


class Failed(Exception):
    """What did not hold, in words."""


def until(condition, limit, what, pause=0.1, detail=lambda: None):
    """Until the condition holds; Failed after `limit` seconds."""
    end = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"not within {limit} s: {what}; last: {detail()}")
        time.sleep(pause)
