"""Rows of the backbone table: families made for graphics cards (sources: ``table.py``). No TensorFlow here."""

from collections.abc import Iterator

from tlcore.backbones.backbone import STORE, Backbone


def heavy_rows() -> Iterator[Backbone]:
    """Yield ResNet V1 and V2, DenseNet, ConvNeXt, Inception and VGG, family by family, each from small to large."""
    yield from _resnet_v2()
    yield from _resnet()
    yield from _densenet()
    yield from _convnext()
    yield from _inception()
    yield from _vgg()


def _resnet_v2() -> Iterator[Backbone]:
    for depth, parameters, top1, digest in (
        (50, 23_564_800, 0.760, "fac2f116257151a9d068a22e544a4917"),
        (101, 42_626_560, 0.772, "c0ed64b8031c3730f411d2eb4eea35b5"),
        (152, 58_331_648, 0.780, "ed17cf2e0169df9d443503ef94b23b33"),
    ):
        yield Backbone(
            name=f"resnet{depth}_v2",
            title=f"ResNet{depth} V2",
            family="ResNetV2",
            builder=f"ResNet{depth}V2",
            scaling="minus_one_to_one",
            stage_starts=tuple(f"conv{number}_block1_preact_bn" for number in (2, 3, 4, 5)),
            parameters=parameters,
            imagenet_top1=top1,
            weights_url=f"{STORE}/resnet/resnet{depth}v2_weights_tf_dim_ordering_tf_kernels_notop.h5",
            keras_hash=digest,
            paper="https://arxiv.org/abs/1603.05027",
            card="The sturdy classic of research; medium size, at its best with a graphics card."
            if depth == 50
            else "",
        )


def _resnet() -> Iterator[Backbone]:
    for depth, parameters, top1, digest in (
        (50, 23_587_712, 0.749, "4d473c1dd8becc155b73f8504c6f6626"),
        (101, 42_658_176, 0.764, "88cf7a10940856eca736dc7b7e228a21"),
        (152, 58_370_944, 0.766, "ee4c566cf9a93f14d82f913c2dc6dd0c"),
    ):
        yield Backbone(
            name=f"resnet{depth}",
            title=f"ResNet{depth}",
            family="ResNet",
            builder=f"ResNet{depth}",
            scaling="caffe",
            stage_starts=tuple(f"conv{number}_block1_1_conv" for number in (2, 3, 4, 5)),
            parameters=parameters,
            imagenet_top1=top1,
            weights_url=f"{STORE}/resnet/resnet{depth}_weights_tf_dim_ordering_tf_kernels_notop.h5",
            keras_hash=digest,
            paper="https://arxiv.org/abs/1512.03385",
        )


def _densenet() -> Iterator[Backbone]:
    for depth, parameters, top1, digest in (
        (121, 7_037_504, 0.750, "30ee3e1110167f948a6b9946edeeb738"),
        (169, 12_642_880, 0.762, "b8c4d4c20dd625c148057b9ff1c1176b"),
        (201, 18_321_984, 0.773, "c13680b51ded0fb44dff2d8f86ac8bb1"),
    ):
        yield Backbone(
            name=f"densenet{depth}",
            title=f"DenseNet{depth}",
            family="DenseNet",
            builder=f"DenseNet{depth}",
            scaling="torch",
            stage_starts=tuple(f"conv{number}_block1_0_bn" for number in (2, 3, 4, 5)),
            parameters=parameters,
            imagenet_top1=top1,
            weights_url=f"{STORE}/densenet/densenet{depth}_weights_tf_dim_ordering_tf_kernels_notop.h5",
            keras_hash=digest,
            paper="https://arxiv.org/abs/1608.06993",
        )


