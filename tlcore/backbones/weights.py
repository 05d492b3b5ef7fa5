"""Pretrained weights: which are on this computer, and fetching those that are not. No TensorFlow here.

Those of Thaw's own network come with Thaw, in ``assets/``, and are never fetched. The others lie where Keras keeps them
(``KERAS_HOME/models``), under the names that Keras gives them, so that files fetched by either serve both. A file is
whole or not there: it is downloaded beside its place, verified, then renamed.
"""

from pathlib import Path
from typing import Any

import h5py

from tlcore import atomic, download, workspace
from tlcore.backbones.backbone import Backbone
from tlcore.download import Progress
from tlcore.errors import WeightsError

BUNDLED = Path(__file__).resolve().parents[2] / "assets"
"""Where the weights lie that come with Thaw."""
_GET_THAW_ANEW = "Get Thaw anew, or put this one file back from a fresh copy; or choose another backbone."


def path(backbone: Backbone) -> Path:
    """Return where the weights of a backbone lie, or will lie, on this computer."""
    folder = BUNDLED if backbone.bundled else workspace.keras_home() / "models"
    return folder / backbone.weights_file


def is_here(backbone: Backbone) -> bool:
    """Tell whether the weights are on this computer, quickly: a file with room for all of them."""
    file = path(backbone)
    return file.is_file() and file.stat().st_size >= backbone.parameters * backbone.bytes_per_weight


def url(backbone: Backbone, base_url: str | None = None) -> str:
    """Return the address of the weights.

    Args:
        backbone: A row of the table.
        base_url: A mirror that stands for https://storage.googleapis.com, with the same paths below it; default
            is the one of this installation (``THAW_WEIGHTS_URL``).
    """
    return download.mirrored(backbone.weights_url, base_url or "")


def fetch(backbone: Backbone, progress: Progress | None = None, base_url: str | None = None) -> Path:
    """Return the file with the weights of a backbone, downloaded first where it is missing, and verified.

    A broken connection is tried three times. A file that is there but wrong is never replaced unasked.

    Args:
        backbone: A row of the table.
        progress: See ``download.Progress``.
        base_url: See ``url``.

    Raises:
        WeightsError: The file cannot be had, or is not what it should be; says where to put it by hand.
    """
    file = path(backbone)
    if file.exists():
        found = _what_is_wrong(file, backbone)
        if found:
            raise WeightsError(
                f"The file {file} should hold the weights of {backbone.title}, but {found}.",
                _GET_THAW_ANEW
                if backbone.bundled
                else f"Delete this file and start again; Thaw then fetches it from {url(backbone, base_url)}.",
            )
        return file
    if backbone.bundled:
        raise WeightsError(f"The file {file}, which comes with Thaw, is missing.", _GET_THAW_ANEW)
    address = url(backbone, base_url)
    try:
        with atomic.replacing(file) as beside:
            download.receive(address, beside, progress)
            found = _what_is_wrong(beside, backbone)
            if found:
                raise WeightsError(
                    f"{address} gave a file that cannot be the weights of {backbone.title}: {found}. It was not kept.",
                    _by_hand("Try again later, or check whether something in this network answers in its place.", file),
                )
    except download.Unreachable as error:
        raise _unreachable(backbone, address, file, error) from error
    except OSError as error:
        raise _cannot_write(file, error.strerror or "the disk refused it", error) from error
    return file


def _what_is_wrong(file: Path, backbone: Backbone) -> str:
    """Return what is wrong with a file in a half sentence, or an empty text."""
    size, least = file.stat().st_size, backbone.parameters * backbone.bytes_per_weight
    if size < least:
        return f"it has {size:,} bytes and needs at least {least:,}, so it was cut short"
    expected = backbone.sha256 or backbone.keras_hash
    if expected:
        return download.difference(file, expected)
    try:
        count = _count_weights(file)
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        return f"it is not laid out as Keras' files with weights are ({error})"
    if count != backbone.parameters:
        return f"it holds {count:,} weights instead of {backbone.parameters:,}"
    return ""


def _count_weights(file: Path) -> int:
    """Return the number of weights in a file as Keras writes them: layers, and in each the names of its arrays."""
    with h5py.File(file, "r") as content:
        root: Any = content if "layer_names" in content.attrs else content["model_weights"]
        layers = [root[name] for name in root.attrs["layer_names"]]
        return sum(int(layer[name].size) for layer in layers for name in layer.attrs["weight_names"])


def _by_hand(first: str, file: Path) -> str:
    return f"{first} Or put the file {file.name} into the folder {file.parent} by hand, under exactly this name."


def _unreachable(backbone: Backbone, address: str, file: Path, error: download.Unreachable) -> WeightsError:
    return WeightsError(
        f"The weights of {backbone.title} are not on this computer, and {address} could not be fetched: {error}.",
        _by_hand("Check the internet connection and try again.", file),
        detail=repr(error.__cause__),
    )


def _cannot_write(file: Path, reason: str, error: OSError) -> WeightsError:
    return WeightsError(
        f"The weights could not be stored as {file}: {reason}.",
        "Make room or allow writing there, or choose another folder with the environment variable KERAS_HOME.",
        detail=str(error),
    )
