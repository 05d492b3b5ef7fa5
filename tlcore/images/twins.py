"""Which pictures show the same: near-copies, and series of shots of one thing. No TensorFlow here.

Pictures whose perceptual hashes are near, as they are, mirrored or turned by quarters, are laid over each other and
compared; then once more without what is common to all pictures of the set, so that photos of the same dial do not all
count as copies. Pictures of which one may be a part of the other are compared by ``excerpt``.

Measured with ``benchmarks/near_copies.py`` on flowers, pets, hands, clothes and small things. By hashes, copies that
were saved again, halved, mirrored, turned or made a third darker were found in 95 % or more; those a third brighter
in 90 % or more, but of hands before a white wall in 62 %; those cropped by 3 % on each side in 75 to 98 %, by 5 % in 68
to 95 %, by 10 % or framed in none. With ``excerpt`` those cropped by 3 to 15 % were found in 92 % or more, those framed
by 10 % in 88 % or more. Under a caption or a logo most copies are missed: a needle on a dial differs as much. Hands in
one and the same broad black frame were taken for each other: there the frame is most of the picture.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tlcore.images import alignment, burst
from tlcore.images.dataset import Picture

NEAR_BITS = 14
"""Of 64: hashes that differ in more are not compared. Unlike pictures differ in about 32."""
ALIKE = 0.7
"""Correlation of the two pictures as they lie, roughly smoothed, from which on they are laid over each other."""
COPY = (0.93, 0.6, 0.9)
"""A near-copy: ``whole`` and ``fine`` at least the first and last, ``worst`` at most the second of these."""
SHOT = (0.93, 0.6, 0.75)
"""The same for two files that follow each other, see ``burst``: two shots of one thing moments apart."""
TURNED = (0.97, 0.4, 0.95)
"""The same for two pictures of which one is turned by a quarter or stands on its head: drawings of balls and boards are
alike from every side."""
DETAIL = 0.88
"""Least ``fine`` of a near-copy on 48 x 48 pixels, where both pictures have so many: shirts of one cut on a table have
0.85 or less, 19 of 20 copies of photos 0.93 or more."""
ALIKE_UNUSUAL = 0.5
"""The same, without what is common to the whole set."""
UNUSUAL = 0.93
"""Least ``whole`` of two near-copies without what is common to the whole set."""

_PAIRS_AT_ONCE = 512
_HASHES_AT_ONCE = 64
_DETAIL_SIDE = 48
_ROUGH = 0.9  # of ``whole`` on a quarter of the pixels, below which the exact comparison is not worth its time
_COLUMNS = 0x5555555555555555  # every second column of the hash: waves that change sign in a mirror
_ROWS = 0x00FF00FF00FF00FF  # every second row: those that change sign when a picture stands on its head
_MIRROR, _HEAD, _DIAGONAL = 1, 2, 4  # a turn: mirrored, upside down, and before both mirrored at the diagonal


Larger = Callable[[Sequence[str]], np.ndarray]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of pictures by row, and how the second one is to be turned, 0 to 7; three arrays of one length."""

    first: np.ndarray
    second: np.ndarray
    turn: np.ndarray

    def __getitem__(self, which: np.ndarray | slice) -> "Pairs":
        return Pairs(self.first[which], self.second[which], self.turn[which])


