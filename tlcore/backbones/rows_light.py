"""Rows of the backbone table: families made for phones and small machines (sources: ``table.py``). No TensorFlow."""

from collections.abc import Iterator

from tlcore.backbones.backbone import STORE, Backbone
from tlcore.download import ORIGIN


def light_rows() -> Iterator[Backbone]:
    """Yield MobileNet V1 to V3 and EfficientNet V1 and V2, family by family, each from small to large."""
    yield from _mobilenet_v2()
    yield from _mobilenet_v3()
    yield from _mobilenet()
    yield from _efficientnet_v2()
    yield from _efficientnet()


def _mobilenet_v2() -> Iterator[Backbone]:
    for width, parameters, top1 in (
        (0.35, 410_208, 0.603),
        (0.5, 706_224, 0.654),
        (0.75, 1_382_064, 0.698),
        (1.0, 2_257_984, 0.713),
        (1.3, 3_766_048, 0.744),
        (1.4, 4_363_712, 0.750),
    ):
        yield Backbone(
            name=f"mobilenet_v2_{width * 100:03.0f}",
            title=f"MobileNetV2 {width}",
            family="MobileNetV2",
            builder="MobileNetV2",
            arguments=(("alpha", width),),
            scaling="minus_one_to_one",
            stage_starts=("block_1_expand", "block_3_expand", "block_6_expand", "block_13_expand"),
            parameters=parameters,
            imagenet_top1=top1,
            # The 224 px file serves every picture size; Keras would ask for other files at 96, 128, 160 and 192 px.
            weights_url=f"{STORE}/mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{width}_224_no_top.h5",
            paper="https://arxiv.org/abs/1801.04381",
            card="Small and quick even without a graphics card; a good first choice." if width == 1.0 else "",
        )


def _mobilenet_v3() -> Iterator[Backbone]:
    starts = {
        "Small": (
            "expanded_conv_depthwise_pad",
            "expanded_conv_1_expand",
            "expanded_conv_3_expand",
            "expanded_conv_8_expand",
        ),
        "Large": (
            "expanded_conv_1_expand",
            "expanded_conv_3_expand",
            "expanded_conv_6_expand",
            "expanded_conv_12_expand",
        ),
    }
    for kind, width, parameters, top1, digest in (
        ("Small", 0.75, 583_160, 0.654, "ebdb5cc8e0b497cd13a7c275d475c819"),
        ("Small", 1.0, 939_120, 0.681, "d3e8ec802a04aa4fc771ee12a9a9b836"),
        ("Large", 0.75, 1_808_736, 0.733, "40af19a13ebea4e2ee0c676887f69a2e"),
        ("Large", 1.0, 2_996_352, 0.756, "07fb09a5933dd0c8eaafa16978110389"),
    ):
        shown = kind == "Large" and width == 1.0
        yield Backbone(
            name=f"mobilenet_v3_{kind.lower()}_{width * 100:03.0f}",
            title=f"MobileNetV3 {kind} {width}",
            family="MobileNetV3",
            builder=f"MobileNetV3{kind}",
            arguments=(("alpha", width),),
            scaling="none",
            stage_starts=starts[kind],
            parameters=parameters,
            imagenet_top1=top1,
            weights_url=f"{STORE}/mobilenet_v3/weights_mobilenet_v3_{kind.lower()}_224_{width}_float_no_top_v2.h5",
            keras_hash=digest,
            paper="https://arxiv.org/abs/1905.02244",
            card="As quick as MobileNetV2 and a little more accurate; made for phones." if shown else "",
        )


