"""Can damaged pictures and archives harm the reader? ``python -m benchmarks.damaged [HOW_MANY]``

Throws that many (2,400 unless told otherwise) damaged pictures and archives at it, three pictures for each archive,
other ones each time, and prints how they ended. Pictures go through decoder processes, as when a folder is looked over.
It breaks off with the example that did it when one brings its decoder down, eats the memory, leaves something outside
of its folder or takes longer than 30 seconds; an archive that takes longer than a minute ends the program with a word
on where.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import damage
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy


def throw(what: SearchStrategy[bytes], at: Callable[[bytes], None], how_many: int) -> tuple[int, float]:
    """Run a check on that many examples; return how many there were and how long the slowest took in seconds."""
    times: list[float] = []

    @settings(
        max_examples=how_many,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate,),
    )
    @given(what)
    def each(content: bytes) -> None:
        began = time.perf_counter()
        at(content)
        times.append(time.perf_counter() - began)

    each()
    return len(times), max(times)


def main() -> None:
    """Throw pictures, then archives."""
    how_many = int(sys.argv[1]) if len(sys.argv) > 1 else 2400
    with tempfile.TemporaryDirectory() as name:
        place = Path(name) / "deep" / "deeper"
        pictures = Path(name) / "pictures"
        place.mkdir(parents=True)
        pictures.mkdir()

        def look_at(content: bytes) -> None:
            damage.look_at(content, pictures)
            assert [path.name for path in pictures.iterdir()] == ["sent"]

        def bring_in(content: bytes) -> None:
            damage.bring_in(content, place / str(len(list(place.iterdir()))))
            assert [path.name for path in place.parent.iterdir()] == ["deeper"]

        for kind, what, at, number in (
            ("pictures", damage.pictures(), look_at, how_many * 3 // 4),
            ("archives", damage.zips() | damage.tars(), bring_in, how_many - how_many * 3 // 4),
        ):
            thrown, slowest = throw(what, at, number)
            print(
                f"{thrown} damaged {kind}: no crash, no hang, nothing outside; the slowest took {slowest:.2f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