def groups(
    pictures: Sequence[Picture],
    looks: Sequence[str],
    tiles: np.ndarray,
    parts: Sequence[tuple[str, str]] = (),
    larger: Larger | None = None,
) -> tuple[str, ...]:
    """Return for each picture the name of its group; "" for a picture that no other one resembles.

    Whoever resembles a member belongs to the group, so a long series is one group although its ends differ. Pictures
    with equal bytes belong together by themselves and are not named unless a third one resembles them. A group is
    named by the content of one of its pictures, so the name does not depend on files' names.

    Args:
        pictures: In the order of the dataset.
        looks: ``Impression.look`` of each.
        tiles: (N, 32, 32, 3) uint8.
        parts: Contents of pictures of which one is a part of the other, found by ``excerpt``.
        larger: Returns (M, 96, 96, 3) uint8 for the contents of M pictures; without it ``DETAIL`` is not looked at.
    """
    leader = list(range(len(pictures)))

    def lead(row: int) -> int:
        while leader[row] != row:
            leader[row] = leader[leader[row]]
            row = leader[row]
        return row

    first_of: dict[str, int] = {}
    unlike = [row for row, picture in enumerate(pictures) if first_of.setdefault(picture.content, row) == row]
    looks_unlike = [looks[row] for row in unlike]
    for one, other in _alike([pictures[row] for row in unlike], looks_unlike, tiles[unlike], larger):
        leader[lead(unlike[one])] = lead(unlike[other])
    for whole, part in parts:
        leader[lead(first_of[whole])] = lead(first_of[part])
    members: dict[int, set[str]] = {}
    for row in unlike:
        members.setdefault(lead(row), set()).add(pictures[row].content)
    names = {row: min(contents) for row, contents in members.items() if len(contents) > 1}
    return tuple(names.get(lead(first_of[picture.content]), "") for picture in pictures)


def _alike(
    pictures: list[Picture], looks: list[str], tiles: np.ndarray, larger: Larger | None
) -> list[tuple[int, int]]:
    """Return the pairs of rows that show the same."""
    near = _near(np.array([int(look or "0", 16) for look in looks], np.uint64), np.array([bool(k) for k in looks]))
    if not len(near.first):
        return []
    typical = _typical(tiles)
    near = near[(_as_they_lie(near, tiles) >= ALIKE) & (_as_they_lie(near, tiles, typical) >= ALIKE_UNUSUAL)]
    near = near[_compared(near, tiles, alignment.roughly)[0] >= _ROUGH]
    found = _compared(near, tiles, alignment.likeness)
    is_turned = near.turn > _MIRROR
    shot = _within(found, SHOT) & burst.follow(pictures, near.first, near.second) & ~is_turned
    same = shot | (_within(found, COPY) & ~is_turned) | _within(found, TURNED)
    near, shot = near[same], shot[same]
    unusual = _compared(near, tiles, alignment.likeness, typical)[0] >= UNUSUAL
    near, shot = near[unusual], shot[unusual]
    if larger is not None:
        near = near[shot | _in_detail(near, pictures, larger)]
    return list(zip(near.first.tolist(), near.second.tolist(), strict=True))


def _near(hashes: np.ndarray, has_look: np.ndarray) -> Pairs:
    """Return the pairs whose hashes are near, each pair once for every turn in which they are."""
    found = [np.empty((3, 0), int)]
    turned = [_turned_hashes(hashes, turn) for turn in range(8)]
    for start in range(0, len(hashes), _HASHES_AT_ONCE):
        block = hashes[start : start + _HASHES_AT_ONCE, None]
        for turn, others in enumerate(turned):
            close = np.bitwise_count(block ^ others[None, start:]) <= NEAR_BITS
            one, other = np.divmod(np.flatnonzero(close), close.shape[1])
            found.append(np.stack([one + start, other + start, np.full(len(one), turn)]))
    first, second, turn = np.concatenate(found, axis=1)
    usable = (second > first) & has_look[first] & has_look[second]
    return Pairs(first, second, turn)[usable]


def _turned_hashes(hashes: np.ndarray, turn: int) -> np.ndarray:
    """Return the hashes that turned pictures would have: waves change their sign, or rows and columns their places."""
    if turn & _DIAGONAL:
        bits = np.unpackbits(hashes.astype(">u8").view(np.uint8).reshape(-1, 8), axis=1).reshape(-1, 8, 8)
        hashes = np.packbits(bits.transpose(0, 2, 1).reshape(-1, 64), axis=1).view(">u8").ravel().astype(np.uint64)
    change = (_COLUMNS if turn & _MIRROR else 0) ^ (_ROWS if turn & _HEAD else 0)
    return hashes ^ np.uint64(change)


