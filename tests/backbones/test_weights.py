import re
import shutil
import socket
import urllib.parse

import pytest

from tlcore.backbones import table, weights
from tlcore.errors import WeightsError

UNHASHED = table.get("mobilenet_v2_035")  # Keras publishes no hash: the file is opened and counted
HASHED = table.get("mobilenet_025")


def offer(server, row, content):
    file = server.folder / urllib.parse.urlparse(row.weights_url).path.lstrip("/")
    file.parent.mkdir(parents=True)
    shutil.copyfile(content, file)
    return file


def left_behind(keras_home):
    return [file.name for file in keras_home.rglob("*") if file.is_file()]


def test_weights_are_fetched_with_progress_and_kept_where_keras_keeps_them(server, keras_home, random_weights):
    offer(server, UNHASHED, random_weights)
    seen = []
    assert not weights.is_here(UNHASHED)

    file = weights.fetch(UNHASHED, lambda received, total: seen.append((received, total)))

    size = random_weights.stat().st_size
    assert file == keras_home / "models" / UNHASHED.weights_file
    assert file.read_bytes() == random_weights.read_bytes()
    assert weights.is_here(UNHASHED)
    assert [received for received, _ in seen] == sorted(received for received, _ in seen)
    assert seen[-1] == (size, size)
    assert len(seen) > 3


def test_weights_that_are_here_are_not_fetched_again(server, keras_home, random_weights):
    offer(server, UNHASHED, random_weights)

    assert weights.fetch(UNHASHED) == weights.fetch(UNHASHED)
    assert len(server.asked) == 1


def test_a_mirror_can_be_named_in_the_call(server, keras_home, random_weights, monkeypatch):
    monkeypatch.delenv("THAW_WEIGHTS_URL")
    assert weights.url(UNHASHED) == UNHASHED.weights_url
    assert weights.url(UNHASHED, server.url + "/") == f"{server.url}/{UNHASHED.weights_url.split('/', 3)[3]}"
    offer(server, UNHASHED, random_weights)

    assert weights.fetch(UNHASHED, base_url=server.url).exists()


def test_a_connection_that_breaks_off_twice_is_tried_a_third_time(server, keras_home, random_weights):
    offer(server, UNHASHED, random_weights)
    server.cuts = 2

    assert weights.fetch(UNHASHED).read_bytes() == random_weights.read_bytes()
    assert len(server.asked) == 3


def test_a_connection_that_keeps_breaking_off_leaves_nothing_behind(server, keras_home, random_weights):
    offer(server, UNHASHED, random_weights)
    server.cuts = 3

    with pytest.raises(WeightsError, match="the connection broke off"):
        weights.fetch(UNHASHED)
    assert not weights.is_here(UNHASHED)
    assert left_behind(keras_home) == []


def test_without_a_network_the_error_names_file_address_and_folder(keras_home):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{free.getsockname()[1]}"

    with pytest.raises(WeightsError, match="there is no connection") as caught:
        weights.fetch(UNHASHED, base_url=closed)
    text = str(caught.value)
    assert UNHASHED.weights_file in text
    assert weights.url(UNHASHED, closed) in text
    assert str(keras_home / "models") in text


def test_a_file_that_the_server_does_not_have_is_asked_for_once(server, keras_home):
    with pytest.raises(WeightsError, match="the server answered 404"):
        weights.fetch(UNHASHED)
    assert len(server.asked) == 1


def test_a_download_with_another_hash_is_not_kept(server, keras_home, random_weights):
    offer(server, HASHED, random_weights)

    with pytest.raises(WeightsError, match=f"SHA256 is .* instead of {HASHED.sha256}. It was not kept"):
        weights.fetch(HASHED)
    assert left_behind(keras_home) == []


def test_the_hash_of_keras_is_compared_where_there_is_no_other(server, keras_home, tmp_path):
    row = table.get("mobilenet_v3_small_075")
    zeros = tmp_path / "zeros"
    zeros.write_bytes(bytes(row.parameters * 4))
    offer(server, row, zeros)

    with pytest.raises(WeightsError, match=f"MD5 is .* instead of {row.keras_hash}"):
        weights.fetch(row)


def test_a_login_page_in_place_of_the_weights_is_not_kept(server, keras_home, tmp_path):
    page = tmp_path / "login.html"
    page.write_text("<html>Please log in to the school network</html>" + " " * UNHASHED.parameters * 4)
    offer(server, UNHASHED, page)

    with pytest.raises(WeightsError, match="is not laid out as Keras' files with weights are"):
        weights.fetch(UNHASHED)
    assert left_behind(keras_home) == []


def test_the_weights_of_another_network_are_not_kept(server, keras_home, random_weights):
    row = table.get("mobilenet_v2_035")
    smaller = table.Backbone(**{**vars(row), "parameters": 400_000})
    offer(server, smaller, random_weights)

    with pytest.raises(WeightsError, match="holds 410,208 weights instead of 400,000"):
        weights.fetch(smaller)


def test_a_damaged_file_that_is_here_is_named_and_never_swapped(server, keras_home, random_weights):
    offer(server, UNHASHED, random_weights)
    damaged = weights.path(UNHASHED)
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(random_weights.read_bytes()[:1000])
    assert not weights.is_here(UNHASHED)

    with pytest.raises(WeightsError, match=f"{re.escape(str(damaged))}.*cut short.*Delete this file"):
        weights.fetch(UNHASHED)
    assert damaged.stat().st_size == 1000
    assert server.asked == []


def test_a_folder_that_cannot_be_made_is_named(server, keras_home, random_weights):
    offer(server, UNHASHED, random_weights)
    keras_home.write_text("a file where the folder should be")

    with pytest.raises(WeightsError, match=r"could not be stored as .*KERAS_HOME"):
        weights.fetch(UNHASHED)


@pytest.mark.real
@pytest.mark.parametrize("name", ["mobilenet_025", "mobilenet_050", "mobilenet_v2_035"])
def test_real_weights_are_recognised(name, real_weights):
    row = table.get(name)

    assert weights.is_here(row)
    assert weights.fetch(row) == real_weights / row.weights_file
