"""The numbers that layers compute with. Weights stay float32 whatever is chosen here, and so does the saved model.

bfloat16 and float16 are Keras' mixed precision, set layer by layer on a network that is there already, and taken back
afterwards: Micikevicius et al., arXiv 1710.03740. float16 can hold nothing smaller than 6e-8, so its loss is scaled.
"""

import contextlib
from collections.abc import Iterator

import keras

POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}


@contextlib.contextmanager
def computing_in(precision: str, model: keras.Model) -> Iterator[None]:
    """Let the layers of a model compute in a precision inside the block; compile the model inside it too.

    The last layer keeps to float32 whatever the rest does: its probabilities sum to 1.

    Args:
        precision: "float32", "bfloat16" or "float16".
        model: Built with float32.
    """
    if precision not in POLICIES:
        raise ValueError(f"precision must be one of {', '.join(POLICIES)}. Received: {precision}")
    layers = [layer for layer in model._flatten_layers() if not isinstance(layer, keras.Model)]
    changed = [layer for layer in layers if layer is not model.layers[-1]]
    before = [layer.dtype_policy for layer in changed]
    for layer in changed:
        layer.dtype_policy = keras.dtype_policies.get(POLICIES[precision])
    try:
        yield
    finally:
        for layer, policy in zip(changed, before, strict=True):
            layer.dtype_policy = policy


def scaled(optimizer: keras.optimizers.Optimizer, precision: str) -> keras.optimizers.Optimizer:
    """Return the optimizer that a precision needs: float16 scales the loss, so that small gradients are not lost."""
    return keras.optimizers.LossScaleOptimizer(optimizer) if precision == "float16" else optimizer
