"""An average of the weights over the last steps: better than the weights of any one of them. Imports Keras.

Polyak averaging, exponentially weighted (Tarvainen and Valpola 2017, https://arxiv.org/abs/1703.01780). All weights
are averaged, the statistics of BatchNormalization too: Keras' own ``use_ema`` leaves these out, and averaged kernels
with the statistics of others fit badly.
"""

import keras
import numpy as np

from distillation import student


class Averaging(keras.callbacks.Callback):
    """Keeps the average while a model learns.

    Args:
        averages: Where to go on, by path of the weight; empty to begin.
        share: What the average keeps in each update, below 1.
        every: Steps between two updates.
    """

    def __init__(self, averages: dict[str, np.ndarray], share: float, every: int) -> None:
        super().__init__()
        self.averages = averages
        self._share, self._every = share, every

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Update the average."""
        step = int(self.model.optimizer.iterations)
        if step % self._every:
            return
        updates = step // self._every
        share = min(self._share, updates / (updates + 9))  # young averages must forget the random beginning
        for path, values in student.backbone_weights(self.model).items():
            before = self.averages.get(path)
            self.averages[path] = values if before is None else before * share + values * (1 - share)
