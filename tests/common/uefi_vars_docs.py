# SPDX-License-Identifier: GPL-2.0-or-later
"""What docs/system shows, for tests that do what it says."""

import re
from pathlib import Path

DOC = Path(__file__).resolve().parents[2] / 'docs/system/uefi-vars.rst'


def block(start):
    """The indented block of the documentation that begins with a pattern."""
    text = DOC.read_text(encoding='utf-8')
    found = re.search(rf'^( +){start}.*\n(?:\1.*\n|\n)*', text, re.M)
    if not found:
        raise AssertionError(f'{DOC.name} shows no {start}')
    return re.sub(rf'^{found[1]}', '', found[0], flags=re.M)
