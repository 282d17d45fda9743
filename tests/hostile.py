"""Markdown that tries to run a script or to fetch something, and documents in which it hides among harmless text."""

from __future__ import annotations

import random

_RUN = "window.PWNED=1"
_HTML_RUN = "window.PWNED&#61;1"


def payloads(origin: str) -> list[tuple[str, str]]:
    """Return (name, Markdown) pairs; each sets `window.PWNED` or requests something below `origin`."""
    host = origin.split("//")[1]
    image = f"{origin}/leak.png"
    js = f"javascript:{_RUN}"
    onerror = f'<img src="x:" onerror="{_RUN}">'
    return [
        *_elements(origin, image, onerror),
        *_broken_blocks(image, onerror),
        *_links(js),
        *_images(host, image),
        *_formulas(image, js),
        *_jupyter(image, onerror),
    ]


def _elements(origin: str, image: str, onerror: str) -> list[tuple[str, str]]:
    """Return raw HTML, in the forms that HTML and CommonMark know."""
    return [
        ("script", f"<script>{_RUN}</script>"),
        ("script in upper case", f"<SCRIPT>{_RUN}</SCRIPT>"),
        ("script with a slash", f"<script/x>{_RUN}</script>"),
        ("script from afar", f'<script src="{origin}/leak.js"></script>'),
        ("image with a handler", onerror),
        ("image without quotes", f"<img src=x: onerror={_RUN}>"),
        ("image with slashes", f"<img/src=x:/onerror={_RUN}>"),
        ("image over lines", f'<img\nsrc="x:"\nonerror="{_RUN}"\n>'),
        ("image with an entity", f'<img src="x:" onerror="{_HTML_RUN}">'),
        ("image never closed", f'text <img src="x:" onerror="{_RUN}" '),
        ("remote image", f'<img src="{image}">'),
        ("remote source set", f'<img srcset="{image} 1x">'),
        ("picture", f'<picture><source srcset="{image}"><img></picture>'),
        ("image input", f'<input type="image" src="{image}">'),
        ("focus", f'<input autofocus onfocus="{_RUN}">'),
        ("details", f'<details open ontoggle="{_RUN}">x</details>'),
        ("svg", f'<svg onload="{_RUN}"></svg>'),
        ("svg image", f'<svg><image href="{image}"></image></svg>'),
        ("svg script", f"<svg><script>{_RUN}</script></svg>"),
        ("math with style", f"<math><mtext><style><img src=x: onerror={_RUN}></style></mtext></math>"),
        ("frame document", f'<iframe srcdoc="<script>parent.{_RUN}</script>"></iframe>'),
        ("frame address", f'<iframe src="{origin}/leak"></iframe>'),
        ("frame script", f'<iframe src="javascript:parent.{_RUN}"></iframe>'),
        ("object", f'<object data="{origin}/leak"></object>'),
        ("embed", f'<embed src="{origin}/leak">'),
        ("video", f'<video src="{origin}/leak" autoplay></video>'),
        ("video poster", f'<video poster="{image}"></video>'),
        ("audio error", f'<audio src="x:" onerror="{_RUN}"></audio>'),
        ("style import", f'<style>@import "{origin}/leak.css";</style>'),
        ("style sheet", f'<link rel="stylesheet" href="{origin}/leak.css">'),
        ("style attribute", f'<div style="background:url({image});width:9px;height:9px">x</div>'),
        ("allowed tag with style", f'<b style="background:url({image})">x</b>'),
        ("allowed tag with handler", f'<b onmouseover="{_RUN}">x</b><br onclick="{_RUN}">'),
        ("table background", f'<table background="{image}"><tr><td>x</td></tr></table>'),
        ("animation", f'<style>@keyframes k{{}}</style><b style="animation:k 1s" onanimationstart="{_RUN}">x</b>'),
        ("base", f'<base href="{origin}/">'),
        ("refresh", f'<meta http-equiv="refresh" content="0;url={origin}/leak">'),
        ("comment", f"<!-- x --><img src=x: onerror={_RUN}><!-- -->"),
        ("short comment", f"<!--><img src=x: onerror={_RUN}>-->"),
        ("cdata", f"<![CDATA[x]]><img src=x: onerror={_RUN}>"),
        ("processing instruction", f"<?x ?><img src=x: onerror={_RUN}>"),
        ("declaration", f"<!X><img src=x: onerror={_RUN}>"),
        ("pre block", f"<pre><img src=x: onerror={_RUN}></pre>"),
        ("textarea", f"<textarea></textarea><img src=x: onerror={_RUN}>"),
        ("template", f'<xmp></xmp><noscript><p title="</noscript><img src=x: onerror={_RUN}>"></noscript>'),
        ("zero byte in a name", f"<scr\0ipt>{_RUN}</script><img src=x: on\0error={_RUN}>"),
        ("lone surrogate", f"\ud800<img src=x: onerror={_RUN}>"),
        ("direction override", f"\u202e<img src=x: onerror={_RUN}>\u202c"),
    ]


