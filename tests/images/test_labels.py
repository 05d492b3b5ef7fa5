import os
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from tlcore.errors import DatasetError
from tlcore.images import folder, intake, labels


def drawn(root: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (12, 8), (number, number * 40 % 256, 7)).save(root / name)
    return root


def write(root: Path, text: str, name: str = "labels.csv", encoding: str = "utf-8") -> None:
    root.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text, encoding=encoding)


def classes(root: Path) -> dict[str, str]:
    dataset = folder.scan(root)
    return {picture.file: dataset.class_names[picture.label] for picture in dataset.pictures}


def test_a_table_beside_a_flat_folder_gives_the_classes(tmp_path: Path) -> None:
    drawn(tmp_path, "1.png", "2.png", "3.png")
    write(tmp_path, "filename,label\n1.png,cat\n2.png,dog\n3.png,cat\n")
    assert classes(tmp_path) == {"1.png": "cat", "2.png": "dog", "3.png": "cat"}
    assert folder.scan(tmp_path).set_aside == ()


@pytest.mark.parametrize(
    "text",
    [
        "Filename,Label\r\n1.png,cat\r\n2.png,dog\r\n",
        " LABEL ; FILENAME \ncat;1.png\ndog;2.png\n",
        "filename\tlabel\n1.png\tcat\n2.png\tdog\n",
        "id,filename,label,note\n7,1.png,cat,\n8,2.png,dog,\n",
        '"filename","label"\n"1.png","cat"\n"2.png","dog"\n',
        "filename,label\n./1.png, cat \n2.PNG,dog\n\n",
        "\ufefffilename,label\n1.png,cat\n2.png,dog",
    ],
)
def test_tables_as_programs_write_them_are_read(tmp_path: Path, text: str) -> None:
    drawn(tmp_path, "1.png", "2.png")
    write(tmp_path, text)
    assert classes(tmp_path) == {"1.png": "cat", "2.png": "dog"}


def test_labels_are_text_whatever_they_look_like(tmp_path: Path) -> None:
    drawn(tmp_path, "1.png", "2.png", "3.png", "4.png")
    write(tmp_path, "filename,label\n1.png,007\n2.png,NA\n3.png,None\n4.png,猫\n")
    assert set(classes(tmp_path).values()) == {"007", "NA", "None", "猫"}


@pytest.mark.parametrize("name", ["labels.csv", "Labels.CSV"])
def test_wrapping_folders_and_a_folder_for_the_pictures_do_not_matter(tmp_path: Path, name: str) -> None:
    drawn(tmp_path, "set/images/1.png", "set/images/2.png", "set/more/3.png")
    write(tmp_path / "set", "filename,label\nimages/1.png,cat\n2.png,dog\nmore\\3.png,dog\n", name)
    assert set(classes(tmp_path).values()) == {"cat", "dog"}


def test_what_the_table_does_not_settle_is_set_aside_with_its_reason(tmp_path: Path) -> None:
    drawn(tmp_path, "1.png", "2.png", "3.png", "4.png", "5.png", "a/6.png", "b/6.png")
    rows = "1.png,cat\n2.png,dog\n4.png,\n5.png,cat\n5.png,dog\n6.png,cat\ngone.png,cat\n"
    write(tmp_path, "filename,label\n" + rows)
    dataset = folder.scan(tmp_path)
    assert len(dataset.pictures) == 2
    assert {entry.file: entry.reason for entry in dataset.set_aside} == {
        "3.png": "is not named in labels.csv",
        "4.png": "has no label in labels.csv",
        "5.png": "has two labels in labels.csv",
        "6.png": "is named in labels.csv, but several files have this name: give its folder too",
        "a/6.png": "is not named in labels.csv",
        "b/6.png": "is not named in labels.csv",
        "gone.png": "is named in labels.csv, but there is no such file",
    }


@pytest.mark.parametrize(
    "text", ["", "id,class\n1,cat\n", "\0\0\0", 'filename,label\n"1.png', "filename,label\nx.png,cat\n"]
)
def test_a_table_that_cannot_be_used_is_said_where_there_are_no_folders(tmp_path: Path, text: str) -> None:
    drawn(tmp_path, "1.png", "2.png")
    write(tmp_path, text)
    with pytest.raises(DatasetError, match=r"no class folders, and labels\.csv"):
        folder.scan(tmp_path)


def test_a_table_for_something_else_beside_class_folders_is_set_aside(tmp_path: Path) -> None:
    drawn(tmp_path, "cats/1.png", "dogs/2.png")
    write(tmp_path, "id,class\n1,cat\n")
    dataset = folder.scan(tmp_path)
    assert dataset.class_names == ("cats", "dogs")
    assert [(entry.file, entry.reason) for entry in dataset.set_aside] == [
        ("labels.csv", "has no columns “filename” and “label”")
    ]


def test_a_table_that_names_a_file_elsewhere_reaches_nothing(tmp_path: Path) -> None:
    drawn(tmp_path, "secret.png", "set/1.png", "set/2.png")
    write(tmp_path / "set", f"filename,label\n1.png,cat\n2.png,dog\n../secret.png,cat\n{tmp_path}/secret.png,cat\n")
    dataset = folder.scan(tmp_path / "set")
    assert [picture.file for picture in dataset.pictures] == ["1.png", "2.png"]
    assert len(dataset.set_aside) == 2


def test_a_table_in_another_encoding_is_said(tmp_path: Path) -> None:
    drawn(tmp_path, "1.png", "2.png")
    write(tmp_path, "filename,label\n1.png,Äpfel\n2.png,Öl\n", encoding="latin-1")
    with pytest.raises(DatasetError, match="cannot be read as a table"):
        folder.scan(tmp_path)


def test_a_table_without_end_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn(tmp_path, "1.png")
    write(tmp_path, "filename,label\n1.png,cat\n")
    os.truncate(tmp_path / "labels.csv", labels.MAX_BYTES + 1)
    assert "larger than" in labels.read(tmp_path / "labels.csv", ["1.png"]).problem


def test_a_zip_with_a_table_is_understood_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THAW_HOME", str(tmp_path / "home"))
    root = drawn(tmp_path / "set", "1.png", "2.png")
    write(root, "filename,label\n1.png,cat\n2.png,dog\n")
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as target:
        for file in root.iterdir():
            target.write(file, f"set/{file.name}")
    assert intake.open_pictures(tmp_path / "set.zip").counts() == {"cat": 1, "dog": 1}
