"""One module per measure: builds a system, loads it and its limit by turns, and returns the rows of the report."""