def _broken_blocks(image: str, onerror: str) -> list[tuple[str, str]]:
    """Return HTML that comes out of code when code is read in another way than it was written."""
    return [
        ("after a half fence", f"``` x`\n{onerror}\n```"),
        ("fence in a quote that ends", f"> ```\n{onerror}\n"),
        ("fence closed deeper", f"```\nx\n     ```\n\n```\n{onerror}"),
        ("tildes inside ticks", f"1) ~~~\n\n```\n~~~\n\n{onerror}\n```"),
        ("tabbed fence", f"-\t```\n\t{onerror}\n\n{onerror}\n"),
        ("info string", f'```"><img/src=x:/onerror={_RUN}>\nx\n```\n\n{onerror}'),
        ("unequal ticks", f"``x` {onerror} `y``` z"),
        ("escaped tick", f"\\`{onerror}`"),
        ("code across cells", f"| a | b |\n|---|---|\n| `x | {onerror} ` |"),
        ("code across items", f"- `a\n- {onerror} ` b"),
        ("heading", f"# {onerror}\n\ntitle {onerror}\n==="),
        ("list", f"1. a\n   - {onerror}\n     > {onerror}"),
        ("footnote", f"x[^1]\n\n[^1]: {onerror}"),
        ("entities inside an attribute", f'<a href="#" title="&quot;>">x</a>{onerror}'),
        ("code with a tag end", f"`</code>` {onerror} <code>`</code>`"),
        ("allowed tag first", f"<b>\n{onerror}\n</b>"),
        ("image in indented code after text", f"x\n    ![]({image})\n    {onerror}"),
        ("attribute list", f"# x {{: onclick={_RUN} }}\n\n{onerror}{{: .x}}"),
    ]


def _links(js: str) -> list[tuple[str, str]]:
    """Return links that a click would run."""
    return [
        ("link", f"[x]({js})"),
        ("link in angles", f"[x](<{js}>)"),
        ("link with entities", "[x](java&#115;cript&colon;window.PWNED=1)"),
        ("link with a tab", "[x](<java\tscript:window.PWNED=1>)"),
        ("link with a tab entity", "[x](java&Tab;script:window.PWNED=1)"),
        ("link with a newline entity", "[x](&#10;javascript:window.PWNED=1)"),
        ("link with a control character", "[x](\x01javascript:window.PWNED=1)"),
        ("link in mixed case", "[x](JaVaScRiPt:window.PWNED=1)"),
        ("link with escapes", "[x](javascript\\:window.PWNED=1)"),
        ("link with percent", "[x](javascript:window.PWNED%3D1)"),
        ("vbscript", "[x](vbscript:window.PWNED=1)"),
        ("data link", "[x](data:text/html,<script>opener.PWNED=1</script>)"),
        ("autolink", f"<{js}>"),
        ("reference", f"[x][r]\n\n[r]: {js}"),
        ("short reference", f"[r]\n\n[r]: <{js}> 'title'"),
        ("title with a handler", f'[x](http://127.0.0.1/ "\\" onmouseover=\\"{_RUN}")'),
        ("raw anchor", f'<a href="{js}">x</a>'),
        ("form", f'<form action="{js}"><button>x</button></form>'),
        ("link in a heading", f"## [x]({js})"),
        ("nested link", f"[a [b]({js}) c]({js})"),
    ]


def _images(host: str, image: str) -> list[tuple[str, str]]:
    """Return Markdown images, which a browser fetches without a click."""
    return [
        ("image", f"![x]({image})"),
        ("image with title", f'![x]({image} "title")'),
        ("image in angles", f"![x](<{image}>)"),
        ("image without scheme", f"![x](//{host}/leak.png)"),
        ("image with entities", f"![x](http&colon;//{host}/leak.png)"),
        ("image by reference", f"![x][r]\n\n[r]: {image}"),
        ("image by collapsed reference", f"![r][]\n\n[r]: {image}"),
        ("image by short reference", f"![r]\n\n[r]: {image}"),
        ("image in a link", f"[![x]({image})](http://127.0.0.1/)"),
        ("image in a table", f"| a |\n|---|\n| ![x]({image}) |"),
        ("image in an item", f"- [ ] ![x]({image})"),
        ("image behind marks", f"!![x]({image}) !!![x]({image})"),
        ("image made of an autolink", f"!<{image}> ![x]({image})"),
        ("image with nested brackets", f"![a [b] ![c]({image})]({image})"),
        ("Markdown image over lines", f"![x\ny]({image}\n'title')"),
        ("image in emphasis", f"**![x]({image})** _![y]({image})_"),
        ("image with math in its address", f"![x]({image}?$a$)"),
        ("image behind an escape", f"\\\\![x]({image}) \\!\\\\![x]({image})"),
    ]


