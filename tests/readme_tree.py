"""The tree in README.md: a phrase for each file, taken from its first sentence.

`python tests/readme_tree.py` writes it anew; a test says when that is due.
"""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "icelens"
BEGIN, END = "<!-- tree: python tests/readme_tree.py -->\n", "<!-- end of tree -->\n"


def first_sentence(path: Path) -> str:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0].rstrip(".:")


def lines_of(folder: Path, depth: int) -> list[str]:
    """The folder, its files, then its folders."""
    indent = "  " * depth
    phrase = first_sentence(folder / "__init__.py")
    lines = [f"{indent}{folder.name + '/':<{28 - len(indent)}} {phrase}"]
    for file in sorted(folder.glob("*.py")):
        if file.name != "__init__.py":
            name = f"  {indent}{file.name}"
            lines.append(f"{name:<28} {first_sentence(file)}")
    for child in sorted(folder.iterdir()):
        if (child / "__init__.py").exists():
            lines += lines_of(child, depth + 1)
    return lines


def tree() -> str:
    """The block between the marks, marks included."""
    return "\n".join([BEGIN.rstrip(), "```", *lines_of(SOURCE, 0), "```", END])


def tree_in(text: str) -> str:
    """The block that a README holds; empty if it has none."""
    start, end = text.find(BEGIN), text.find(END)
    return text[start : end + len(END)] if 0 <= start < end else ""


def write() -> None:
    """Put the present tree into README.md."""
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    readme.write_text(text.replace(tree_in(text), tree()), encoding="utf-8")


if __name__ == "__main__":
    write()
