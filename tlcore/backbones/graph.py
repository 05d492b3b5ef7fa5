"""The graph of a Keras model: where exactly one tensor crosses, and what each side costs. Imports Keras.

Nothing here knows about backbones. Keras keeps no public list of a model's nodes; the one private name used,
``model._nodes_by_depth``, is read in ``_ordered_nodes`` only, and tests hold it to the pinned version.
"""

import re
from typing import Any

import keras

from tlcore.backbones.stage_table import Cut


def cuts(model: keras.Model) -> tuple[Cut, ...]:
    """Return every place where exactly one tensor crosses, from the picture on; input and output are not counted.

    Source: these are the articulation points of the graph; with one input and one output a sweep in topological
    order finds them by counting the tensors that are still needed.
    """
    return tuple(cut for cut, _ in _crossings(model))


def split(model: keras.Model, cut: Cut) -> tuple[keras.Model, keras.Model]:
    """Cut a model in two; both parts share its layers and weights, and ``suffix(prefix(x))`` is ``model(x)``.

    Returns:
        The part from the picture to the cut, and the part from the cut to the output.
    """
    tensors = {found.index: tensor for found, tensor in _crossings(model)}
    if cut.index not in tensors:
        raise ValueError(f"The model can be cut after the layers {sorted(tensors)}. Received: {cut.index}")
    crossing = tensors[cut.index]
    return keras.Model(model.inputs[0], crossing), keras.Model(crossing, model.outputs[0])


def total_multiply_adds(model: keras.Model) -> int:
    """Return the multiply-adds per picture of a whole model."""
    return sum(multiply_adds(node.operation, node.outputs[0].shape) for node in _ordered_nodes(model))


def layer_parameters(operation: Any) -> int:
    """Return the number of weights of a layer; 0 for an operation that is not a layer."""
    return operation.count_params() if isinstance(operation, keras.Layer) else 0


def multiply_adds(operation: Any, shape: tuple[int | None, ...]) -> int:
    """Return the multiply-adds per picture of one layer.

    Convolutions and dense layers use each kernel number once per output position; everything else counts as 0,
    as is usual in the literature.

    Args:
        operation: A layer, a ``Sequential`` of layers, or an operation of the graph.
        shape: Shape of its output, the batch first.
    """
    if isinstance(operation, keras.Sequential):
        total, inner = 0, operation.input_shape
        for layer in operation.layers:
            inner = layer.compute_output_shape(inner)
            total += multiply_adds(layer, inner)
        return total
    kernels = [
        getattr(operation, name)
        for name in ("kernel", "depthwise_kernel", "pointwise_kernel")
        if isinstance(getattr(operation, name, None), keras.Variable)
    ]
    positions = 1
    for side in shape[1:-1]:
        positions *= side or 1
    return positions * sum(_size(kernel) for kernel in kernels)


def fixed_name(layer: keras.Layer) -> str:
    """Return the name of a layer, or an empty text where Keras numbered it automatically (``re_lu_14``)."""
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", type(layer).__name__)
    automatic = re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()  # ReLU -> re_lu, as Keras does it
    return "" if re.fullmatch(rf"{re.escape(automatic)}(_\d+)?", layer.name) else layer.name


def _crossings(model: keras.Model) -> list[tuple[Cut, Any]]:
    nodes = _ordered_nodes(model)
    last_use = {id(tensor): place for place, node in enumerate(nodes) for tensor in node.input_tensors}
    found: dict[int, tuple[Cut, Any]] = {}
    needed: set[int] = set()
    index, parameters, macs = -1, 0, 0
    for place, node in enumerate(nodes[:-1]):
        operation, (output,) = node.operation, node.outputs
        # ConvNeXt adds with ``+``: such an operation can end a block without being one of ``model.layers``.
        is_layer = isinstance(operation, keras.Layer)
        index += is_layer
        parameters += layer_parameters(operation)
        macs += multiply_adds(operation, output.shape)
        needed = {tensor for tensor in (*needed, id(output)) if last_use.get(tensor, -1) > place}
        if needed == {id(output)} and node.input_tensors:
            name = fixed_name(operation) if is_layer else ""
            found[index] = Cut(index, name, tuple(output.shape[1:]), parameters, macs), output
    return list(found.values())


def _size(kernel: keras.Variable) -> int:
    size = 1
    for side in kernel.shape:
        size *= side
    return size


def _ordered_nodes(model: keras.Model) -> list[Any]:
    # ``model.operations`` is sorted topologically. An operation may have further nodes outside this model (a split
    # makes some), so only those that the model itself lists count.
    mine = {id(node.operation): node for nodes in model._nodes_by_depth.values() for node in nodes}
    return [mine[id(operation)] for operation in model.operations]
