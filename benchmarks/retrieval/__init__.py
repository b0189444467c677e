"""Search quality on a labelled handbook in two languages, and the fit of the relevance model on public questions."""
