"""Do sentence-transformers give the same vectors? Loads a directory that isoflop wrote and compares.

    node build/bench/embedder.js write DIR > vectors.json
    python bench/peers/embedder_sentence_transformers.py DIR vectors.json

Prints one JSON object; exits 1 if any number differs by more than 1e-4.
"""
import json
import sys

import numpy as np
from sentence_transformers import SentenceTransformer


def main(folder, vectors):
    with open(vectors) as file:
        ours = json.load(file)
    model = SentenceTransformer(folder, device="cpu")
    worst = {}
    for prompt, key in (("query", "queries"), ("document", "passages")):
        theirs = model.encode(ours["texts"], prompt_name=prompt, convert_to_numpy=True)
        worst[key] = float(np.abs(theirs - np.array(ours[key])).max())
    print(json.dumps({"texts": len(ours["texts"]), "dimension": model.get_embedding_dimension(), "largestDifference": worst,
                      "modules": [type(module).__name__ for module in model]}))
    sys.exit(max(worst.values()) > 1e-4)


if __name__ == "__main__":
    main(*sys.argv[1:])
