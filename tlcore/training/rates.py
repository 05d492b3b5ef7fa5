"""Learning rates per group of layers over time.

Adam undoes any scaling of the gradient, so each group has an optimizer of its own with a rate of its own
(``keras.optimizers.MultiOptimizer``).
"""

from typing import Any

import keras

from tlcore.training.classifier import Classifier
from tlcore.training.recipe import Recipe

WARM_UP_SHARE = 0.1  # of a phase's steps; AutoGluon's default (configs/optimization/adamw.yaml) is the same


def rate_of_stage(recipe: Recipe, stage: int, n_stages: int) -> float:
    """Return the highest rate of a stage in fine-tuning: the last stage learns at ``backbone_lr``, earlier ones slower.

    Args:
        recipe: Settled.
        stage: 0 is the image side.
        n_stages: Number of stages of the backbone.
    """
    return float(recipe.backbone_lr or 0.0) * recipe.rate_falloff ** (n_stages - 1 - stage)


def head_rate(recipe: Recipe, phase: str) -> float:
    """Return the highest rate of the head: its own in the head phase, one step above the last stage afterwards."""
    if phase == "head":
        return float(recipe.head_lr or 0.0)
    return min(float(recipe.head_lr or 0.0), float(recipe.backbone_lr or 0.0) / recipe.rate_falloff)


def schedule(rate: float, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """Return a short rise to ``rate`` and a cosine fall to zero over ``steps`` steps.

    Source: Loshchilov and Hutter, SGDR (arXiv 1608.03983); warm-up as in Goyal et al. (arXiv 1706.02677).
    """
    warm_up = int(steps * WARM_UP_SHARE)
    if warm_up == 0:
        return keras.optimizers.schedules.CosineDecay(rate, max(1, steps))
    return keras.optimizers.schedules.CosineDecay(
        rate / 10, max(1, steps - warm_up), warmup_target=rate, warmup_steps=warm_up
    )


class OfWholeSteps(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule for steps that are computed in parts: Keras counts the parts, the schedule the whole steps.

    Args:
        plan: The schedule.
        parts: Of each step.
    """

    def __init__(self, plan: keras.optimizers.schedules.LearningRateSchedule, parts: int) -> None:
        self.plan = plan
        self.parts = parts

    def __call__(self, step: Any) -> Any:
        """Return the rate of the step that part number ``step`` (from 0) belongs to."""
        return self.plan(keras.ops.floor_divide(step, self.parts))

    def get_config(self) -> dict[str, Any]:
        """Return what it was made of."""
        return {"plan": self.plan, "parts": self.parts}


def _optimizer(recipe: Recipe, rate: float, steps: int, name: str) -> keras.optimizers.Optimizer:
    """Return the recipe's optimizer for one group of layers."""
    parts = recipe.step_parts or 1
    plan = schedule(rate, steps) if parts == 1 else OfWholeSteps(schedule(rate, steps), parts)
    options = {"name": name, "gradient_accumulation_steps": parts if parts > 1 else None}
    if recipe.optimizer == "adamw":
        return keras.optimizers.AdamW(plan, weight_decay=recipe.weight_decay, **options)
    if recipe.optimizer == "adam":
        return keras.optimizers.Adam(plan, **options)
    if recipe.optimizer == "rmsprop":
        return keras.optimizers.RMSprop(plan, momentum=0.9, **options)
    return keras.optimizers.SGD(plan, momentum=0.9, nesterov=True, **options)


def optimizer(recipe: Recipe, classifier: Classifier, phase: str, steps: int) -> keras.optimizers.Optimizer:
    """Return the optimizer of a phase; call it after ``freezing.freeze``.

    Args:
        recipe: Settled.
        classifier: Its flags tell which stages learn.
        phase: "head" or "fine-tuning".
        steps: Steps of the whole phase, whole ones where they are computed in parts.
    """
    head = _optimizer(recipe, head_rate(recipe, phase), steps, "head")
    groups: dict[str, keras.optimizers.Optimizer] = {}
    n_stages = len(classifier.stages)
    for number, stage in enumerate(classifier.stages):
        variables = [variable for layer in stage for variable in layer.trainable_variables]
        if variables:
            group = _optimizer(recipe, rate_of_stage(recipe, number, n_stages), steps, f"stage_{number + 1}")
            groups |= {variable.path: group for variable in variables}
    if not groups:
        return head
    return keras.optimizers.MultiOptimizer(lambda variable: groups.get(variable.path, head))
