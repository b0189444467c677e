"""Files to blocks of text, in a separate process.

`child` is this process: it restricts itself (`fence`), reads the file from standard input, and writes JSON. `run` is
the parent's side. One module per format; a new one is a new file and a line in `formats`.
"""
