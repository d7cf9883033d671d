"""Plots as shapes: geometry that a page draws as SVG and a file as PDF, from the same numbers.

Pure: numbers and words come in, shapes come out. What a shape looks like is said by its `kind`, a class of
`plots.css` on the screen and an entry of the painter's table on paper.
"""

from console.plots.bars import Bar, Part, bars, columns
from console.plots.heat import heat
from console.plots.intervals import Interval, intervals
from console.plots.lines import Point, line
from console.plots.shapes import Plot

__all__ = ["Bar", "Interval", "Part", "Plot", "Point", "bars", "columns", "heat", "intervals", "line"]
