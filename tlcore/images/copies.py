"""Findings about pictures that are there more than once, to the last byte or by their look. No TensorFlow here."""

from collections.abc import Callable

from tlcore.images.dataset import Dataset, Picture
from tlcore.images.finding import Finding, counted, files, listed


def _duplicate(dataset: Dataset) -> Finding | None:
    groups = _sharing(dataset, lambda picture: picture.content)
    if not groups:
        return None
    more = sum(len(group) - 1 for group in groups)
    message = (
        f"{_lying(len(groups))} in the data set more than once ({more} spare, equal to the last byte). Copies always "
        "stand on the same side of the split, so they do not flatter the score; removing them loses nothing."
    )
    return Finding("duplicate", message, files(groups), _spare(groups))


def _near_copy(dataset: Dataset) -> Finding | None:
    groups = _looking_the_same(dataset)
    if not groups:
        return None
    number = sum(len(group) for group in groups)
    form = "look the same" if len(groups) == 1 else f"form {len(groups)} groups that look the same"
    message = (
        f"{number} pictures {form}: saved again, resized, cropped, mirrored, made brighter or darker, or shot moments "
        "apart. They always stand on the same side of the split, so they do not flatter the score, but they teach "
        "little that is new."
    )
    return Finding("near_copy", message, files(groups), _spare(groups))


def _conflict(dataset: Dataset) -> Finding | None:
    groups = _in_two_classes(_sharing(dataset, lambda picture: picture.content))
    if not groups:
        return None
    message = (
        f"{_lying(len(groups))} in two or more classes at once, the first one in {_classes(dataset, groups[0])}. The "
        "model cannot learn what such a picture shows: remove it from the wrong class."
    )
    return Finding("conflict", message, files(groups))


def _near_conflict(dataset: Dataset) -> Finding | None:
    groups = _in_two_classes(_looking_the_same(dataset))
    if not groups:
        return None
    message = (
        f"{sum(len(group) for group in groups)} pictures look the same as one in another class, the first ones in "
        f"{_classes(dataset, groups[0])}. Where one is in the wrong class the model learns a mistake: move it or leave "
        "it out. Keep them if they really differ in a detail."
    )
    return Finding("near_conflict", message, files(groups))


def _leak(dataset: Dataset) -> Finding | None:
    groups = [
        group
        for group in _sharing(dataset, lambda picture: picture.kin)
        if len({picture.part or "train" for picture in group}) > 1
    ]
    if not groups:
        return None
    message = (
        f"{_lying(len(groups))}, as it is or as a near-copy, in more than one of the folders for training, check and "
        "exam. Learning from such a picture would flatter the score, so it is left out: of training first, then of the "
        "check pictures."
    )
    return Finding("leak", message, files(groups))


CHECKS: tuple[Callable[[Dataset], Finding | None], ...] = (_duplicate, _near_copy, _conflict, _near_conflict, _leak)


def _sharing(dataset: Dataset, trait: Callable[[Picture], str]) -> list[list[Picture]]:
    """Return the groups of two or more pictures that share a trait."""
    groups: dict[str, list[Picture]] = {}
    for picture in dataset.pictures:
        groups.setdefault(trait(picture), []).append(picture)
    return [group for group in groups.values() if len(group) > 1]


def _looking_the_same(dataset: Dataset) -> list[list[Picture]]:
    """Return the groups of pictures that look the same and are not all equal to the last byte."""
    groups = _sharing(dataset, lambda picture: picture.kin)
    return [group for group in groups if len({picture.content for picture in group}) > 1]


def _in_two_classes(groups: list[list[Picture]]) -> list[list[Picture]]:
    return [group for group in groups if len({picture.label for picture in group}) > 1]


def _spare(groups: list[list[Picture]]) -> tuple[str, ...]:
    """Return what can go: of each class in a group all but one, which is the largest; a given exam is not touched."""
    spare = []
    for group in groups:
        for label in {picture.label for picture in group}:
            of_class = [picture for picture in group if picture.label == label]
            best = max(of_class, key=lambda picture: (picture.part == "test", picture.width * picture.height))
            spare += [picture.file for picture in of_class if picture is not best and picture.part != "test"]
    return tuple(spare)


def _classes(dataset: Dataset, group: list[Picture]) -> str:
    return listed([f"“{dataset.class_names[label]}”" for label in sorted({p.label for p in group})], " and ")


def _lying(count: int) -> str:
    return f"{counted(count)} {'lies' if count == 1 else 'lie'}"
