"""Words on screen for counts, moments and states."""

import time

STATES = {
    "waiting": "Waiting",
    "running": "Learning",
    "stopping": "Stopping",
    "finishing": "Making the results",
    "finished": "Finished",
    "stopped": "Stopped",
    "failed": "Failed",
    "crashed": "Broke off",
}


def count(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun: 1 picture, 1 500 pictures."""
    return f"{number:,}".replace(",", "\u202f") + f" {one if number == 1 else many or one + 's'}"


def moment(seconds: float) -> str:
    """Return a time of day or a date, on the server's clock."""
    then, now = time.localtime(seconds), time.localtime()
    if then[:3] == now[:3]:
        return time.strftime("today, %H:%M", then)
    return time.strftime("%d %b %Y", then).lstrip("0")


def depth(frozen_stages: str | int) -> str:
    """Return a freeze depth for people."""
    named = {"all": "all stages frozen", "none": "nothing frozen", "auto": "freeze depth chosen by Thaw"}
    if frozen_stages in named:
        return named[str(frozen_stages)]
    return "nothing frozen" if frozen_stages == 0 else count(int(frozen_stages), "stage") + " frozen"
