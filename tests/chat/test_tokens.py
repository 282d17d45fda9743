"""The estimate of tokens, beside what the o200k tokenizer counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_nb.chat.tokens import IMAGE, MESSAGE, estimate, estimate_request

# Text, how often, and the tokens that o200k makes of it.
GERMAN = """\
Die Würde des Menschen ist unantastbar. Sie zu achten und zu schützen ist Verpflichtung aller staatlichen Gewalt. \
Das Deutsche Volk bekennt sich darum zu unverletzlichen und unveräußerlichen Menschenrechten als Grundlage jeder \
menschlichen Gemeinschaft, des Friedens und der Gerechtigkeit in der Welt. """
JAPANESE = """\
すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。\
人間は、理性と良心とを授けられており、互いに同胞の精神をもって行動しなければならない。"""
KOREAN = """\
모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다. \
인간은 천부적으로 이성과 양심을 부여받았으며 서로 형제애의 정신으로 행동하여야 한다. """
COUNTED = [
    (GERMAN, 3, 193),
    ("人人生而自由,在尊严和权利上一律平等。他们赋有理性和良心,并应以兄弟关系的精神相对待。", 5, 185),
    (JAPANESE, 3, 216),
    (KOREAN, 3, 152),
    ("सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है। ", 4, 98),
    ("Great 🎉🎊 work 👍🏽 team 🚀 ❤️ 👨‍👩‍👧 ", 10, 211),
]


@pytest.mark.parametrize(("text", "times", "tokens"), COUNTED, ids=lambda value: str(value)[:12])
def test_an_estimate_is_near_the_count(text, times, tokens):
    """In every script, where a quarter of the characters is off by a factor of three."""
    assert 0.8 * tokens <= estimate(text * times) <= 1.2 * tokens


@given(st.text())
def test_an_estimate_is_between_nothing_and_a_token_a_character(text):
    """Whatever the text; the same text has the same number."""
    assert estimate(text) == estimate(text) <= len(text)
    assert (estimate(text) > 0) == bool(text)


@pytest.mark.parametrize("text", [" " * 300_000 + "x", "(" * 300_000, "\n " * 150_000, "a" * 3_000_000])
def test_a_long_text_is_judged_at_once(text):
    """Nothing in it makes the count slow: this would not end."""
    assert estimate(text) > 0


def test_a_request_counts_its_texts_and_images_but_no_base64():
    """An image's bytes are not text."""
    image = {"type": "input_image", "image_url": "data:image/png;base64," + "A" * 100_000}
    message = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "one two"}, image]}
    assert estimate_request({"input": [message]}) == estimate("input") + MESSAGE + 2 + IMAGE
    assert estimate_request({"stream": True, "n": None}) < 6
