"""Find a Chrome or Chromium for the browser tests: one that is installed, else Playwright's, else Debian's.

``python tests/chromium.py`` prints its path on standard output, or nothing; what it does goes to standard error.
THAW_BROWSER names another one. Runs in ``.venv``, which has Playwright.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

PROGRAMS = ("google-chrome", "google-chrome-stable", "chromium", "chromium-browser", "chrome")
PLAYWRIGHT_PATH = (
    "from playwright.sync_api import sync_playwright as start\nwith start() as p: print(p.chromium.executable_path)"
)


def works(browser: str) -> bool:
    """Tell whether a browser starts (on Windows whether it is there, as asking it would open a window)."""
    if os.name == "nt":
        return Path(browser).is_file()
    try:
        return subprocess.run([browser, "--version"], capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def installed() -> str:
    """Return the path of a browser on this computer; empty if there is none that starts."""
    places = [shutil.which(name) for name in PROGRAMS]
    for variable in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"):
        folder = os.environ.get(variable)
        places += [f"{folder}/{name}/Application/chrome.exe" for name in ("Google/Chrome", "Chromium") if folder]
    for folder in ("/Applications", str(Path.home() / "Applications")):
        places += [f"{folder}/{name}.app/Contents/MacOS/{name}" for name in ("Google Chrome", "Chromium")]
    return next((place for place in places if place and works(place)), "")


def of_playwright() -> str:
    """Return the path of Playwright's own Chromium, downloaded if need be; empty if it cannot be had."""
    path = subprocess.run([sys.executable, "-c", PLAYWRIGHT_PATH], capture_output=True, text=True).stdout.strip()
    if path and not works(path):
        print("No Chrome or Chromium is installed: asking Playwright for one.", file=sys.stderr, flush=True)
        command = [sys.executable, "-m", "playwright", "install", "chromium"]
        failed = subprocess.run(command, stdout=sys.stderr, stderr=subprocess.PIPE, text=True).stderr
        reasons = [line for line in failed.splitlines() if line.startswith("Error:")]
        print(*reasons[:1], sep="\n", file=sys.stderr)
    return path if path and works(path) else ""


def of_debian() -> str:
    """Install Debian's Chromium where we may, with fonts for every script; return its path, or empty."""
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return ""
    print("Playwright's does not start here: installing Debian's.", file=sys.stderr, flush=True)
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "-y", "chromium", "fonts-noto-core"]):
        subprocess.run(["apt-get", "-q", *arguments], stdout=sys.stderr, env=env)
    return installed()


if __name__ == "__main__":
    print(os.environ.get("THAW_BROWSER") or installed() or of_playwright() or of_debian())
