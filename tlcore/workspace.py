"""Where things live on disk, and the settings of this installation. No TensorFlow here.

    THAW_HOME              everything of this installation; default ``~/.thaw``
    THAW_PICTURE_FOLDERS   folders of this computer from which pictures may be taken by path in the app,
                           separated like PATH; empty (the default) switches that off
    THAW_HOSTS             further names under which this server may be called, separated by commas
    KERAS_HOME             where Keras keeps pretrained weights; default ``~/.keras``
    THAW_WEIGHTS_URL       a mirror of https://storage.googleapis.com to fetch weights from, with the same paths below
                           it, for networks that cannot reach the original; empty (the default) means the original

The layout below THAW_HOME: ``projects/ID/pictures``, ``projects/ID/runs/RUN``, ``cache/``.
"""

import os
from pathlib import Path


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
    """Return the address of the mirror to fetch weights from; empty where there is none."""
    return os.environ.get("THAW_WEIGHTS_URL", "").strip()


def picture_folders() -> tuple[Path, ...]:
    """Return the folders of this computer from which the app may take pictures by path."""
    setting = os.environ.get("THAW_PICTURE_FOLDERS", "")
    return tuple(Path(part).expanduser().resolve() for part in setting.split(os.pathsep) if part.strip())


def extra_hosts() -> tuple[str, ...]:
    """Return the further host names under which this server may be called."""
    setting = os.environ.get("THAW_HOSTS", "")
    return tuple(part.strip().lower() for part in setting.split(",") if part.strip())
