import io
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tlcore.images import picture

RED, BLUE = (220, 30, 40), (20, 40, 210)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def halves(width: int = 80, height: int = 60) -> Image.Image:
    """Left half red, right half blue."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image


def smooth(width: int, height: int) -> Image.Image:
    """Something like a photo: soft shapes in all three channels."""
    noise = np.random.default_rng(5).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)


def assert_near(pixel: np.ndarray, wanted: tuple[int, int, int], tolerance: int = 12) -> None:
    assert np.abs(pixel.astype(int) - wanted).max() <= tolerance, f"{pixel} is not near {wanted}"


def assert_halves(square: np.ndarray, side: int = 32) -> None:
    assert square.shape == (side, side, 3)
    assert square.dtype == np.uint8
    assert_near(square[side // 2, 2], RED)
    assert_near(square[side // 2, -3], BLUE)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "JPEG2000", "AVIF"])
def test_every_usual_format_gives_the_same_square(kind: str) -> None:
    assert_halves(picture.read(encoded(halves(), kind), 32))


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "jpeg"])
def test_a_compressed_tiff_is_read(compression: str) -> None:
    assert_halves(picture.read(encoded(halves(), "TIFF", compression=compression), 32))


def test_a_path_bytes_and_an_open_file_give_the_same(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    halves().save(file)
    with file.open("rb") as stream:
        from_stream = picture.read(stream, 20)
    assert np.array_equal(picture.read(file, 20), from_stream)
    assert np.array_equal(picture.read(str(file), 20), picture.read(file.read_bytes(), 20))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "I;16", "YCbCr"])
def test_every_colour_mode_becomes_rgb(mode: str) -> None:
    bright = Image.new("L", (40, 40), 255)
    bright.paste(0, (20, 0, 40, 40))
    if mode == "I;16":
        image = Image.fromarray(np.asarray(bright).astype(np.uint16) * 257)
    else:
        image = bright.convert("RGB").convert(mode)
    kind = "TIFF" if mode in ("CMYK", "YCbCr") else "PNG"
    square = picture.read(encoded(image, kind), 16)
    assert_near(square[8, 1], (255, 255, 255))
    assert_near(square[8, -2], (0, 0, 0))


def test_a_cmyk_jpeg_keeps_its_colours() -> None:
    square = picture.read(encoded(halves().convert("CMYK"), "JPEG", quality=95), 32)
    assert_near(square[16, 2], RED, 40)
    assert_near(square[16, -3], BLUE, 40)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_parts_become_white(mode: str) -> None:
    image = Image.new(mode, (40, 40), (0, 0, 0, 0) if mode == "RGBA" else (0, 0))
    assert (picture.read(encoded(image, "PNG"), 8) == 255).all()


def test_half_transparent_black_becomes_grey() -> None:
    image = Image.new("RGBA", (40, 40), (0, 0, 0, 128))
    assert_near(picture.read(encoded(image, "PNG"), 8)[4, 4], (127, 127, 127), 2)


def test_a_palette_with_a_transparent_colour_becomes_white_there() -> None:
    image = Image.new("P", (40, 40), 1)
    image.putpalette([255, 0, 0, 0, 0, 255])
    assert (picture.read(encoded(image, "PNG", transparency=1), 8) == 255).all()


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_and_not_clipped(kind: str) -> None:
    ramp = np.linspace(0, 65535, 64).astype(np.uint16)
    image = Image.fromarray(np.tile(ramp, (64, 1)))
    row = picture.read(encoded(image, kind), 64)[32, :, 0]
    assert np.abs(row.astype(int) - np.rint(ramp / 257)).max() <= 1


@pytest.mark.parametrize("top", [1.0, 255.0, 65535.0])
def test_a_float_tiff_is_scaled_by_the_range_it_uses(top: float) -> None:
    ramp = np.linspace(0, top, 64, dtype=np.float32)
    row = picture.read(encoded(Image.fromarray(np.tile(ramp, (64, 1))), "TIFF"), 64)[32, :, 0]
    assert np.abs(row.astype(int) - np.linspace(0, 255, 64)).max() <= 1.5


def test_a_float_tiff_of_another_range_is_stretched_and_holes_do_no_harm() -> None:
    values = np.tile(np.linspace(-3000, 9000, 64, dtype=np.float32), (64, 1))
    values[0, 0] = np.nan
    square = picture.read(encoded(Image.fromarray(values), "TIFF"), 64)
    assert square[32].min() == 0
    assert square[32].max() == 255


def test_32_bit_integers_are_scaled() -> None:
    values = np.tile(np.linspace(0, 65535, 64).astype(np.int32), (64, 1))
    square = picture.read(encoded(Image.fromarray(values), "TIFF"), 64)
    assert square[32, 0, 0] == 0
    assert square[32, -1, 0] == 255


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF", "PNG"])
def test_of_an_animation_the_first_frame_counts(kind: str) -> None:
    others = [Image.new("RGB", (80, 60), "white"), Image.new("RGB", (80, 60), "black")]
    seen = picture.look(encoded(halves(), kind, save_all=True, append_images=others), 32)
    assert seen.frames == 3
    assert seen.square is not None
    assert_halves(seen.square)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_rotation_is_obeyed(kind: str, orientation: int) -> None:
    upright = smooth(90, 60)
    exif = Image.Exif()
    exif[0x0112] = orientation
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # the turn that the camera did and the reader takes back
    stored = upright.transpose(Image.Transpose(undo[orientation])) if orientation > 1 else upright
    options = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"lossless": True}}.get(kind, {})
    seen = picture.look(encoded(stored, kind, exif=exif, **options), 30, "stretch")
    plain = picture.read(encoded(upright, "PNG"), 30, "stretch")
    assert (seen.width, seen.height) == (90, 60)
    assert seen.square is not None
    assert np.abs(seen.square.astype(int) - plain).mean() < 3


def test_crop_keeps_the_middle() -> None:
    image = Image.new("RGB", (300, 100), BLUE)
    image.paste(RED, (100, 0, 200, 100))
    square = picture.read(encoded(image, "PNG"), 50, "crop")
    assert_near(square[25, 2], RED)
    assert_near(square[25, -3], RED)


def test_stretch_keeps_everything() -> None:
    square = picture.read(encoded(halves(400, 100), "PNG"), 32, "stretch")
    assert_halves(square)


def test_pad_adds_black_bars() -> None:
    square = picture.read(encoded(halves(200, 100), "PNG"), 40, "pad")
    assert (square[:9] == 0).all()
    assert (square[-9:] == 0).all()
    assert_near(square[20, 2], RED)
    assert_near(square[20, -3], BLUE)


@pytest.mark.parametrize("resize", picture.RESIZES)
def test_a_picture_of_one_pixel_is_read(resize: str) -> None:
    square = picture.read(encoded(Image.new("RGB", (1, 1), RED), "PNG"), 32, resize)
    assert_near(square[16, 16], RED)


def test_a_very_long_picture_is_read_whole_with_pad() -> None:
    square = picture.read(encoded(Image.new("RGB", (3000, 2), "white"), "PNG"), 32, "pad")
    assert (square.max(axis=(1, 2)) > 0).sum() == 1


@pytest.mark.parametrize("resize", picture.RESIZES)
@pytest.mark.parametrize("size", [(1600, 1200), (1201, 1603), (997, 997)])
def test_shrinking_while_decoding_gives_what_a_full_decode_gives(resize: str, size: tuple[int, int]) -> None:
    jpeg = encoded(smooth(*size), "JPEG", quality=92)
    with Image.open(io.BytesIO(jpeg)) as whole:
        decoded_wholly = encoded(whole.convert("RGB"), "BMP")
    difference = np.abs(picture.read(jpeg, 96, resize).astype(int) - picture.read(decoded_wholly, 96, resize))
    assert difference.mean() < 1.0
    assert difference.max() <= 24  # at the edge of a padded picture


def test_fine_stripes_do_not_flicker() -> None:
    stripes = np.zeros((640, 640, 3), np.uint8)
    stripes[:, ::2] = 255
    square = picture.read(encoded(Image.fromarray(stripes), "PNG"), 64)
    assert np.abs(square[1:-1, 1:-1].astype(int) - 127).max() <= 4


def test_the_square_does_not_depend_on_what_else_is_asked_for() -> None:
    jpeg = encoded(smooth(1600, 1200), "JPEG")
    seen = picture.look(jpeg, 64, "crop", small_side=160)
    assert np.array_equal(seen.square, picture.read(jpeg, 64))
    assert seen.small is not None
    assert (seen.small.size, seen.small.mode) == ((160, 120), "RGB")


def test_a_small_copy_is_never_enlarged() -> None:
    seen = picture.look(encoded(halves(80, 60), "PNG"), small_side=160)
    assert seen.small is not None
    assert seen.small.size == (80, 60)
    assert seen.square is None


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(picture.Unreadable, match=r"is empty \(0 bytes\)"):
        picture.read(b"", 32)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<!DOCTYPE html><html><body>404</body></html>", "a web page"),
        (b"\n  <html><head></head></html>", "a web page"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"></svg>', "an SVG drawing"),
        (b"<svg></svg>", "an SVG drawing"),
        (b'<?xml version="1.0"?><note/>', "an XML file"),
        (b"%PDF-1.7 ...", "a PDF document"),
        (b"PK\x03\x04....", "a zip archive"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00", "a HEIC photo: save it as JPEG"),
        (b"\x00\x00\x00\x18ftypisom\x00\x00", "a video"),
        (b"just some words\n", "a text file"),
        (bytes(500), "zeros only"),
        (b"\x01\x02\x03\x04\x05", "nothing known"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "a text file"),
    ],
)
def test_what_is_no_picture_is_named_by_what_it_looks_like(content: bytes, words: str) -> None:
    with pytest.raises(picture.Unreadable, match="not a picture that Thaw can read") as refused:
        picture.read(content, 32)
    assert words in str(refused.value)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_picture_that_is_cut_short_is_refused(kind: str, share: float) -> None:
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (90, 90, 3), dtype=np.uint8))
    content = encoded(noise, kind)
    with pytest.raises(picture.Unreadable, match=r"is cut short|is damaged"):
        picture.read(content[: int(len(content) * share)], 16)


def test_damaged_bytes_never_raise_anything_else() -> None:
    noise = np.random.default_rng(2)
    seeds = [encoded(smooth(60, 40), kind) for kind in ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "AVIF")]
    seeds.append(encoded(smooth(60, 40), "TIFF", compression="tiff_lzw"))
    refused = 0
    for number in range(400):
        content = bytearray(seeds[number % len(seeds)])
        for place in noise.integers(0, len(content), noise.integers(1, 12)):
            content[place] = noise.integers(0, 256)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                assert picture.read(bytes(content), 16).shape == (16, 16, 3)
        except picture.Unreadable:
            refused += 1
    assert 0 < refused < 400


def a_png_that_says(width: int, height: int) -> bytes:
    """A tiny PNG whose head claims another size."""
    import struct
    import zlib

    content = bytearray(encoded(Image.new("L", (1, 1)), "PNG"))
    content[16:24] = struct.pack(">II", width, height)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    return bytes(content)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_picture_of_100_megapixels_is_refused_with_the_numbers() -> None:
    with pytest.raises(picture.Unreadable, match="10000 x 10000 = 100 million pixels, more than the 89 million"):
        picture.read(a_png_that_says(10_000, 10_000), 32)


def test_a_decompression_bomb_is_refused() -> None:
    with pytest.raises(picture.Unreadable, match="more pixels than the 89 million"):
        picture.read(a_png_that_says(50_000, 50_000), 32)


def test_a_file_that_has_gone_is_named_so(tmp_path: Path) -> None:
    with pytest.raises(picture.Unreadable, match="could not be read from disk"):
        picture.read(tmp_path / "gone.jpg", 32)


def test_wrong_arguments_are_the_programmers_fault() -> None:
    with pytest.raises(ValueError, match="Received: 0"):
        picture.read(b"", 0)
    with pytest.raises(ValueError, match="Received: squeeze"):
        picture.read(b"", 32, "squeeze")


def test_the_file_stands_on_its_own() -> None:
    source = Path(picture.__file__).read_text(encoding="utf-8")
    assert "tlcore" not in source
