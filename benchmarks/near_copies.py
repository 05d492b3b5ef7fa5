"""Which near-copies are found? ``python -m benchmarks.near_copies FOLDER_OR_MORE [--each 40] [--sheet FILE.png]``

Photos are taken from a folder, with whatever folders are inside. Of some a copy is made, one kind of change each, and
hidden among all of them; then the folder is looked over as Thaw does it. A copy counts as found if it is in one group
with its photo. Printed are the shares found by perceptual hash only and with windows and the network's neighbours, how
long each step takes, and in how many pairs two different photos are in one group. Sets hold real copies of their own:
look at these pairs with ``--sheet`` before you call them false.
"""

import argparse
import io
import itertools
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw, ImageEnhance

from tlcore.images import inspection, layout, twins
from tlcore.images.dataset import Picture
from tlcore.images.folder import Progress

Change = Callable[[Image.Image], Image.Image]
_SHEET_SIDE, _SHEET_COLUMNS = 120, 6


def saved_again(image: Image.Image) -> Image.Image:
    """Lose what JPEG loses at quality 50."""
    content = io.BytesIO()
    image.save(content, "JPEG", quality=50)
    return Image.open(content)


def cropped(left: float, top: float, right: float, bottom: float) -> Change:
    """Cut shares of width and height off."""
    return lambda image: image.crop(
        (
            round(left * image.width),
            round(top * image.height),
            round((1 - right) * image.width),
            round((1 - bottom) * image.height),
        )
    )


def cut_square(image: Image.Image) -> Image.Image:
    """Keep the square in the middle."""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


def framed(share: float, colour: str) -> Change:
    """Add a border, a share of the longer side."""

    def frame(image: Image.Image) -> Image.Image:
        border = round(share * max(image.size))
        whole = Image.new("RGB", (image.width + 2 * border, image.height + 2 * border), colour)
        whole.paste(image, (border, border))
        return whole

    return frame


