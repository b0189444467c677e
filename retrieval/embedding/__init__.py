"""Text to vectors: the ONNX sentence encoder, its coverage of languages, and the export script.

No imports here: `retrieval.embedding.export` runs in the engine's environment, with torch and without the product's
libraries.
"""
