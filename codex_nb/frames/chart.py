"""Charts as every front end can show them, also without a network."""

from __future__ import annotations

import base64
import io
import struct
import warnings
from importlib.util import find_spec
from typing import Any, Final

__all__ = ["CLEAR", "Chart", "Drawing"]

# JupyterLab, Notebook and VS Code draw this themselves; Altair's own HTML loads its scripts from elsewhere.
DRAWN_BY_FRONT_ENDS: Final = "application/vnd.vegalite.v5+json"
SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v5.20.1.json"
# The ground and the frame of a chart that lies on pages of any colour.
CLEAR: Final = {"background": "transparent", "view": {"stroke": "transparent"}}
# Pixels of the picture for each of the chart's own.
SHARPNESS: Final = 2
# Characters; an SVG of thousands of points makes a notebook heavy.
LARGEST: Final = 300_000
# Where a PNG says its width and height.
SIZE: Final = slice(16, 24)


class Chart:
    """``chart`` is Altair's, and so is every attribute that is asked for here.

    It is shown as Vega-Lite, and as a picture (by vl-convert, of the extra ``plot``) where a front end draws none: as
    SVG on pages, as PNG in what is printed.
    """

    def __init__(self, chart: Any) -> None:
        self.chart = chart

    def __getattr__(self, name: str) -> Any:
        if name == "chart" or name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.chart, name)

    def __repr__(self) -> str:
        return "<a chart: .save() writes it, .chart is Altair's>"

    def _repr_mimebundle_(self, **_wanted: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data: dict[str, Any] = {
            DRAWN_BY_FRONT_ENDS: {**self.chart.to_dict(), "$schema": SCHEMA},
            "text/plain": repr(self),
        }
        if not find_spec("vl_convert"):
            return data, {}
        # Pages take the SVG: on a clear ground vl-convert's PNG has wrong colours where they are half transparent.
        drawn, picture = io.StringIO(), io.BytesIO()
        self.chart.save(drawn, format="svg")
        if len(drawn.getvalue()) <= LARGEST:
            data["image/svg+xml"] = drawn.getvalue()
        self.chart.save(picture, format="png", scale_factor=SHARPNESS)
        data["image/png"] = base64.b64encode(picture.getvalue()).decode()
        width, height = struct.unpack(">II", picture.getvalue()[SIZE])
        return data, {"image/png": {"width": width // SHARPNESS, "height": height // SHARPNESS}}


class Drawing:
    """``figure`` is Matplotlib's, and so is every attribute that is asked for here.

    It is shown as a picture also where Matplotlib was not set up for notebooks, which pyplot does.
    """

    def __init__(self, figure: Any) -> None:
        self.figure = figure

    def __getattr__(self, name: str) -> Any:
        if name == "figure" or name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.figure, name)

    def __repr__(self) -> str:
        return "<a drawing: .savefig() writes it, .figure is Matplotlib's>"

    def _repr_png_(self) -> bytes:
        picture = io.BytesIO()
        with warnings.catch_warnings():
            # A title of others may have characters that the font has not; a box stands for them.
            warnings.filterwarnings("ignore", "Glyph", UserWarning)
            self.figure.savefig(picture, format="png")
        return picture.getvalue()