def _mobilenet() -> Iterator[Backbone]:
    for width, file_part, parameters, top1, sha256 in (
        (0.25, "2_5", 218_544, 0.506, "dbdb03ee2a22fd895301636cd328b234bb3a9952358f436d82f46b81e0d5b0bf"),
        (0.5, "5_0", 829_536, 0.637, None),
        (0.75, "7_5", 1_832_976, 0.684, None),
        (1.0, "1_0", 3_228_864, 0.704, None),
    ):
        yield Backbone(
            name=f"mobilenet_{width * 100:03.0f}",
            title=f"MobileNet {width}",
            family="MobileNet",
            builder="MobileNet",
            arguments=(("alpha", width),),
            scaling="minus_one_to_one",
            stage_starts=("conv_pad_2", "conv_pad_4", "conv_pad_6", "conv_pad_12"),
            parameters=parameters,
            imagenet_top1=top1,
            weights_url=f"{STORE}/mobilenet/mobilenet_{file_part}_224_tf_no_top.h5",
            sha256=sha256,
            paper="https://arxiv.org/abs/1704.04861",
        )


_EFFICIENTNET_STARTS = ("block2a_expand_conv", "block3a_expand_conv", "block4a_expand_conv", "block6a_expand_conv")


def _efficientnet_v2() -> Iterator[Backbone]:
    for kind, size, parameters, top1, digest in (
        ("B0", 224, 5_919_312, 0.787, "893217f2bb855e2983157299931e43ff"),
        ("B1", 240, 6_931_124, 0.798, "0e80663031ca32d657f9caa404b6ec37"),
        ("B2", 260, 8_769_374, 0.805, "1dfe2e7a5d45b6632553a8961ea609eb"),
        ("B3", 300, 12_930_622, 0.820, "f6abf7b5849ac99a89b50dd3fd532856"),
        ("S", 384, 20_331_360, 0.839, "af0682fb74e8c54910f2d4393339c070"),
        ("M", 480, 53_150_388, 0.853, "1b8dc055df72dde80d614482840fe342"),
        ("L", 480, 117_746_848, 0.857, "b0b66b5c863aef5b46e8608fe1711615"),
    ):
        yield Backbone(
            name=f"efficientnet_v2_{kind.lower()}",
            title=f"EfficientNetV2 {kind}",
            family="EfficientNetV2",
            builder=f"EfficientNetV2{kind}",
            scaling="none",
            default_size=size,
            stage_starts=_EFFICIENTNET_STARTS,
            parameters=parameters,
            imagenet_top1=top1,
            weights_url=f"{STORE}/efficientnet_v2/efficientnetv2-{kind.lower()}_notop.h5",
            keras_hash=digest,
            paper="https://arxiv.org/abs/2104.00298",
            card="The best balance: clearly more accurate than the smaller ones, still quick." if kind == "B0" else "",
        )


def _efficientnet() -> Iterator[Backbone]:
    for number, (size, parameters, top1, digest) in enumerate(
        (
            (224, 4_049_571, 0.771, "50bc09e76180e00e4465e1a485ddc09d"),
            (240, 6_575_239, 0.791, "74c4e6b3e1f6a1eea24c589628592432"),
            (260, 7_768_569, 0.801, "111f8e2ac8aa800a7a99e3239f7bfb39"),
            (300, 10_783_535, 0.816, "af6d107764bb5b1abb91932881670226"),
            (380, 17_673_823, 0.829, "ebc24e6d6c33eaebbd558eafbeedf1ba"),
            (456, 28_513_527, 0.836, "38879255a25d3c92d5e44e04ae6cec6f"),
            (528, 40_960_143, 0.840, "9ecce42647a20130c1f39a5d4cb75743"),
            (600, 64_097_687, 0.843, "cbcfe4450ddf6f3ad90b1b398090fe4a"),
        )
    ):
        yield Backbone(
            name=f"efficientnet_b{number}",
            title=f"EfficientNet B{number}",
            family="EfficientNet",
            builder=f"EfficientNetB{number}",
            scaling="none",
            default_size=size,
            stage_starts=_EFFICIENTNET_STARTS,
            parameters=parameters,
            imagenet_top1=top1,
            weights_url=f"{ORIGIN}/keras-applications/efficientnetb{number}_notop.h5",
            keras_hash=digest,
            paper="https://arxiv.org/abs/1905.11946",
        )
