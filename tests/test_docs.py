"""What the documents say is there, and what is there they say."""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tlcore import __version__, cli

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/architecture.md")


def code_files() -> list[Path]:
    folders = [ROOT / "tlcore", ROOT / "pages", ROOT / "tests"]
    return [ROOT / "start.py", ROOT / "app.py", *(path for folder in folders for path in folder.rglob("*.py"))]


def test_every_setting_is_in_the_readme_and_every_one_there_is_read() -> None:
    texts = [path.read_text(encoding="utf-8") for path in code_files() if path.is_file()]
    read = {name for text in texts for name in re.findall(r"""["'](THAW_[A-Z_]+[A-Z])["']""", text)}
    documented = set(re.findall(r"^\| `(THAW_[A-Z_]+)` \|", README, re.MULTILINE))
    assert read == documented


def help_of(*command: str) -> str:
    answer = subprocess.run([sys.executable, *command, "--help"], cwd=ROOT, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def test_start_and_readme_know_the_same_options() -> None:
    options = set(re.findall(r"--[a-z-]+", help_of("start.py"))) - {"--help"}
    calls = re.findall(r"python3 start\.py([^`\n]*)", README)
    shown = {option for call in calls for option in re.findall(r"--[a-z-]+", call)} - {"--help"}
    assert shown == options


def test_every_command_of_start_is_in_the_readme() -> None:
    commands = set(re.findall(r"^    python3 start\.py ?(\w*)", help_of("start.py"), re.MULTILINE))
    assert commands == {"", "test", "setup"}
    assert commands == set(re.findall(r"python3 start\.py ?(\w*)[^`\n]*", README))


def test_every_call_of_the_command_line_in_the_readme_is_understood() -> None:
    calls = [shlex.split(call) for call in re.findall(r"^\S*python -m tlcore (.+)$", README, re.MULTILINE)]
    understood = [cli.build_parser().parse_args(call).command for call in calls]
    assert set(understood) == {
        "train",
        "resume",
        "evaluate",
        "predict",
        "export",
        "backbones",
        "check",
        "split",
        "stages",
        "sample",
        "embed",
    }


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_between_the_documents_leads_somewhere(name: str) -> None:
    document = ROOT / name
    links = re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8"))
    inside = [link.split("#")[0] for link in links if not link.startswith(("http:", "https:", "#"))]
    assert [link for link in inside if not (document.parent / link).exists()] == []


def drawn_files() -> list[str]:
    """Return the paths in the picture of the layout, by their indentation."""
    picture = re.search(r"## Layout.*?```\n(.*?)```", ARCHITECTURE, re.DOTALL)
    assert picture
    found, folders = [], []
    for line in picture.group(1).splitlines():
        depth = (len(line) - len(line.lstrip())) // 4
        del folders[depth:]
        names = re.match(r"[^ ,]+(, [^ ,]+)*", line.strip())
        assert names, line
        for name in names.group(0).split(", "):
            if name.endswith("/"):
                folders.append(name)
            else:
                found.append("".join(folders) + name)
    return found


def test_the_layout_shows_every_file_and_no_other() -> None:
    files = [path for folder in ("tlcore", "pages") for path in (ROOT / folder).rglob("*.py")]
    real = {path.relative_to(ROOT).as_posix() for path in files if path.name != "__init__.py"} | {"start.py", "app.py"}
    drawn = set(drawn_files())
    assert sorted(real - drawn) == [], "these files have no line in docs/architecture.md"
    assert sorted(drawn - real) == [], "these lines of docs/architecture.md have no file"


def test_each_known_trap_names_the_test_that_keeps_it() -> None:
    table = ARCHITECTURE.split("## Known traps")[1].split("\n## ")[0]
    kept_by = re.findall(r"\| `([\w/]+\.py)` \|$", table, re.MULTILINE)
    assert len(kept_by) == len(re.findall(r"^\| (?!Trap|-)", table, re.MULTILINE))
    assert [name for name in kept_by if not (ROOT / "tests" / name).is_file()] == []


def test_nothing_leaves_the_computer_unasked() -> None:
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert settings["browser"]["gatherUsageStats"] is False
    assert settings["logger"]["hideWelcomeMessage"] is True  # it would look up the outside address


def test_the_changelog_knows_the_version() -> None:
    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_requirements_are_exact_pins() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        wanted = [line for line in lines if line and not line.startswith(("#", "-r "))]
        assert wanted
        assert [line for line in wanted if not re.fullmatch(r"[\w.\[\]-]+==[\w.]+(; .+)?", line)] == []
