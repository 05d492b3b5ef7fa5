"""The row of Thaw's own network, whose weights come with Thaw. No TensorFlow here."""

from tlcore.backbones.backbone import Backbone


def own_rows() -> tuple[Backbone, ...]:
    """Return the row; see ``assets/thawnet.md`` for what the network has seen and how good it is."""
    return (
        Backbone(
            name="thawnet",
            title="Thawnet",
            family="Thawnet",
            builder="",
            scaling="minus_one_to_one",
            stage_starts=tuple(f"stage{number}_block1_first_conv" for number in (2, 3, 4)),
            parameters=2_722_400,
            weights_url="",
            paper="https://arxiv.org/abs/1503.02531",
            default_size=128,
            bundled="thawnet.npz",
            sha256="09bb6941ef1410145a7d101a472a90c57e04514d7c625cc034e75454c9eea392",
            card="Thaw’s own: small, quick and already here. The one to begin with, and it works without internet.",
        ),
    )
