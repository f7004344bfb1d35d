"""One page about some runs, for someone who did not train them: HTML, Markdown or JSON of the same data."""
