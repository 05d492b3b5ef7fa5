"""Where things live on disk, and the settings of this installation. No TensorFlow here.

    THAW_HOME              everything of this installation; default ``~/.thaw``
    THAW_PICTURE_FOLDERS   folders of this computer from which pictures may be taken by path in the app,
                           separated like PATH; empty (the default) switches that off
    THAW_UPLOAD_FILES      most files that a browser may send into one project; default 200000
    THAW_UPLOAD_GB         most gigabytes (10**9 bytes) that a browser may send into one project; default 50
    THAW_CACHE_GB          most gigabytes (10**9 bytes) of what can be made again; default 20
    THAW_HOSTS             further names under which this server may be called, separated by commas
    THAW_ADDRESS           how others reach this server, for example http://192.168.1.7:8501; links that are made on its
                           own computer begin with it
    THAW_WAITING           most runs that one person may have waiting; default 20
    THAW_DEVICES           how many runs may train at once; default one per graphics card, one without any
    THAW_SPARE             minutes for which a spare worker (0.6 GB) waits for the next training; default 10, 0 for none
    THAW_SNAPSHOT_S        seconds of training between two moments that a crash can be gone on from, where writing one
                           takes no more than a fiftieth of that; default 15
    KERAS_HOME             where Keras keeps pretrained weights; default ``~/.keras``
    THAW_WEIGHTS_URL       a mirror of https://storage.googleapis.com to fetch weights and public sets of pictures
                           from, with the same paths below it, for networks that cannot reach the original; empty
                           (the default) means the original

The layout below THAW_HOME: ``projects/ID/pictures``, ``projects/ID/runs/RUN``, ``queue/`` (who waits),
``intake/`` (who looks over pictures), ``cache/``.
"""

import os
from pathlib import Path

from tlcore.errors import UserError


def home() -> Path:
    """Return the folder of this installation."""
    return Path(os.environ.get("THAW_HOME") or Path.home() / ".thaw").expanduser().resolve()


def projects_folder() -> Path:
    """Return the folder that holds one folder per project."""
    return home() / "projects"


def cache_folder() -> Path:
    """Return the folder of everything that can be made again."""
    return home() / "cache"


def keras_home() -> Path:
    """Return the folder in which Keras itself looks for weights (its ``models`` sub-folder holds the files)."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras").expanduser()


def weights_url() -> str:
    """Return the address of the mirror to fetch weights and public sets from; empty where there is none."""
    return os.environ.get("THAW_WEIGHTS_URL", "").strip()


def picture_folders() -> tuple[Path, ...]:
    """Return the folders of this computer from which the app may take pictures by path."""
    setting = os.environ.get("THAW_PICTURE_FOLDERS", "")
    return tuple(Path(part).expanduser().resolve() for part in setting.split(os.pathsep) if part.strip())


def upload_files() -> int:
    """Return the most files that a browser may send into one project."""
    return int(_number("THAW_UPLOAD_FILES", 200_000))


def upload_bytes() -> int:
    """Return the most bytes that a browser may send into one project: half a million photos of 100 KB."""
    return int(_number("THAW_UPLOAD_GB", 50) * 10**9)


def cache_bytes() -> int:
    """Return the most bytes that may be kept of what can be made again."""
    return int(_number("THAW_CACHE_GB", 20) * 10**9)


def spare_s() -> float:
    """Return for how many seconds a spare worker waits for the next training; 0 where none is wished."""
    return 0.0 if os.environ.get("THAW_SPARE", "").strip() == "0" else _number("THAW_SPARE", 10) * 60


def snapshot_s() -> float:
    """Return after how many seconds of training the place is kept again."""
    return _number("THAW_SNAPSHOT_S", 15)


def waiting_runs() -> int:
    """Return the most runs that one person may have waiting."""
    return int(_number("THAW_WAITING", 20))


def devices() -> int:
    """Return how many runs may train at once; 0 where the computer shall decide."""
    return int(_number("THAW_DEVICES", 1)) if os.environ.get("THAW_DEVICES", "").strip() else 0


def extra_hosts() -> tuple[str, ...]:
    """Return the further host names under which this server may be called."""
    setting = os.environ.get("THAW_HOSTS", "")
    return tuple(part.strip().lower() for part in setting.split(",") if part.strip())


def address() -> str:
    """Return how others reach this server; empty where nobody has said so."""
    return os.environ.get("THAW_ADDRESS", "").strip().rstrip("/")


def _number(name: str, default: float) -> float:
    """Return a setting that is a number above zero.

    Raises:
        UserError: It is anything else; silence would let a slip of the pen pass for a limit.
    """
    setting = os.environ.get(name, "").strip()
    try:
        value = float(setting or default)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise UserError(f"The setting {name} is “{setting}”.", "Set it to a number above zero, or leave it out.")
    return value