def _convnext() -> Iterator[Backbone]:
    for kind, parameters, top1, digest in (
        ("Tiny", 27_820_128, 0.813, "d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1"),
        ("Small", 49_454_688, 0.823, "6fc8009faa2f00c1c1dfce59feea9b0745eb260a7dd11bee65c8e20843da6eab"),
        ("Base", 87_566_464, 0.853, "40a20c5548a5e9202f69735ecc06c990e6b7c9d2de39f0361e27baeb24cb7c45"),
        ("Large", 196_230_336, 0.863, "96f02b6f0753d4f543261bc9d09bed650f24dd6bc02ddde3066135b63d23a1cd"),
        ("XLarge", 348_147_968, 0.867, "de3f8a54174130e0cecdc71583354753d557fcf1f4487331558e2a16ba0cfe05"),
    ):
        name = f"convnext_{kind.lower()}"
        blocks = (f"{name}_stage_0_block_0_depthwise_conv", *(f"{name}_downsampling_block_{i}" for i in range(3)))
        yield Backbone(
            name=name,
            title=f"ConvNeXt {kind}",
            family="ConvNeXt",
            builder=f"ConvNeXt{kind}",
            scaling="none",
            stage_starts=blocks,
            parameters=parameters,
            imagenet_top1=top1,
            weights_url=f"{STORE}/convnext/{name}_notop.h5",
            keras_hash=digest,
            sha256=digest,
            paper="https://arxiv.org/abs/2201.03545",
            card="The most accurate of the six; slow without a graphics card." if kind == "Tiny" else "",
        )


def _inception() -> Iterator[Backbone]:
    ending = "weights_tf_dim_ordering_tf_kernels_notop.h5"
    for name, builder, smallest, starts, parameters, top1, digest, paper in (
        (
            "inception_v3",
            "InceptionV3",
            75,
            ("mixed0", "mixed3", "mixed8"),
            21_802_784,
            0.779,
            "bcbd6486424b2319ff4ef7d526e38f63",
            "https://arxiv.org/abs/1512.00567",
        ),
        (
            "inception_resnet_v2",
            "InceptionResNetV2",
            75,
            ("mixed_5b", "mixed_6a", "mixed_7a"),
            54_336_736,
            0.803,
            "d19885ff4a710c122648d3b5c3b684e4",
            "https://arxiv.org/abs/1602.07261",
        ),
        (
            "xception",
            "Xception",
            71,
            ("block2_sepconv1", "block3_sepconv1_act", "block4_sepconv1_act", "block13_sepconv1_act"),
            20_861_480,
            0.790,
            "b0042744bf5b25fce3cb969f33bebb97",
            "https://arxiv.org/abs/1610.02357",
        ),
    ):
        yield Backbone(
            name=name,
            title=builder,
            family="Inception",
            builder=builder,
            scaling="minus_one_to_one",
            default_size=299,
            min_size=smallest,
            stage_starts=starts,
            parameters=parameters,
            imagenet_top1=top1,
            weights_url=f"{STORE}/{name}/{name}_{ending}",
            keras_hash=digest,
            paper=paper,
        )


def _vgg() -> Iterator[Backbone]:
    for depth, parameters, top1, digest in (
        (16, 14_714_688, 0.713, "6d6bbae143d832006294945121d1f1fc"),
        (19, 20_024_384, 0.713, "253f8cb515780f3b799900260a226db6"),
    ):
        yield Backbone(
            name=f"vgg{depth}",
            title=f"VGG{depth}",
            family="VGG",
            builder=f"VGG{depth}",
            scaling="caffe",
            stage_starts=tuple(f"block{number}_conv1" for number in (2, 3, 4, 5)),
            parameters=parameters,
            imagenet_top1=top1,
            weights_url=f"{STORE}/vgg{depth}/vgg{depth}_weights_tf_dim_ordering_tf_kernels_notop.h5",
            keras_hash=digest,
            paper="https://arxiv.org/abs/1409.1556",
            card="The textbook network: easy to understand, but heavy and slow." if depth == 16 else "",
        )
