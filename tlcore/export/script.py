"""What lies beside the model so that a stranger can use it: a program, its pins, plain words, examples. No TensorFlow.

The program is a file of its own in ``template/``, checked and tested as it is; nothing of it is put together here.
"""

import json
import string
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tlcore.export import metadata
from tlcore.images import picture as pictures_module
from tlcore.images.dataset import Picture
from tlcore.results.prediction import Answer

TEMPLATE = Path(__file__).with_name("template")

_EXAMPLES = 8
_LARGE_BYTES = 2_000_000

_OUTPUTS = {
    "softmax": "It answers with one probability per class, in the order of labels.txt.",
    "sigmoid": "It answers with one number from 0 to 1: the probability of the second class in labels.txt.",
}


def texts(described: dict[str, Any]) -> dict[str, bytes]:
    """Return the files that are text: name in the zip -> content in UTF-8.

    Args:
        described: What ``metadata.of_run`` returned.
    """
    return {
        "predict.py": (TEMPLATE / "predict.py").read_bytes(),
        "picture.py": Path(pictures_module.__file__).read_bytes(),
        "requirements.txt": _requirements(described["versions"]).encode("utf-8"),
        "labels.txt": _labels(described["class_names"]).encode("utf-8"),
        "metadata.json": as_json(described),
        "README.txt": _readme(described).encode("utf-8"),
    }


def as_json(value: Any) -> bytes:
    """Return a value as readable JSON in UTF-8, class names legible."""
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode("utf-8")


def _requirements(versions: dict[str, str]) -> str:
    """Return exact pins, one per line."""
    return "".join(f"{name}=={versions[name]}\n" for name in metadata.REQUIRED_PACKAGES)


def _labels(class_names: Sequence[str]) -> str:
    """Return one class per line; a line break within a name becomes a space, so that line numbers are labels."""
    return "".join(" ".join(name.splitlines()) + "\n" for name in class_names)


def _readme(described: dict[str, Any]) -> str:
    """Return the template's README with the facts of this model."""
    scores, name = described["scores"], " ".join(described["name"].split())
    low, high = scores["test_accuracy_interval"]
    text = (TEMPLATE / "README.txt").read_text(encoding="utf-8")
    return string.Template(text).substitute(
        name=name,
        underline="=" * len(name),
        classes="\n".join(f"    {line}" for line in _labels(described["class_names"]).splitlines()),
        n_train=sum(counts["train"] for counts in described["picture_counts"].values()),
        n_test=scores["n_test"],
        accuracy=f"{scores['test_accuracy']:.1%}",
        low=f"{low:.1%}",
        high=f"{high:.1%}",
        majority=f"{scores['majority_accuracy']:.1%}",
        python=".".join(described["versions"]["python"].split(".")[:2]),
        image_size=described["image_size"],
        resize=described["resize"],
        output=_OUTPUTS[described["output"]],
    )


def choose_examples(root: Path, candidates: Sequence[Picture]) -> list[Picture]:
    """Return up to eight pictures: one of every class first, then further ones in turn.

    Small files come first where a class has both, so that the zip stays small. With more than eight classes, classes
    evenly spread over all of them are shown.

    Args:
        root: The folder below which the files lie.
        candidates: Exam pictures, any number.
    """
    by_class: dict[int, list[Picture]] = defaultdict(list)
    for candidate in sorted(candidates, key=lambda picture: (root / picture.file).stat().st_size > _LARGE_BYTES):
        by_class[candidate.label].append(candidate)
    labels = sorted(by_class)
    if len(labels) > _EXAMPLES:
        labels = [labels[i * len(labels) // _EXAMPLES] for i in range(_EXAMPLES)]
    chosen: list[Picture] = []
    for turn in range(_EXAMPLES):
        chosen += [by_class[label][turn] for label in labels if turn < len(by_class[label])]
    return chosen[:_EXAMPLES]


def examples(answers: Sequence[Answer]) -> tuple[dict[str, Path], bytes]:
    """Return the files of ``examples/`` (name in the zip -> picture on this disk) and its ``expected.json``.

    Names are plain ASCII, so that every system can unzip them. ``expected.json`` maps file name -> probabilities in
    the order of ``class_names``.
    """
    files, expected = {}, {}
    for number, answer in enumerate(answers, start=1):
        suffix = answer.file.suffix.lower()
        name = f"{number:02d}{suffix if suffix.isascii() and suffix[1:].isalnum() else ''}"
        files[f"examples/{name}"] = answer.file
        expected[name] = list(answer.probabilities)
    return files, as_json(expected)