def captioned(image: Image.Image) -> Image.Image:
    """Put a dark bar with words over the lowest eighth."""
    image = image.copy()
    pen, top = ImageDraw.Draw(image), round(image.height * 0.875)
    pen.rectangle((0, top, image.width, image.height), fill="black")
    pen.text((image.width * 0.05, top), "A day to remember", fill="white", font_size=max(8, image.height // 12))
    return image


def with_logo(image: Image.Image) -> Image.Image:
    """Put a white disc into a corner, an eighth of the width."""
    image, side = image.copy(), image.width // 8
    ImageDraw.Draw(image).ellipse((image.width - side - 4, 4, image.width - 4, side + 4), fill="white", outline="red")
    return image


KINDS: dict[str, Change] = {
    "saved again (50)": saved_again,
    "half the size": lambda image: image.resize((image.width // 2, image.height // 2), Image.Resampling.BICUBIC),
    "mirrored": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "a third brighter": lambda image: ImageEnhance.Brightness(image).enhance(4 / 3),
    "a third darker": lambda image: ImageEnhance.Brightness(image).enhance(2 / 3),
    "cropped by 3 %": cropped(*(0.03,) * 4),
    "cropped by 5 %": cropped(*(0.05,) * 4),
    "cropped by 10 %": cropped(*(0.10,) * 4),
    "cropped by 15 %": cropped(*(0.15,) * 4),
    "15 %, mirrored": lambda image: cropped(*(0.15,) * 4)(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
    "a corner, 70 %": cropped(0.3, 0.0, 0.0, 0.3),
    "cut to a square": cut_square,
    "turned by 90": lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "turned by 180": lambda image: image.transpose(Image.Transpose.ROTATE_180),
    "framed by 10 %": framed(0.10, "white"),
    "framed by 20 %": framed(0.20, "black"),
    "caption": captioned,
    "logo": with_logo,
}


def hide(files: list[Path], root: Path, each: int) -> dict[str, tuple[str, str]]:
    """Write photos and copies into a folder; return for each copy's name its kind and the name of its photo."""
    (root / "photos").mkdir(parents=True)
    (root / "copies").mkdir()
    copies = {}
    kinds = itertools.chain.from_iterable(itertools.repeat(kind, each) for kind in KINDS)
    for number, file in enumerate(files):
        with Image.open(file) as opened:
            photo = opened.convert("RGB")
        name = f"{number * 3:06}.jpg"  # no two follow each other as shots do
        photo.save(root / "photos" / name, quality=95)
        kind = next(kinds, None)
        if kind:
            KINDS[kind](photo).save(root / "copies" / f"c{name}", quality=90)
            copies[f"copies/c{name}"] = (kind, f"photos/{name}")
    return copies


def measure(folder: Path, each: int, most: int) -> list[tuple[Path, Path]]:
    """Print what is found in a folder; return the pairs of different photos that are in one group."""
    files = [folder / placed.file for placed in layout.find(folder).placed]
    random.Random(0).shuffle(files)
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "set"
        copies = hide(files[:most], root, each)
        began, moments = time.perf_counter(), []

        def about(task: str) -> Progress:
            moments.append(time.perf_counter())
            return lambda done, total: None

        found = inspection.inspect(root, about=about)
        ended = time.perf_counter()
        pictures = found.dataset.pictures
        by_hash_began = time.perf_counter()
        by_hash = twins.groups(pictures, [picture.look for picture in pictures], found.tiles)
        by_hash_s = time.perf_counter() - by_hash_began
    print(f"\n{folder.name}: {len(pictures)} pictures, {len(copies)} of them copies. {found.hash_only}")
    _print_found(pictures, by_hash, copies, each)
    print(
        f"    opening {moments[0] - began:.1f} s, neighbours {moments[-1] - moments[0]:.1f} s, windows "
        f"{ended - moments[-1] - by_hash_s:.1f} s, hashes {by_hash_s:.1f} s"
    )
    groups = {picture.file: picture.group for picture in pictures}
    photo_of = {file: copies.get(file, ("", file))[1] for file in groups}
    wrong = {
        tuple(sorted((photo_of[one], photo_of[other])))
        for _, members in itertools.groupby(
            sorted((group, file) for file, group in groups.items() if group), lambda m: m[0]
        )
        for (_, one), (_, other) in itertools.combinations(list(members), 2)
        if photo_of[one] != photo_of[other]
    }
    print(f"    {len(wrong)} pairs of different photos in one group")
    return [tuple(files[int(Path(name).stem) // 3] for name in pair) for pair in sorted(wrong)]


def _print_found(
    pictures: tuple[Picture, ...], by_hash: tuple[str, ...], copies: dict[str, tuple[str, str]], each: int
) -> None:
    """Print for each kind how many copies are in one group with their photo."""
    whole = {picture.file: picture.group for picture in pictures}
    hashed = {picture.file: group for picture, group in zip(pictures, by_hash, strict=True)}
    for kind in KINDS:
        made = [(copy, photo) for copy, (its, photo) in copies.items() if its == kind]
        shares = [
            sum(groups[copy] == groups[photo] != "" for copy, photo in made) / max(1, len(made))
            for groups in (hashed, whole)
        ]
        print(f"    {kind:18} by hash {shares[0]:5.0%}   with all {shares[1]:5.0%}")


def draw(pairs: list[tuple[Path, Path]], file: Path) -> None:
    """Write a contact sheet of pairs."""
    side, rows = _SHEET_SIDE, -(-len(pairs) // _SHEET_COLUMNS)
    sheet = Image.new("RGB", (_SHEET_COLUMNS * (2 * side + 8), max(1, rows) * (side + 8)), "white")
    for number, pair in enumerate(pairs):
        row, column = divmod(number, _SHEET_COLUMNS)
        for place, path in enumerate(pair):
            with Image.open(path) as opened:
                small = opened.convert("RGB").resize((side, side))
            sheet.paste(small, (column * (2 * side + 8) + place * side, row * (side + 8)))
    sheet.save(file)


def main() -> None:
    """Measure every folder named on the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--each", type=int, default=40, help="copies of each kind")
    parser.add_argument("--most", type=int, default=10_000, help="photos of each folder")
    parser.add_argument("--sheet", type=Path, help="where to draw the pairs of different photos")
    asked = parser.parse_args()
    pairs = [pair for folder in asked.folders for pair in measure(folder, asked.each, asked.most)]
    if asked.sheet:
        draw(pairs, asked.sheet)


if __name__ == "__main__":
    main()
