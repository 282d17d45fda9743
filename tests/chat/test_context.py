"""What goes along with a question: texts within one budget, pictures, files."""

import base64
import io

import altair as alt
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from codex_nb import FileError, InvalidOption, private
from codex_nb.chat.context import ABOUT, context_parts, described, shares
from codex_nb.chat.files import SHORT, attachment
from codex_nb.chat.images import LONGEST_SIDE, image_url
from codex_nb.chat.tokens import estimate

mpl.use("Agg")


def picture_of(url):
    """Return the picture in a ``data:`` address."""
    kind, content = url.split(";base64,")
    picture = Image.open(io.BytesIO(base64.b64decode(content)))
    assert kind == f"data:image/{picture.format.lower()}"
    return picture


@pytest.fixture
def figure():
    """A small figure."""
    figure, axes = plt.subplots(figsize=(3, 2))
    axes.plot([1, 3, 2])
    yield figure
    plt.close(figure)


CHART = alt.Chart(pd.DataFrame({"x": [1, 2], "email": ["a@b.org", "c@d.org"]})).mark_bar().encode(x="x", y="email:N")


@given(st.lists(st.integers(0, 10_000)), st.integers(0, 20_000))
def test_a_budget_is_shared_fairly(wanted, total):
    """Nobody gets more than he wants, nothing is left while somebody wants, and who gets less gets as much as all."""
    given_ = shares(wanted, total)
    assert all(got <= want for got, want in zip(given_, wanted, strict=True))
    assert sum(given_) == min(sum(wanted), total)
    short = [got for got, want in zip(given_, wanted, strict=True) if got < want]
    assert not short or max(given_) - min(short) <= 1


def test_all_objects_share_one_budget_in_the_order_given():
    """A small object is said in full beside two that are too large."""
    frame = pd.DataFrame(np.arange(40_000).reshape(400, 100))
    [part] = context_parts([("big", frame), ("rule", "prices are net"), ("text", "word " * 50_000)], tokens=1_200)
    assert part["type"] == "input_text"
    assert part["text"].startswith(f"{ABOUT}\n\n## big: pandas DataFrame, 400 rows x 100 columns\n")
    assert "## rule: text, 14 characters\n```\nprices are net\n```" in part["text"]
    assert estimate(part["text"]) < 1_300
    assert part["text"].index("## rule") < part["text"].index("## text")


def test_the_same_objects_give_the_same_bytes(figure):
    """Pictures too: what is cached is found again."""
    objects = [("sales", pd.DataFrame({"a": [1]})), ("set", {"b", "a"}), ("fig", figure)]
    assert context_parts(objects) == context_parts(objects)


def test_nothing_to_tell_is_nothing_to_send():
    """No part at all."""
    assert context_parts([]) == []


def test_figures_among_the_objects_become_pictures(figure):
    """Texts first, then each picture behind its name."""
    parts = context_parts([("fig", figure), ("n", 3)], [("pixels", np.zeros((4, 6)))])
    assert [part["type"] for part in parts] == ["input_text", *["input_text", "input_image"] * 2]
    assert [part["text"] for part in parts[1::2]] == ["Picture fig:", "Picture pixels:"]
    assert picture_of(parts[2]["image_url"]).size > (100, 100)
    assert picture_of(parts[4]["image_url"]).size == (6, 4)


@pytest.mark.parametrize(
    "value",
    [
        Image.new("RGB", (50, 40)),
        Image.new("CMYK", (50, 40)),
        np.zeros((40, 50, 3), "uint8"),
        np.random.default_rng(1).random((40, 50)),
        np.zeros((40, 50, 1), bool),
    ],
    ids=["rgb", "cmyk", "uint8", "float", "bool"],
)
def test_pixels_of_any_kind_become_a_picture(value):
    """Of the same size."""
    assert picture_of(image_url(value)).size == (50, 40)


def test_gaps_in_pixels_are_black():
    """In shares and in whole colours alike."""
    assert image_url(np.array([[0.0, np.nan]])) == image_url(np.array([[0.0, 0.0]]))
    assert image_url(np.array([[200.0, np.nan]])) == image_url(np.array([[200.0, 0.0]]))


def test_charts_are_drawn_and_without_what_draws_them_their_specification_is_sent(monkeypatch):
    """Where private columns stay private; ``--image`` says what is missing."""
    assert picture_of(image_url(CHART)).size > (50, 50)
    monkeypatch.setitem(__import__("sys").modules, "vl_convert", None)
    with private("email"):
        [part] = context_parts([("chart", CHART)])
    assert "'mark'" in part["text"]
    assert "a@b.org" not in part["text"]
    with pytest.raises(InvalidOption, match="vl-convert"):
        image_url(CHART)


