"""Text to vectors: the ONNX sentence encoder, what it can read, and the script that exports it.

Kept empty of imports: `retrieval.embedding.export` runs in the engine's environment, which has torch
and none of the product's libraries.
"""
