"""A JSONL file to one file of token ids: python shards_python.py TEXT.jsonl TOKENIZER.json OUT.bin encode_batch|encode_batch_fast

What `isoflop shards build` does, with the Python package and without hashes, held-out documents or resumption.
"""
import json
import resource
import sys
import time

import numpy as np
from tokenizers import Tokenizer

BATCH = 256


def batches(path):
    texts = []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            texts.append(json.loads(line)["text"])
            if len(texts) == BATCH:
                yield texts
                texts = []
    yield texts


def main():
    path, model, out, method = sys.argv[1:]
    began = time.perf_counter()
    tokenizer = Tokenizer.from_file(model)
    encode = getattr(tokenizer, method)
    eos = tokenizer.token_to_id("<|endoftext|>")
    tokens = 0
    with open(out, "wb") as file:
        for texts in batches(path):
            for encoding in encode(texts, add_special_tokens=False):
                ids = np.array(encoding.ids + [eos], np.uint16)
                tokens += ids.size
                ids.tofile(file)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000
    print(json.dumps({"seconds": seconds, "tokens": tokens, "peakMb": peak}))


main()
