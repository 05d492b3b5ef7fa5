"""Keras is imported without what it loads for others, and nothing of that is missing afterwards."""

import os
import subprocess
import sys

import pytest

CODE = """
import gc, sys
from tlcore import sparing
for name in sys.argv[1:]: __import__(name)
with sparing.quick_import():
    import keras
print(sorted({"sklearn", "pandas", "jax"} & set(sys.modules)), keras.backend.backend(), gc.isenabled())
import numpy, pandas, sklearn
keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).predict(numpy.ones((3, 2)), verbose=0)
kept = gc.get_freeze_count()
with sparing.quick_import():
    import keras
assert kept and gc.get_freeze_count() == kept
print("as ever")
"""


def said(*names: str, backend: str = "tensorflow") -> list[str]:
    answer = subprocess.run(
        [sys.executable, "-c", CODE, *names],
        env=os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.splitlines()[-2:]


def test_keras_loads_nothing_for_others_and_they_can_be_imported_afterwards():
    assert said() == ["[] tensorflow True", "as ever"]


def test_what_was_imported_before_stays():
    assert said("pandas") == ["['pandas'] tensorflow True", "as ever"]


def test_jax_stays_where_it_computes():
    pytest.importorskip("jax")
    assert said(backend="jax") == ["['jax'] jax True", "as ever"]