def _turned(tiles: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Return (N, S, S, ...) with each picture turned as its number from 0 to 7 says."""
    found = tiles.copy()
    for kind in np.unique(turn[turn > 0]):
        some = found[turn == kind]
        some = some.swapaxes(1, 2) if kind & _DIAGONAL else some
        some = some[:, :, ::-1] if kind & _MIRROR else some
        found[turn == kind] = some[:, ::-1] if kind & _HEAD else some
    return found


def _as_they_lie(pairs: Pairs, tiles: np.ndarray, typical: np.ndarray | None = None) -> np.ndarray:
    """Return the correlation of each pair on an 8 x 8 grid, without moving; without ``typical`` if it is given."""
    count, side = len(tiles), tiles.shape[1] // 8
    rough = tiles.reshape(count, 8, side, 8, side, 3).mean(axis=(2, 4, 5), dtype=np.float32)
    rough -= rough.mean(axis=(1, 2), keepdims=True)
    rough /= np.sqrt((rough**2).mean(axis=(1, 2), keepdims=True)) + 1e-3
    if typical is not None:
        rough = rough - rough[:: max(1, count // 4096)].mean(axis=0)
    rough /= np.sqrt((rough**2).sum(axis=(1, 2), keepdims=True)) + 1e-3
    return (rough[pairs.first] * _turned(rough[pairs.second], pairs.turn)).sum(axis=(1, 2))


def _even(tiles: np.ndarray) -> np.ndarray:
    """Return tiles as float32 with mean 0 and, where there is anything to see, standard deviation 100."""
    even = tiles.astype(np.float32)
    even -= even.mean(axis=(1, 2, 3), keepdims=True)
    return even * (100 / np.maximum(even.std(axis=(1, 2, 3), keepdims=True), 3.0))


def _typical(tiles: np.ndarray) -> np.ndarray:
    """Return what is common to a set: the mean of its even tiles, of which about a thousand are asked."""
    return _even(tiles[:: max(1, len(tiles) // 1024)]).mean(axis=0)


def _compared(
    pairs: Pairs, tiles: np.ndarray, compare: Callable[..., alignment.Likeness], typical: np.ndarray | None = None
) -> np.ndarray:
    """Return (3, pairs): whole, worst and fine, a few hundred pairs at a time; without ``typical`` if it is given."""
    found = [np.empty((3, 0), np.float32)]
    for start in range(0, len(pairs.first), _PAIRS_AT_ONCE):
        part = pairs[slice(start, start + _PAIRS_AT_ONCE)]
        first, second = tiles[part.first], _turned(tiles[part.second], part.turn)
        if typical is not None:
            first, second = _even(first) - typical, _even(second) - typical
        likeness = compare(first, second)
        found.append(np.stack([likeness.whole, likeness.worst, likeness.fine]))
    return np.concatenate(found, axis=1)


def _in_detail(pairs: Pairs, pictures: list[Picture], larger: Larger) -> np.ndarray:
    """Return for each pair whether it is alike in detail too; small pictures have none, so they are."""
    is_alike = np.ones(len(pairs.first), bool)
    for number, (one, other) in enumerate(zip(pairs.first, pairs.second, strict=True)):
        two = pictures[one], pictures[other]
        if min(min(picture.width, picture.height) for picture in two) >= _DETAIL_SIDE:
            first, second = alignment.shrunk(larger([picture.content for picture in two]), 2)[:, None]
            found = alignment.likeness(first, _turned(second, pairs.turn[number : number + 1]))
            is_alike[number] = found.fine[0] >= DETAIL
    return is_alike


def _within(found: np.ndarray, limits: tuple[float, float, float]) -> np.ndarray:
    return (found[0] >= limits[0]) & (found[1] <= limits[1]) & (found[2] >= limits[2])