def _formulas(image: str, js: str) -> list[tuple[str, str]]:
    """Return TeX that MathJax would turn into links, attributes or style."""
    return [
        ("TeX link", rf"$\href{{{js}}}{{x}}$"),
        ("TeX link in display", f"$$\n\\href{{{js}}}{{x}}\n$$"),
        ("TeX link in brackets", rf"\[\href{{{js}}}{{x}}\] \(\href{{{js}}}{{x}}\)"),
        ("TeX link in an environment", f"\\begin{{align}}\\href{{{js}}}{{x}}\\end{{align}}"),
        ("TeX link by entities", rf"&#36;&#92;href{{{js}}}{{x}}&#36;"),
        ("TeX link by named entities", f"&dollar;&bsol;href{{{js}}}{{x}}&dollar;"),
        ("TeX link by escapes", rf"\$\\href{{{js}}}{{x}}\$"),
        ("TeX link in text", rf"$\text{{a \href{{{js}}}{{x}}}}$"),
        ("TeX definition", rf"$\def\alpha{{\href{{{js}}}{{x}}}}\alpha$ $\let\beta\href \beta{{{js}}}{{x}}$"),
        ("TeX style", rf"$\style{{background:url({image});padding:9px}}{{x}}$"),
        ("TeX box", rf"$\bbox[background:url({image})]{{x}}$"),
        ("TeX class and id", r"$\class{jp-Notebook}{\cssId{main}{x}}$"),
        ("TeX token", rf"$\mmlToken{{mi}}[href='{js}']{{x}}$"),
        ("TeX extension", rf"$\require{{html}}\href{{{js}}}{{x}}\unicode[x;background:url({image})]{{65}}$"),
        ("TeX with HTML", f"$x <img src=x: onerror={_RUN}> y$"),
        ("TeX with an image", f"$a ![x]({image}) b$ and $$c ![x]({image})$$"),
    ]


def _jupyter(image: str, onerror: str) -> list[tuple[str, str]]:
    """Return what only Jupyter's own steps around Markdown make dangerous."""
    return [
        ("formula in an address", f'http://127.0.0.1/$" onmouseover="{_RUN}" x="$'),
        ("odd brace in an address", f'http://127.0.0.1/${{$" onmouseover="{_RUN}" x="$}}$'),
        ("formula in a link", f'[x](http://127.0.0.1/$"onmouseover="{_RUN}"$)'),
        ("accent in an address", f'http://127.0.0.1/$\\" onmouseover=\\"{_RUN}\\" x=\\"$'),
        ("formula in a title", f'[x](http://127.0.0.1/ \'$" onmouseover="{_RUN}"$\')'),
        ("placeholder", f'[x](http://127.0.0.1/@@0@@) $" onmouseover="{_RUN}"$ @@0@@ @@1@@'),
        ("mermaid", f"```mermaid\ngraph LR\nA[\"<img src='{image}'>\"] --> B\n```"),
        ("mermaid click", f'~~~ mermaid\ngraph LR\nA --> B\nclick A call alert("x")\n~~~\n\n{onerror}'),
        ("formula across a fence", f"$\\\\[$ x\n\n```\n\\\\]\n{onerror}\n```"),
        ("environment across a fence", f"$\\begin{{x}}$\n\n```\n\\end{{x}}\n\n{onerror}\n```"),
        ("dollars across a fence", f"$$ x\n\n```\n$$\n\n{onerror}\n```"),
        ("attachment", f"![x](attachment:a.png) ![y]({image})"),
    ]


_BENIGN = (
    "Plain words, *emphasis*, **strong**, ~~gone~~ and `code < x`.",
    "# Heading\n",
    "- item\n  - nested\n    1. deep",
    "1. one\n\n   ```python\n   print('<b>')\n   ```\n\n2. two",
    "| a | b |\n|---|:-:|\n| `x \\| y` | $x^2$ |",
    "> quote\n> more\n",
    "```python\nif a < b:\n    pass\n```",
    "~~~\nnot closed",
    "    indented = True",
    "$$\n\\int_0^1 x\\,dx\n$$",
    "\\(a\\) and \\[b\\] and $c$, for $5 or $10",
    "[site](https://127.0.0.1:9/a_(b)?c=d&e=f#g)",
    "a <br> b <sub>2</sub> <b>",
    "if a < b && c > d",
    "\\begin{align}a &= b \\\\ c\\end{align}",
    *("`", "``", "$", "$$", "[", "]", "](", "![", "<", "\\", "{", "}", "\\\\[", "&", "!", "@@0@@", "~~~", "```", "> "),
)
_GLUE = ("", "", " ", "\n", "\n\n", "\n    ", "\n> ", "\n- ", " | ", "`", "$", "*")


def documents(count: int, seed: int, origin: str = "http://127.0.0.1:9") -> list[str]:
    """Return random documents, always the same for a seed; some end in the middle, as a streamed answer does."""
    chance = random.Random(seed)  # noqa: S311 - a test's dice
    hostile = [markdown for _, markdown in payloads(origin)]
    return [_document(chance, hostile) for _ in range(count)]


def _document(chance: random.Random, hostile: list[str]) -> str:
    parts = [
        chance.choice(hostile if chance.random() < 0.4 else _BENIGN) + chance.choice(_GLUE)
        for _ in range(chance.randint(2, 9))
    ]
    text = "".join(parts)
    return text[: chance.randint(1, len(text))] if chance.random() < 0.3 else text
