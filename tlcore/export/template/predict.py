"""Name what is on pictures, with the model in this folder.

    python predict.py photo.jpg another.png     the most likely class of each picture, one line each
    python predict.py --top 3 photo.jpg         the three most likely classes
    python predict.py --json photo.jpg          the same for machines, one JSON object
    python predict.py --selftest                does this copy give the answers it gave where it was made?

Exit code 0 when every picture was answered (or the self-test passed), 1 when not, 2 for a wrong call.
"""

import argparse
import glob
import json
import os
import sys
from pathlib import Path

try:
    import numpy as np
    import picture
except ImportError as error:
    sys.exit(f"{error}. Install what the model needs: python -m pip install -r requirements.txt")

HERE = Path(__file__).resolve().parent

# Largest difference of a probability that other processors may cause by adding float32 numbers in another order.
TOLERANCE = 1e-4


class Classifier:
    """The model of this folder, opened once."""

    def __init__(self) -> None:
        os.environ["KERAS_BACKEND"] = "tensorflow"
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        import keras
        import tensorflow as tf

        # Graphics cards otherwise shorten float32 products, and answers differ in the third digit.
        tf.config.experimental.enable_tensor_float_32_execution(False)
        self.metadata = json.loads((HERE / "metadata.json").read_text(encoding="utf-8"))
        self.class_names: list[str] = self.metadata["class_names"]
        self.model = keras.saving.load_model(HERE / "model.keras", compile=False)
        self.model.jit_compile = False

    def read(self, file: Path) -> np.ndarray:
        """Return a picture as the model wants it: (S, S, 3) uint8, S the model's side in pixels."""
        return picture.read(file, self.model.input_shape[1], self.metadata["resize"])

    def probabilities(self, file: Path) -> np.ndarray:
        """Return (C,) float32: how sure the model is of every class, in the order of ``class_names``."""
        pixels = self.read(file)[np.newaxis].astype(np.float32)
        answer = np.asarray(self.model.predict_on_batch(pixels), dtype=np.float32)[0]
        return np.array([1 - answer[0], answer[0]]) if len(answer) == 1 else answer


def predict(classifier: Classifier, names: list[str], top: int | None, as_json: bool) -> int:
    """Print what is on every picture; return the exit code."""
    results, failed = [], 0
    for name in names:
        try:
            probabilities = classifier.probabilities(Path(name))
        except picture.Unreadable as error:
            failed += 1
            results.append({"file": name, "problem": str(error)})
            print(f"{name} {error}", file=sys.stderr)
            continue
        order = np.argsort(-probabilities, kind="stable")[:top]
        answers = [{"class": classifier.class_names[i], "probability": float(probabilities[i])} for i in order]
        results.append({"file": name, "answers": answers})
        if not as_json:
            print(f"{name}: " + ", ".join(f"{a['class']} {a['probability']:.4f}" for a in answers), flush=True)
    if as_json:
        print(json.dumps({"predictions": results}, ensure_ascii=False))
    return 1 if failed else 0


def selftest(classifier: Classifier) -> int:
    """Compare the answers on ``examples/`` with those given where the model was made; return the exit code."""
    try:
        expected = json.loads((HERE / "examples" / "expected.json").read_text(encoding="utf-8"))
    except OSError:
        print("NOT OK: examples/expected.json is not there, so there is nothing to compare with.")
        return 1
    differences = []
    for name, probabilities in expected.items():
        try:
            found = classifier.probabilities(HERE / "examples" / name)
        except picture.Unreadable as error:
            print(f"NOT OK: examples/{name} {error}")
            return 1
        differences.append(float(np.abs(found - np.array(probabilities)).max()))
        named = classifier.class_names[int(found.argmax())]
        print(f"examples/{name}: {named}, difference {differences[-1]:.1e}")
    largest = max(differences, default=float("inf"))
    if not largest <= TOLERANCE:  # "not <=" because a comparison with not-a-number is never true
        print(f"NOT OK: largest difference {largest:.1e}, allowed is {TOLERANCE:.0e}.")
        print("This copy is damaged, or other versions are installed than requirements.txt asks for.")
        return 1
    print(f"OK: {len(differences)} example pictures give the expected answers, largest difference {largest:.1e}.")
    return 0


def expand(names: list[str]) -> list[str]:
    """Return the names with patterns such as ``*.jpg`` filled in, which consoles of Windows leave to the program."""
    expanded = []
    for name in names:
        found = [] if Path(name).exists() else sorted(glob.glob(name))  # noqa: PTH207 - keeps names as they were typed
        expanded += found or [name]
    return expanded


def parse(arguments: list[str]) -> argparse.Namespace:
    """Return the choices of the command line; ends the program when they do not fit together."""
    parser = argparse.ArgumentParser(description="Name what is on pictures, with the model in this folder.")
    parser.add_argument("images", nargs="*", metavar="IMAGE", help="picture files")
    parser.add_argument("--top", type=int, metavar="K", help="how many classes to name (default 1; with --json all)")
    parser.add_argument("--json", action="store_true", help="one JSON object for machines")
    parser.add_argument("--selftest", action="store_true", help="check that this copy gives the expected answers")
    choices = parser.parse_args(arguments)
    if not choices.images and not choices.selftest:
        parser.error("give at least one picture, or --selftest")
    if choices.top is not None and choices.top < 1:
        parser.error("--top must be 1 or more")
    return choices


def main(arguments: list[str]) -> int:
    """Do what the command line asks and return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # class names may be in any script
    choices = parse(arguments)
    try:
        classifier = Classifier()
    except Exception as error:  # the libraries below let errors of zip, HDF5 and JSON through as they come
        print(f"The model in {HERE} cannot be opened: {error}", file=sys.stderr)
        print("Unzip a fresh copy and run: pip install -r requirements.txt", file=sys.stderr)
        return 1
    if choices.selftest:
        return selftest(classifier)
    top = choices.top or (None if choices.json else 1)
    return predict(classifier, expand(choices.images), top, choices.json)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