def test_large_pictures_are_made_smaller():
    """To what the model looks at, whatever they come as."""
    assert picture_of(image_url(Image.new("RGB", (5000, 100)))).size == (LONGEST_SIDE, 41)
    assert max(picture_of(image_url(plt.figure(figsize=(60, 10), dpi=300))).size) <= LONGEST_SIDE
    plt.close("all")


def test_a_photo_is_turned_upright_and_forgets_where_it_was_taken(tmp_path):
    """Its notes do not leave the machine; a plain picture goes as it is."""
    notes = Image.Exif()
    notes[0x0112] = 6
    notes[0x010F] = "a maker of cameras"
    photo, plain = tmp_path / "photo.jpg", tmp_path / "plain.jpg"
    Image.new("RGB", (60, 40)).save(photo, exif=notes)
    Image.new("RGB", (60, 40)).save(plain)
    sent = picture_of(image_url(photo))
    assert sent.size == (40, 60)
    assert not sent.getexif()
    assert base64.b64decode(image_url(str(plain)).partition(",")[2]) == plain.read_bytes()


def test_kinds_that_the_service_does_not_know_are_changed_into_one(tmp_path):
    """BMP and TIFF become PNG."""
    for name in ("a.bmp", "a.tiff"):
        Image.new("RGB", (6, 4)).save(tmp_path / name)
        assert image_url(tmp_path / name).startswith("data:image/png;")


def test_addresses_go_over_as_they_are():
    """The service fetches them."""
    assert image_url("https://example.org/a.png?x=1") == "https://example.org/a.png?x=1"
    own = image_url(Image.new("1", (3, 3)))
    assert image_url(own) == own


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (3, "no picture"),
        (b"no picture at all", "no picture"),
        (np.zeros(3), "An array of 3"),
        (np.zeros((2, 2, 2)), "2 x 2 x 2"),
        (np.array([[-1, 300]]), "-1 … 300"),
        (np.full((2, 2), np.nan), "only NaN"),
        ("data:image/png;base64,xx", "cannot be made into a picture"),
        ("nowhere.png", "nowhere.png is not there"),
    ],
)
def test_what_is_no_picture_is_refused(value, message):
    """Before anything is sent."""
    with pytest.raises((InvalidOption, FileError), match=message):
        image_url(value)


def test_without_pillow_small_pictures_pass_and_others_say_what_to_install(monkeypatch):
    """A PNG is a PNG without it."""
    content = base64.b64decode(image_url(Image.new("RGB", (9, 9))).partition(",")[2])
    monkeypatch.setitem(__import__("sys").modules, "PIL.Image", None)
    assert image_url(content).startswith("data:image/png;")
    for value in (b"BM" + content, content + bytes(9_000_000), np.zeros((2, 2))):
        with pytest.raises(InvalidOption) as caught:
            image_url(value)
        assert "pip install" in caught.value.hint


def test_short_texts_are_quoted_and_other_files_named(tmp_path):
    """A text with fences of its own stays whole; what is no text has a name only."""
    (tmp_path / "notes.md").write_text("```\ncode\n```\n")
    (tmp_path / "long.txt").write_text("x" * (SHORT + 1))
    (tmp_path / "data.bin").write_bytes(b"\0\1\2")
    [part] = attachment(tmp_path / "notes.md").parts()
    assert part["text"] == "File notes.md (13 bytes):\n````\n```\ncode\n```\n\n````"
    for name in ("long.txt", "data.bin"):
        label, file = attachment(tmp_path / name).parts()
        assert label["text"].startswith(f"File {name} (")
        assert file == {"type": "input_file", "file_id": "sediment://…"}


@pytest.mark.parametrize("name", ["missing.txt", ".", "empty.txt"])
def test_a_file_that_cannot_be_sent_is_refused(tmp_path, name):
    """Before anything is sent."""
    (tmp_path / "empty.txt").touch()
    with pytest.raises(FileError):
        attachment(tmp_path / name)


def test_a_description_may_stand_in_a_text():
    """As ``{{sales}}`` puts it there."""
    assert described(pd.DataFrame({"a": [1]})).startswith("pandas DataFrame, 1 row x 1 column\n- a: int64")
