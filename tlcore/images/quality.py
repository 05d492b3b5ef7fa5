"""Findings about pictures on which little can be seen, and about colour. No TensorFlow here."""

from collections import Counter
from collections.abc import Callable

from tlcore.images.dataset import Dataset
from tlcore.images.finding import Finding, counted, listed

TINY = 32
"""Pixels of the shorter side: networks need at least as many, so smaller pictures are blown up."""
GREY_MOSTLY = 0.9
GREY_HARDLY = 0.1
"""Shares of grey pictures in two classes from which on colour alone gives a class away."""


def _tiny(dataset: Dataset) -> Finding | None:
    small = [picture.file for picture in dataset.pictures if min(picture.width, picture.height) < TINY]
    if not small:
        return None
    message = (
        f"{counted(len(small))} with fewer than {TINY} pixels on the shorter side. The network sees them blown up and "
        "finds no detail on them; better use larger originals."
    )
    return Finding("tiny", message, tuple(small))


def _dark(dataset: Dataset) -> Finding | None:
    why = "nearly black, so there is next to nothing to learn from them."
    return _remarked(dataset, "dark", why)


def _bright(dataset: Dataset) -> Finding | None:
    why = "nearly white, so there is next to nothing to learn from them."
    return _remarked(dataset, "bright", why)


def _blurry(dataset: Dataset) -> Finding | None:
    why = "blurred all over: fine detail that tells classes apart is lost on them."
    return _remarked(dataset, "blurry", why)


def _remarked(dataset: Dataset, remark: str, why: str) -> Finding | None:
    """Return the finding about pictures with a remark."""
    found = tuple(picture.file for picture in dataset.pictures if remark in picture.remarks)
    if not found:
        return None
    verb, them = ("is", "it") if len(found) == 1 else ("are", "them")
    words = why.replace("them", them)
    advice = f"Leave {them} out, unless such pictures will come in later use too."
    return Finding(remark, f"{counted(len(found))} {verb} {words} {advice}", found)


def _mixed_colour(dataset: Dataset) -> Finding | None:
    """Grey in some classes and colour in others gives the class away; a few grey ones everywhere do no harm."""
    totals, grey = (
        Counter(picture.label for picture in dataset.pictures),
        Counter(picture.label for picture in dataset.pictures if "grey" in picture.remarks),
    )
    share = {label: grey[label] / totals[label] for label in totals}
    mostly = [label for label in sorted(share) if share[label] >= GREY_MOSTLY]
    hardly = [label for label in sorted(share) if share[label] <= GREY_HARDLY]
    if not mostly or not hardly:
        return None
    names = [listed([f"“{dataset.class_names[label]}”" for label in labels]) for labels in (mostly, hardly)]
    message = (
        f"The pictures of {names[0]} are grey, those of {names[1]} in colour. The network may learn to tell grey from "
        "colour instead of what is on the pictures: use the same kind in all classes."
    )
    files = tuple(p.file for p in dataset.pictures if p.label in mostly and "grey" in p.remarks)
    return Finding("mixed_colour", message, files)


CHECKS: tuple[Callable[[Dataset], Finding | None], ...] = (_tiny, _dark, _bright, _blurry, _mixed_colour)
