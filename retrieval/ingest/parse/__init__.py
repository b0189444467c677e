"""Files to blocks of text, in a process of its own.

`child` is that process: it fences itself in (`fence`), reads the file from its standard input, and writes JSON.
`run` is the parent's side. One module per format; a new one is a new file and a line in `formats`.
"""
