# SPDX-License-Identifier: GPL-2.0-or-later
"""How benchmarks print what they have measured."""


def table(rows):
    """A reStructuredText table of strings."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    rule = ' '.join('=' * width for width in widths)
    lines = [' '.join(cell.ljust(width) for cell, width in zip(row, widths))
             .rstrip() for row in rows]
    return '\n'.join([rule, lines[0], rule] + lines[1:] + [rule])
