"""What we measured of the backbones ourselves. No TensorFlow here."""

RELATIVE_TIMES = {
    "thawnet": 1.0,
    "mobilenet_v2_100": 6.6,
    "mobilenet_v3_large_100": 5.4,
    "efficientnet_v2_b0": 7.5,
    "resnet50_v2": 23.0,
    "convnext_tiny": 240.0,
    "vgg16": 73.0,
}
"""How many times as long as Thaw's own network a backbone takes for a picture, each at its own default picture size.

Source: ``python -m benchmarks.backbones`` with the pinned TensorFlow in float32 on two cores without bfloat16 units.
"""

PROBE_ACCURACIES = {
    "thawnet": 0.804,
    "mobilenet_v2_100": 0.889,
    "mobilenet_v2_035": 0.872,
    "mobilenet_025": 0.826,
}
"""Share of right answers, 0 to 1, on small sets of photos with the backbone as it is, at 128 px: mean over three sets
(flowers, cats and dogs, hand signs) that Thaw's own network has not seen. It comes 82 % of the way from its random
weights (0.494) to MobileNetV2 0.35.

Source: ``python -m benchmarks.linear_probe``; MobileNetV2 1.0 with the weights of Google's 8-bit file, the others with
Keras' own.
"""
