"""How batches get to Keras. One of the few files that speak to TensorFlow itself.

Left to itself, Keras puts batches that are there already behind a prefetch whose length TensorFlow tunes while it runs.
Ending such an epoch took up to two seconds, every second or third time (our measurement with the pinned versions). Here
the length is fixed. Batches that take time to make keep Keras' own threads, which have no such wait.
"""

from typing import Any

import keras
import numpy as np

AHEAD = 2
"""Batches that wait."""


def feed(batches: keras.utils.PyDataset) -> Any:
    """Return what ``fit`` and ``evaluate`` shall be given for batches: the same ones in the same order.

    Each pass asks for the batches anew, so they may change from epoch to epoch.
    """
    if keras.backend.backend() != "tensorflow" or batches.workers > 1:
        return batches
    import tensorflow as tf

    kinds = [np.asarray(values) for values in batches[0]]
    given = tf.data.Dataset.from_generator(
        lambda: (batches[index] for index in range(len(batches))),
        output_signature=tuple(tf.TensorSpec((None, *values.shape[1:]), values.dtype) for values in kinds),
    )
    options = tf.data.Options()
    options.autotune.enabled = False
    options.threading.private_threadpool_size = 1
    counted = given.apply(tf.data.experimental.assert_cardinality(len(batches)))
    return counted.prefetch(AHEAD).with_options(options)
