"""Make a model's formula safe for MathJax: it links to nothing, fetches nothing, and stays in its place."""

from __future__ import annotations

import re

__all__ = ["safe_tex"]

_COMMENT = re.compile(r"(?<!\\)%[^\n]*")
_TOKEN = re.compile(r'\\\\(?:\[[\s\d.a-z-]*\])?|\\[a-zA-Z]+|\\.|[<>"`$|]|\](?=\()|@(?=@)')
_REPLACED = {"<": r"\lt ", ">": r"\gt ", '"': "''", "`": "'", "$": "", "]": "] ", "@": "@ "} | {
    r"\<": r"\lt ",
    r"\>": r"\: ",
    r"\"": "''",
    r"\`": "'",
    r"\(": "",
    r"\)": "",
    r"\[": "",
    r"\]": "",
}
# Macros that link, fetch, set HTML attributes or change other formulas on the page.
_FORBIDDEN = re.compile(
    r"\\(?:href|url|html\w*|class|cssId|style|data|unicode|require|include\w*|input|bbox|mml\w*|tooltip|csname|setOptions"
    r"|[egx]?def|(?:future)?let|global|new(?!line)\w*|renew\w*|provide\w*|declare\w*|definecolor|mathtoolsset|usetagform)",
    re.IGNORECASE,
)
_NESTING = re.compile(r"\\\\|\\[{}]|\\(begin|end)(?:\{([a-zA-Z]+\*?)\})?|[{}]")


def safe_tex(body: str, *, in_quote: bool = False, in_table: bool = False) -> str:
    """Return the formula on one line without quotes, markup or forbidden macros, or nothing if it does not nest.

    In a quotation the marks of its lines go; in a table no bar is left that could end the cell.
    """
    body = re.sub(r"\n[ \t>]*" if in_quote else r"\n", " ", _COMMENT.sub("", body))
    tex = _TOKEN.sub(_safe_token, body).strip()
    if in_table:
        tex = tex.replace(r"\|", r"\Vert ").replace("|", r"\vert ")
    # Jupyter looks for the end of a formula by counting braces: an odd one would let it run on over the text behind.
    expected: list[str] = []
    for mark in _NESTING.finditer(tex):
        if mark[0] == "{" or mark[1] == "begin":
            expected.append(mark[2] or "}")
        elif (mark[0] == "}" or mark[1]) and (not expected or expected.pop() != (mark[2] or "}")):
            return ""
    return "" if expected else tex + " " * tex.endswith("\\")


def _safe_token(token: re.Match[str]) -> str:
    mark = token[0]
    if mark.startswith("\\\\"):
        return "\\\\ "
    return rf"\text{{{mark[1:]}}}" if _FORBIDDEN.fullmatch(mark) else _REPLACED.get(mark, mark)
